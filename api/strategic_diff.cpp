// Making strategic merge patches: what changed between two trees, in terms of the schema.
#include <algorithm>

#include "api/strategic.hpp"

namespace coracle::api::strategic {

namespace {

struct ListDiff {
  json::array changes, deletions, order;
};

class Differ {
 public:
  explicit Differ(const DiffOptions& options) : options_(options) {}

  Result<json::object> maps(const json::object& original, const json::object& modified,
                            const Schema* schema, bool build_retain_keys) {
    json::object patch;
    for (const auto& [key, value] : modified) {
      const json::value* before = find_member(original, key);
      if (before == nullptr) {
        if (!options_.ignore_changes) patch[key] = value;
      } else if (key == kDirective) {
        if (*before != value) patch[key] = value;
      } else if (before->is_object() && value.is_object()) {
        RETURN_IF_ERROR(map_member(key, before->as_object(), value.as_object(), schema, patch));
      } else if (before->is_array() && value.is_array()) {
        RETURN_IF_ERROR(list_member(key, before->as_array(), value.as_array(), schema, patch));
      } else {
        replace(key, *before, value, patch);
      }
    }
    if (!options_.ignore_deletions) {
      for (const auto& [key, value] : original) {
        if (!modified.contains(key)) patch[key] = nullptr;
      }
    }
    if (build_retain_keys) add_retain_keys(original, modified, patch);
    return patch;
  }

 private:
  void replace(std::string_view key, const json::value& before, const json::value& after,
               json::object& patch) const {
    if (!options_.ignore_changes && before != after) patch[key] = after;
  }

  static void add_retain_keys(const json::object& original, const json::object& modified,
                              json::object& patch) {
    const bool lost = std::any_of(original.begin(), original.end(), [&](const auto& member) {
      return !member.value().is_null() && !modified.contains(member.key());
    });
    std::vector<std::string> keys;
    for (const auto& [key, value] : modified) {
      if (!value.is_null()) keys.emplace_back(key);
    }
    if (keys.empty() || (patch.empty() && !lost)) return;
    std::sort(keys.begin(), keys.end());
    json::array list;
    for (const std::string& key : keys) list.emplace_back(key);
    patch[kRetainKeys] = std::move(list);
  }

  Status map_member(std::string_view key, const json::object& before, const json::object& after,
                    const Schema* schema, json::object& patch) {
    const FieldMeta meta = map_field(schema, key);
    if (meta.replace) {
      if (!options_.ignore_changes && before != after) patch[key] = after;
      return {};
    }
    ASSIGN_OR_RETURN(json::object inner, maps(before, after, meta.schema, meta.retain_keys));
    if (!inner.empty()) patch[key] = std::move(inner);
    return {};
  }

  Status list_member(std::string_view key, const json::array& before, const json::array& after,
                     const Schema* schema, json::object& patch) {
    const FieldMeta meta = list_field(schema, key);
    if (!meta.merge) {
      if (!options_.ignore_changes && before != after) patch[key] = after;
      return {};
    }
    ASSIGN_OR_RETURN(ListDiff diff, lists(before, after, meta));
    if (!diff.changes.empty()) patch[key] = std::move(diff.changes);
    if (!diff.deletions.empty()) {
      patch[std::string(kDeletePrimitives) + std::string(key)] = std::move(diff.deletions);
    }
    if (!diff.order.empty()) {
      patch[std::string(kSetOrder) + std::string(key)] = std::move(diff.order);
    }
    return {};
  }

  Result<ListDiff> lists(const json::array& before, const json::array& after,
                         const FieldMeta& meta) {
    ListDiff diff;
    if (before.empty()) {
      if (!options_.ignore_changes) diff.changes = after;
      return diff;
    }
    ASSIGN_OR_RETURN(const bool objects, holds_objects(before, after));
    if (!objects) {
      scalars(before, after, diff);
      return diff;
    }
    RETURN_IF_ERROR(check_keys(before, meta.merge_key));
    RETURN_IF_ERROR(check_keys(after, meta.merge_key));
    RETURN_IF_ERROR(keyed(before, after, meta, diff));
    return diff;
  }

