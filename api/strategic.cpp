#include "api/strategic.hpp"

#include <algorithm>

namespace coracle::api::strategic {

namespace {

const Schema* member_schema(const Schema* parent, std::string_view name) {
  if (parent == nullptr) return nullptr;
  if (parent->type == SchemaType::kMap) return parent->items;
  const Property* property = parent->find(name);
  return property == nullptr ? nullptr : property->schema;
}

std::string_view type_name(const json::value& value) {
  if (value.is_object()) return "map[string]interface {}";
  if (value.is_array()) return "[]interface {}";
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  if (value.is_null()) return "%!s(<nil>)";
  return value.is_double() ? "float64" : "int64";
}

}  // namespace

FieldMeta map_field(const Schema* parent, std::string_view name) {
  const Schema* schema = member_schema(parent, name);
  if (schema == nullptr) return {};
  return {schema, {}, false, schema->patch_replace, schema->patch_retain_keys};
}

FieldMeta list_field(const Schema* parent, std::string_view name) {
  const Schema* schema = member_schema(parent, name);
  if (schema == nullptr) return {};
  return {schema->items, schema->merge_key, schema->patch_merge, !schema->patch_merge,
          schema->patch_retain_keys};
}

std::string go_text(const json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_null()) return "<nil>";
  if (const json::array* array = value.if_array()) {
    std::string out = "[";
    for (const json::value& item : *array) {
      if (out.size() > 1) out += ' ';
      out += go_text(item);
    }
    return out + "]";
  }
  if (const json::object* object = value.if_object()) {
    std::vector<std::string> parts;
    for (const auto& [key, member] : *object) {
      parts.push_back(std::string(key) + ":" + go_text(member));
    }
    std::sort(parts.begin(), parts.end());
    std::string out = "map[";
    for (const std::string& part : parts) {
      if (out.size() > 4) out += ' ';
      out += part;
    }
    return out + "]";
  }
  return to_json(value);
}

Status bad_type(std::string_view expected, const json::value& actual) {
  return failed_precondition("expected a " + std::string(expected) + ", but received a " +
                             std::string(type_name(actual)));
}

Status no_merge_key(const json::value& item, std::string_view key) {
  return failed_precondition("map: " + go_text(item) +
                             " does not contain declared merge key: " + std::string(key));
}

int index_of(const json::array& list, const json::value& item, std::string_view key) {
  const auto value_of = [&](const json::value& v) -> const json::value* {
    return key.empty() ? &v : find_keys(v, {key});
  };
  const json::value* wanted = value_of(item);
  if (wanted == nullptr) return -1;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json::value* candidate = value_of(list[i]);
    if (candidate != nullptr && *candidate == *wanted) return static_cast<int>(i);
  }
  return -1;
}

Status check_keys(const json::array& list, std::string_view key) {
  for (const json::value& item : list) {
    if (!item.is_object()) return bad_type("map[string]interface {}", item);
    if (!item.as_object().contains(key)) return no_merge_key(item, key);
  }
  return {};
}

Result<bool> holds_objects(const json::array& a, const json::array& b) {
  bool objects = false;
  bool scalars = false;
  for (const json::array* list : {&a, &b}) {
    for (const json::value& item : *list) {
      if (item.is_array()) return failed_precondition("lists of lists are not supported");
      (item.is_object() ? objects : scalars) = true;
    }
  }
  if (objects && scalars) {
    return failed_precondition("list element types are not identical");
  }
  return objects;
}

json::array order_elements(const json::array& merged, const json::array& patch_order,
                           const json::array& server_order, std::string_view key) {
  struct Item {
    const json::value* value;
    int rank;
  };
  std::vector<Item> patch;
  std::vector<Item> server;
  for (const json::value& item : merged) {
    const int rank = index_of(patch_order, item, key);
    if (rank >= 0) {
      patch.push_back({&item, rank});
    } else {
      server.push_back({&item, index_of(server_order, item, key)});
    }
  }
  const auto by_rank = [](const Item& a, const Item& b) { return a.rank < b.rank; };
  std::sort(patch.begin(), patch.end(), by_rank);
  std::sort(server.begin(), server.end(), by_rank);
  json::array out;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < server.size() || j < patch.size()) {
    bool take_server = j >= patch.size();
    if (i < server.size() && j < patch.size()) {
      const int right = index_of(server_order, *patch[j].value, key);
      take_server = server[i].rank >= 0 && right >= 0 && server[i].rank < right;
    }
    out.push_back(take_server ? *server[i++].value : *patch[j++].value);
  }
  return out;
}

}  // namespace coracle::api::strategic
