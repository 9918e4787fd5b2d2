// Applying a strategic merge patch, and combining two of them.
#include <algorithm>

#include "api/strategic.hpp"

namespace coracle::api::strategic {

namespace {

class Merger {
 public:
  explicit Merger(MergeMode mode) : apply_(mode == MergeMode::kApply) {}

  Status map(json::object& original, const json::object& patch, const Schema* schema) {
    const json::value* directive = find_member(patch, kDirective);
    if (directive != nullptr && *directive != "merge") {
      return whole_map(original, patch, *directive);
    }
    RETURN_IF_ERROR(retain_keys(original, patch));
    std::vector<std::string_view> done;
    RETURN_IF_ERROR(element_orders(original, patch, schema, done));
    for (const auto& [name, value] : patch) {
      const std::string_view key = name;
      if (key == kRetainKeys || key == kDirective || key.starts_with(kSetOrder)) continue;
      if (std::find(done.begin(), done.end(), key) != done.end()) continue;
      RETURN_IF_ERROR(member(original, key, value, schema));
    }
    return {};
  }

 private:
  static Status whole_map(json::object& original, const json::object& patch,
                          const json::value& directive) {
    if (directive == "replace") {
      json::object copy = patch;
      erase_key(copy, kDirective);
      original = std::move(copy);
      return {};
    }
    if (directive == "delete") {
      original.clear();
      return {};
    }
    return failed_precondition("unknown patch type: " + go_text(directive) +
                               " in map: " + go_text(json::value(patch)));
  }

  Status retain_keys(json::object& original, const json::object& patch) const {
    const json::value* keys = find_member(patch, kRetainKeys);
    if (keys == nullptr) return {};
    if (!apply_) {
      const json::value* mine = find_member(original, kRetainKeys);
      if (mine != nullptr && *mine != *keys) {
        return failed_precondition(go_text(*mine) + " and " + go_text(*keys) +
                                   " are not deep equal: this may happen when calculating the "
                                   "3-way diff patch");
      }
      original[kRetainKeys] = *keys;
      return {};
    }
    const Status bad = invalid_argument("invalid patch format of retainKeys");
    if (!keys->is_array()) return bad;
    const json::array& list = keys->as_array();
    const auto listed = [&](std::string_view key) {
      return std::any_of(list.begin(), list.end(), [&](const json::value& v) {
        return v.is_string() && std::string_view(v.as_string()) == key;
      });
    };
    for (const auto& [name, value] : patch) {
      const std::string_view key = name;
      const bool exempt = value.is_null() || key == kRetainKeys || key.starts_with(kSetOrder) ||
                          key.starts_with(kDeletePrimitives);
      if (!exempt && !listed(key)) return bad;
    }
    for (auto it = original.begin(); it != original.end();) {
      it = listed(it->key()) ? it + 1 : original.stable_erase(it);
    }
    return {};
  }

  // $setElementOrder/x: merges the list x and puts it in order; `done` gets the lists merged here.
  Status element_orders(json::object& original, const json::object& patch, const Schema* schema,
                        std::vector<std::string_view>& done) {
    const Status bad = invalid_argument("invalid patch format of setElementOrder list");
    for (const auto& [name, order] : patch) {
      const std::string_view key = name;
      if (!key.starts_with(kSetOrder)) continue;
      const std::string_view field = key.substr(kSetOrder.size());
      if (!order.is_array()) return bad;
      if (!apply_) {
        const json::value* mine = find_member(original, key);
        if (mine != nullptr && *mine != order) return bad;
        original[key] = order;
      }
      const json::value* theirs = find_member(patch, field);
      json::value* mine = find_member(original, field);
      if (theirs == nullptr && mine == nullptr) continue;
      if (theirs != nullptr && !theirs->is_array()) return bad_type("[]interface {}", *theirs);
      if (mine != nullptr && !mine->is_array()) return bad_type("[]interface {}", *mine);
      const FieldMeta meta = list_field(schema, field);
      if (theirs != nullptr) {
        RETURN_IF_ERROR(check_order(theirs->as_array(), order.as_array(), meta.merge_key));
        done.push_back(field);
      }
      RETURN_IF_ERROR(ordered_list(original, field, theirs, order.as_array(), meta));
    }
    return {};
  }

  Status ordered_list(json::object& original, std::string_view field, const json::value* theirs,
                      const json::array& order, const FieldMeta& meta) {
    json::value* mine = find_member(original, field);
    const json::array server = mine == nullptr ? json::array() : mine->as_array();
    json::array merged = server;
    if (mine == nullptr) {
      json::value added;
      if (!cleaned(*theirs, added)) return {};
      merged = std::move(added.as_array());
    } else if (theirs != nullptr) {
      RETURN_IF_ERROR(list(merged, theirs->as_array(), meta, false));
    }
    if (!meta.merge_key.empty()) RETURN_IF_ERROR(check_keys(merged, meta.merge_key));
    original[field] = order_elements(merged, order, server, meta.merge_key);
    return {};
  }

  // The elements of the patch must come in the order the patch states.
  static Status check_order(const json::array& patch, const json::array& order,
                            std::string_view key) {
    if (patch.empty() || order.empty()) return {};
    std::size_t i = 0;
    std::size_t j = 0;
    const auto directive = [&](const json::value& v) {
      return v.is_object() && v.as_object().contains(kDirective);
    };
    while (i < patch.size() && j < order.size()) {
      if (directive(patch[i])) {
        ++i;
        continue;
      }
      json::array one;
      one.push_back(order[j]);
      if (index_of(one, patch[i], key) == 0) ++i;
      ++j;
    }
    while (i < patch.size() && directive(patch[i])) ++i;
    if (i == patch.size()) return {};
    return failed_precondition("The order in patch list:\n" + go_text(json::value(patch)) +
                               "\n doesn't match $setElementOrder list:\n" +
                               go_text(json::value(order)) + "\n");
  }

