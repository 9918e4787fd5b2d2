#include "commands/last_applied.hpp"

#include "api/object.hpp"

namespace coracle::kubectl {

std::string last_applied_text(const json::value& object) {
  json::value copy = object;
  json::object& metadata = api::metadata_of(copy);
  json::value& annotations = metadata["annotations"];
  if (!annotations.is_object()) annotations.emplace_object();
  erase_key(annotations.as_object(), kLastApplied);
  return to_json(sorted_keys(copy)) + "\n";
}

void set_last_applied(json::value& object) {
  const std::string text = last_applied_text(object);
  api::set_annotation(object, kLastApplied, text);
}

std::optional<std::string> get_last_applied(const json::value& object) {
  const auto& annotations = api::annotations_of(object);
  const json::value* found = annotations.if_contains(kLastApplied);
  if (!found || !found->is_string()) return std::nullopt;
  return std::string(found->as_string());
}

}  // namespace coracle::kubectl
