// Templates of -o jsonpath and -o go-template, and paths of printer columns, over an object: an
// error with words or a text of bounded length; the relaxed form reads as the strict one.
#include "api/jsonpath.hpp"
#include "base/check.hpp"
#include "input.hpp"
#include "text/gotemplate.hpp"

namespace {

using namespace coracle;

const json::value& subject() {
  static const json::value kObject = *parse_json(R"({"kind":"List","items":[
    {"metadata":{"name":"a","labels":{"app.kubernetes.io/name":"x"}},"spec":{"n":3,"on":true},
     "status":{"conditions":[{"type":"Ready","status":"True"},{"type":"B","status":"no"}]}},
    {"metadata":{"name":"b"},"spec":{"n":-1.5,"none":null,"list":[[1,2],[3]]}}],"empty":[]})");
  return kObject;
}

void jsonpath(std::string_view text, bool missing) {
  const auto path = api::JsonPath::parse(text);
  if (!path.ok()) {
    CHECK(!path.status().message().empty());
    return;
  }
  const api::JsonPath::Options options{.allow_missing_keys = missing};
  const auto printed = path->print(subject(), options);
  const auto found = path->find(subject(), options);
  CHECK(printed.ok() == found.ok());
  if (!printed.ok()) CHECK(!printed.status().message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const std::string_view text = input.rest();
  if (way % 4 < 2) jsonpath(text, way % 4 == 0);
  if (way % 4 == 2) {
    api::jsonpath_values(subject(), text);
    const auto relaxed = api::JsonPath::parse_relaxed(text);
    if (relaxed.ok()) (void)relaxed->print(subject());
  }
  if (way % 4 == 3) {
    const auto parsed = text::GoTemplate::parse(text);
    const auto printed = parsed.ok() ? parsed->run(subject()) : Result<std::string>("");
    CHECK(parsed.ok() || !parsed.status().message().empty());
    CHECK(printed.ok() || !printed.status().message().empty());
  }
  return 0;
}