  Status member(json::object& original, std::string_view key, const json::value& value,
                const Schema* schema) {
    bool delete_list = false;
    if (key.starts_with(kDeletePrimitives)) {
      if (!apply_) {
        original[key] = value;
        return {};
      }
      key.remove_prefix(kDeletePrimitives.size());
      delete_list = true;
    }
    if (value.is_null()) {
      if (apply_) {
        erase_key(original, key);
        return {};
      }
      original[key] = nullptr;
      return {};
    }
    json::value* mine = find_member(original, key);
    const bool same_shape = mine != nullptr && ((mine->is_object() && value.is_object()) ||
                                                (mine->is_array() && value.is_array()));
    if (!same_shape) {
      if (delete_list) return {};
      json::value added;
      if (cleaned(value, added)) {
        original[key] = std::move(added);
      } else {
        erase_key(original, key);
      }
      return {};
    }
    if (value.is_object()) {
      const FieldMeta meta = map_field(schema, key);
      if (meta.replace && !value.as_object().contains(kDirective)) {
        *mine = value;
        return {};
      }
      return map(mine->as_object(), value.as_object(), meta.schema);
    }
    return list(mine->as_array(), value.as_array(), list_field(schema, key), delete_list);
  }

  Status list(json::array& original, const json::array& patch, const FieldMeta& meta,
              bool delete_list) {
    if (!meta.merge && !delete_list) {
      original = patch;
      return {};
    }
    if (original.empty() && patch.empty()) return {};
    ASSIGN_OR_RETURN(const bool objects, holds_objects(original, patch));
    if (!objects) {
      scalars(original, patch, delete_list);
      return {};
    }
    if (meta.merge_key.empty()) {
      return failed_precondition("cannot merge lists without merge key for " +
                                 std::string(meta.schema ? meta.schema->short_name() : ""));
    }
    return keyed(original, patch, meta);
  }

  static void scalars(json::array& original, const json::array& patch, bool delete_list) {
    json::array merged;
    for (const json::value& v : original) {
      const bool gone = delete_list && index_of(patch, v, {}) >= 0;
      if (!gone && (delete_list || index_of(merged, v, {}) < 0)) merged.push_back(v);
    }
    if (delete_list) {
      original = std::move(merged);
      return;
    }
    for (const json::value& v : patch) {
      if (index_of(merged, v, {}) < 0) merged.push_back(v);
    }
    original = order_elements(merged, patch, original, {});
  }

  Status keyed(json::array& original, const json::array& patch, const FieldMeta& meta) {
    const std::string_view key = meta.merge_key;
    json::array merged = original;
    json::array wanted;
    bool replace = false;
    for (const json::value& item : patch) {
      const json::value* directive = find_keys(item, {kDirective});
      if (directive == nullptr) {
        wanted.push_back(item);
      } else if (*directive == "delete") {
        if (!item.as_object().contains(key)) return no_merge_key(item, key);
        for (int i = index_of(merged, item, key); i >= 0; i = index_of(merged, item, key)) {
          merged.erase(merged.begin() + i);
        }
      } else if (*directive == "replace") {
        replace = true;
      } else if (*directive == "merge") {
        return failed_precondition("merging lists cannot yet be specified in the patch");
      } else {
        return failed_precondition("unknown patch type: " + go_text(*directive) +
                                   " in map: " + go_text(item));
      }
    }
    if (replace) {
      original = std::move(wanted);
      return {};
    }
    RETURN_IF_ERROR(check_keys(wanted, key));
    for (const json::value& item : wanted) {
      const int at = index_of(merged, item, key);
      if (at < 0) {
        json::value added;
        if (cleaned(item, added)) merged.push_back(std::move(added));
      } else {
        json::value& target = merged[static_cast<std::size_t>(at)];
        RETURN_IF_ERROR(map(target.as_object(), item.as_object(), meta.schema));
      }
    }
    RETURN_IF_ERROR(check_keys(merged, key));
    original = order_elements(merged, wanted, original, key);
    return {};
  }

  // A copy of a part that is new to the object: without directives (and nulls, when applying).
  // False when the whole part is a directive.
  bool cleaned(const json::value& in, json::value& out) const {
    if (const json::object* object = in.if_object()) {
      if (object->contains(kDirective)) return false;
      json::object copy;
      for (const auto& [name, value] : *object) {
        const std::string_view key = name;
        const bool directive =
            key == kRetainKeys || key.starts_with(kSetOrder) || key.starts_with(kDeletePrimitives);
        if (apply_ && (directive || value.is_null())) continue;
        json::value member;
        if (cleaned(value, member)) copy[key] = std::move(member);
      }
      out = std::move(copy);
      return true;
    }
    if (const json::array* array = in.if_array()) {
      json::array copy;
      for (const json::value& value : *array) {
        json::value item;
        if (cleaned(value, item)) copy.push_back(std::move(item));
      }
      out = std::move(copy);
      return true;
    }
    out = in;
    return true;
  }

  bool apply_;
};

}  // namespace

Status merge_map(json::object& original, const json::object& patch, const Schema* schema,
                 MergeMode mode) {
  return Merger(mode).map(original, patch, schema);
}

}  // namespace coracle::api::strategic
