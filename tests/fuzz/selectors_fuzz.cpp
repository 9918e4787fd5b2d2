// Label and field selectors as they stand in URLs and in objects: what can be read prints as a text
// that reads the same, and selects the same.
#include "api/selectors.hpp"
#include "base/check.hpp"
#include "input.hpp"

namespace {

using namespace coracle;

const json::value& subject() {
  static const json::value kObject = *parse_json(R"({"metadata":{"name":"n","namespace":"s",
    "labels":{"a":"b","tier":"web","n":"5","x.y/z":"","big":"9223372036854775807"}},
    "spec":{"nodeName":"k","on":true,"count":3},"status":{"phase":"Running"}})");
  return kObject;
}

void label(std::string_view text) {
  const auto selector = api::LabelSelector::parse(text);
  if (!selector.ok()) {
    CHECK(!selector.status().message().empty());
    return;
  }
  const std::string canonical = selector->text();
  const auto again = api::LabelSelector::parse(canonical);
  CHECK_MSG(again.ok(), canonical << " does not parse");
  CHECK_MSG(again->text() == canonical, canonical << " reads as " << again->text());
  const json::object& labels = get_object(subject(), "metadata.labels");
  CHECK(again->matches(labels) == selector->matches(labels));
  CHECK(again->matches({}) == selector->matches({}));
}

void field(std::string_view text) {
  const auto selector = api::FieldSelector::parse(text);
  if (!selector.ok()) {
    CHECK(!selector.status().message().empty());
    return;
  }
  const auto again = api::FieldSelector::parse(selector->text());
  CHECK_MSG(again.ok(), selector->text() << " does not parse");
  CHECK_MSG(again->text() == selector->text(), selector->text());
  CHECK(again->matches_object(subject()) == selector->matches_object(subject()));
}

void object(std::string_view text) {
  const auto tree = parse_json(text);
  if (!tree.ok()) return;
  CHECK(!api::format_label_selector(&*tree).empty() || tree->is_object());
  const auto selector = api::LabelSelector::from_object(&*tree);
  if (!selector.ok() || selector->is_nothing()) return;
  const auto again = api::LabelSelector::parse(selector->text());
  CHECK_MSG(again.ok(), selector->text() << " does not parse");
  const json::object& labels = get_object(subject(), "metadata.labels");
  CHECK(again->matches(labels) == selector->matches(labels));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const std::string_view text = input.rest();
  if (way % 3 == 0) label(text);
  if (way % 3 == 1) field(text);
  if (way % 3 == 2) object(text);
  return 0;
}
