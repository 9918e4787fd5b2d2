// Expressions as policies and custom resources bring them: text -> program -> a value of an object.
// Both ends are total: an error with words, or a value that can be written as JSON.
#include "api/cel/cel.hpp"
#include "base/check.hpp"

namespace {

using namespace coracle;
namespace cel = coracle::api::cel;

constexpr std::uint64_t kCost = 20'000;

const json::value& object() {
  static const json::value kObject =
      *parse_json(R"({"metadata": {"name": "x", "labels": {"a": "b"}},
    "spec": {"replicas": 3, "ratio": 0.5, "big": -9223372036854775808, "none": null, "containers": [
      {"name": "c", "image": "nginx:v1", "ports": [80, 443]}, {"name": "\u00e9\ud83d\ude00"}]}})");
  return kObject;
}

cel::Environment environment() {
  cel::Environment out;
  out.declare("object", cel::Type::dyn());
  out.declare("x", cel::Type::dyn());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cel::Environment kEnvironment = environment();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto program = cel::Program::compile(text, kEnvironment);
  if (!program.ok()) {
    CHECK(!program.status().message().empty());
    return 0;
  }
  cel::Budget budget{kCost};
  const cel::Value value = program->evaluate(
      {{"object", cel::Value::from_json(object())}, {"x", cel::Value::of(std::int64_t{7})}},
      budget);
  CHECK(budget.left <= kCost);
  if (value.is_error()) {
    CHECK(!value.as_text().empty());
  } else {
    CHECK(!to_json(cel::to_json_tree(value)).empty());
  }
  return 0;
}
