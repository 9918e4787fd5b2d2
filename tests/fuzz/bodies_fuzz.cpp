// Bodies of creates, as JSON and as YAML: text -> tree -> an object of some kind with its defaults,
// checked. Decoding and defaulting twice change nothing; what is written reads the same.
#include "input.hpp"
#include "machinery.hpp"

namespace {

using namespace coracle;

void read_json(std::string_view text, const api::ResourceInfo& info) {
  std::vector<std::string> duplicates;
  const auto tree = parse_json(text, &duplicates);
  if (!tree.ok()) {
    CHECK(!tree.status().message().empty());
    return;
  }
  const std::string written = to_json(*tree);
  const auto again = parse_json(written);
  CHECK_MSG(again.ok(), written);
  CHECK_MSG(to_json(*again) == written, written);
  if (tree->is_object()) fuzz::create(info, *tree);
}

void read_yaml(std::string_view text, const api::ResourceInfo& info) {
  const auto documents = parse_yaml(text);
  if (!documents.ok()) {
    CHECK(!documents.status().message().empty());
    return;
  }
  for (const YamlDocument& document : *documents) {
    CHECK(parse_json(to_json(document.value)).ok());
    const std::string written = to_yaml(document.value);
    const auto again = parse_yaml_one(written);
    CHECK_MSG(again.ok(), written << again.status().message());
    CHECK_MSG(to_json(*again) == to_json(document.value), written);
    if (document.value.is_object()) fuzz::create(info, document.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const api::ResourceInfo& info = fuzz::info_of(fuzz::kKinds[way / 2 % fuzz::kKinds.size()]);
  if (way % 2 == 0) {
    read_json(input.rest(), info);
  } else {
    read_yaml(input.rest(), info);
  }
  return 0;
}