  void scalars(const json::array& before, const json::array& after, ListDiff& diff) const {
    if (!options_.ignore_changes) {
      for (const json::value& v : after) {
        if (index_of(before, v, {}) < 0) diff.changes.push_back(v);
      }
    }
    if (!options_.ignore_deletions) {
      for (const json::value& v : before) {
        const bool listed = index_of(diff.deletions, v, {}) >= 0;
        if (!listed && index_of(after, v, {}) < 0) diff.deletions.push_back(v);
      }
      std::sort(diff.deletions.begin(), diff.deletions.end(),
                [](const json::value& a, const json::value& b) { return go_text(a) < go_text(b); });
    }
    const bool deleted = !options_.ignore_deletions && !diff.deletions.empty();
    const bool changed = !options_.ignore_changes && before != after;
    if (options_.set_element_order && (deleted || changed)) diff.order = after;
  }

  Status keyed(const json::array& before, const json::array& after, const FieldMeta& meta,
               ListDiff& diff) {
    const std::string_view key = meta.merge_key;
    for (const json::value& item : after) {
      const int at = index_of(before, item, key);
      if (at < 0) {
        if (!options_.ignore_changes) diff.changes.push_back(item);
        continue;
      }
      const json::value& old = before[static_cast<std::size_t>(at)];
      ASSIGN_OR_RETURN(json::object inner,
                       maps(old.as_object(), item.as_object(), meta.schema, meta.retain_keys));
      if (inner.empty()) continue;
      inner[key] = item.as_object().at(key);
      diff.changes.push_back(std::move(inner));
    }
    if (!options_.ignore_deletions) {
      for (const json::value& item : before) {
        if (index_of(after, item, key) >= 0) continue;
        json::object gone;
        gone[kDirective] = "delete";
        gone[key] = item.as_object().at(key);
        diff.changes.push_back(std::move(gone));
      }
    }
    if (!options_.set_element_order) return {};
    const bool touched = !diff.changes.empty();
    const bool wanted =
        (!options_.ignore_changes && (touched || !same_order(before, after, key))) ||
        (!options_.ignore_deletions && touched);
    if (!wanted) return {};
    for (const json::value& item : after) {
      json::object one;
      one[key] = item.as_object().at(key);
      diff.order.push_back(std::move(one));
    }
    return {};
  }

  static bool same_order(const json::array& a, const json::array& b, std::string_view key) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].as_object().at(key) != b[i].as_object().at(key)) return false;
    }
    return true;
  }

  DiffOptions options_;
};

bool lists_conflict(const json::array& left, const json::array& right, const FieldMeta& meta) {
  const bool keyed = meta.merge && !meta.merge_key.empty();
  if (meta.merge && !keyed) return false;
  if (!keyed) return left != right;
  for (const json::value& item : left) {
    const int at = index_of(right, item, meta.merge_key);
    if (at >= 0 && have_conflicts(item, right[static_cast<std::size_t>(at)], meta.schema)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<json::object> diff_maps(const json::object& original, const json::object& modified,
                               const Schema* schema, const DiffOptions& options) {
  return Differ(options).maps(original, modified, schema, false);
}

bool have_conflicts(const json::value& left, const json::value& right, const Schema* schema) {
  const json::object* l = left.if_object();
  const json::object* r = right.if_object();
  if (l == nullptr || r == nullptr) return left != right;
  for (const auto& [key, value] : *l) {
    const json::value* other = find_member(*r, key);
    if (key == kRetainKeys) continue;
    if (key == kDirective ? (other == nullptr || *other != value) : false) return true;
    if (other == nullptr) continue;
    if (value.is_array() && other->is_array()) {
      if (lists_conflict(value.as_array(), other->as_array(), list_field(schema, key))) return true;
    } else if (value.is_object()) {
      const FieldMeta meta = map_field(schema, key);
      if (meta.replace && other->is_object()) continue;
      if (have_conflicts(value, *other, meta.schema)) return true;
    } else if (value != *other) {
      return true;
    }
  }
  return r->contains(kDirective) && !l->contains(kDirective);
}

}  // namespace coracle::api::strategic
