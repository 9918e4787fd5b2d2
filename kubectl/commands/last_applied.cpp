#include "commands/last_applied.hpp"

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/patch.hpp"
#include "kubectl/failure.hpp"

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

Result<ApplyPatch> plan_apply(const json::value& wanted, const json::value& current) {
  json::value modified = wanted;
  set_last_applied(modified);
  json::value original;
  if (const auto text = get_last_applied(current)) {
    const auto parsed = parse_json(*text);
    if (parsed.ok()) original = *parsed;
  }
  ApplyPatch plan;
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(wanted);
  if (!info || !info->schema) {  // a custom kind knows no strategic merge
    plan.type = client::PatchType::kMerge;
    plan.patch = api::create_three_way_json_merge_patch(original, modified, current);
    return plan;
  }
  auto patch = api::create_three_way_merge_patch(original, modified, current, info->schema);
  if (!patch.ok()) return fail("creating patch: " + patch.status().message());
  plan.patch = std::move(*patch);
  return plan;
}

}  // namespace coracle::kubectl
