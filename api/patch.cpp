#include "api/patch.hpp"

#include "api/strategic.hpp"

namespace coracle::api {

namespace {

using strategic::DiffOptions;

// What `modified` adds or changes against `current`; nothing when both are equal.
json::object additions(const json::object& current, const json::object& modified) {
  json::object out;
  for (const auto& [key, value] : modified) {
    const json::value* before = find_member(current, key);
    if (before == nullptr) {
      out[key] = value;
    } else if (before->is_object() && value.is_object()) {
      json::object inner = additions(before->as_object(), value.as_object());
      if (!inner.empty()) out[key] = std::move(inner);
    } else if (*before != value) {
      out[key] = value;
    }
  }
  return out;
}

// Nulls for what `original` has and `modified` has not.
json::object deletions(const json::object& original, const json::object& modified) {
  json::object out;
  for (const auto& [key, value] : original) {
    const json::value* after = find_member(modified, key);
    if (after == nullptr) {
      out[key] = nullptr;
    } else if (value.is_object() && after->is_object()) {
      json::object inner = deletions(value.as_object(), after->as_object());
      if (!inner.empty()) out[key] = std::move(inner);
    }
  }
  return out;
}

void merge_into(json::object& target, const json::object& more) {
  for (const auto& [key, value] : more) {
    json::value* mine = find_member(target, key);
    if (mine != nullptr && mine->is_object() && value.is_object()) {
      merge_into(mine->as_object(), value.as_object());
    } else {
      target[key] = value;
    }
  }
}

const json::object& members(const json::value& value) {
  static const json::object kEmpty;
  const json::object* object = value.if_object();
  return object ? *object : kEmpty;
}

void merge_patch(json::value& target, const json::value& patch) {
  const json::object* changes = patch.if_object();
  if (changes == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  json::object& object = target.as_object();
  for (const auto& [key, value] : *changes) {
    if (value.is_null()) {
      erase_key(object, key);
    } else {
      merge_patch(object[key], value);
    }
  }
}

}  // namespace

json::value apply_merge_patch(json::value document, const json::value& patch) {
  merge_patch(document, patch);
  return document;
}

Result<json::value> apply_strategic_patch(const json::value& document, const json::value& patch,
                                          const Schema* schema) {
  if (!patch.is_object() || !document.is_object()) {
    return invalid_argument("invalid JSON document");
  }
  json::value result = document;
  RETURN_IF_ERROR(strategic::merge_map(result.as_object(), patch.as_object(), schema,
                                       strategic::MergeMode::kApply));
  return result;
}

Result<json::value> create_two_way_merge_patch(const json::value& original,
                                               const json::value& modified, const Schema* schema,
                                               const PatchMakeOptions& options) {
  DiffOptions diff;
  diff.set_element_order = options.set_element_order;
  ASSIGN_OR_RETURN(json::object patch,
                   strategic::diff_maps(members(original), members(modified), schema, diff));
  return json::value(std::move(patch));
}

Result<json::value> create_three_way_merge_patch(const json::value& original,
                                                 const json::value& modified,
                                                 const json::value& current, const Schema* schema,
                                                 const PatchMakeOptions& options) {
  const DiffOptions changes{.ignore_deletions = true, .set_element_order = true};
  ASSIGN_OR_RETURN(const json::object delta,
                   strategic::diff_maps(members(current), members(modified), schema, changes));
  const DiffOptions removals{.ignore_changes = true, .set_element_order = true};
  ASSIGN_OR_RETURN(json::object patch,
                   strategic::diff_maps(members(original), members(modified), schema, removals));
  RETURN_IF_ERROR(strategic::merge_map(patch, delta, schema, strategic::MergeMode::kCombine));
  json::value result(std::move(patch));
  if (options.overwrite) return result;
  ASSIGN_OR_RETURN(json::object changed,
                   strategic::diff_maps(members(original), members(current), schema, {}));
  const json::value others(std::move(changed));
  if (strategic::have_conflicts(result, others, schema)) {
    return failed_precondition("patch:\n" + to_json(result) +
                               "\nconflicts with changes made from original to current:\n" +
                               to_json(others) + "\n");
  }
  return result;
}

json::value create_json_merge_patch(const json::value& original, const json::value& modified) {
  json::object patch = additions(members(original), members(modified));
  merge_into(patch, deletions(members(original), members(modified)));
  return patch;
}

json::value create_three_way_json_merge_patch(const json::value& original,
                                              const json::value& modified,
                                              const json::value& current) {
  json::object patch = additions(members(current), members(modified));
  merge_into(patch, deletions(members(original), members(modified)));
  return patch;
}

}  // namespace coracle::api
