// check_configuration: whether an applied configuration fits its schema.
#include <algorithm>

#include "api/field_set.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

class Checks {
 public:
  explicit Checks(std::vector<std::string>& out) : out_(out) {}

  void walk(const json::value& value, const Schema* schema, const std::string& path) {
    if (value.is_null() || schema == nullptr) return;
    if (schema->well_known == WellKnown::kRawExtension || schema->type == SchemaType::kAny) return;
    switch (schema->type) {
      case SchemaType::kObject:
      case SchemaType::kMap:
        if (!value.is_object()) return say(path, "expected map, got &{" + to_json(value) + "}");
        return map(value.get_object(), *schema, path);
      case SchemaType::kArray:
        if (!value.is_array()) return say(path, "expected list, got &{" + to_json(value) + "}");
        return list(value.get_array(), *schema, path);
      case SchemaType::kString:
        if (schema->well_known == WellKnown::kQuantity && value.is_number()) return;
        if (!value.is_string()) {
          say(path, "expected string, got &value.valueUnstructured{Value:" + to_json(value) + "}");
        }
        return;
      case SchemaType::kInteger:
      case SchemaType::kNumber:
        if (!value.is_number()) {
          say(path, "expected numeric (int or float), got " + std::string(go_type(value)));
        }
        return;
      case SchemaType::kBoolean:
        if (!value.is_bool()) say(path, "expected boolean, got &{" + to_json(value) + "}");
        return;
      default:
        return;
    }
  }

 private:
  static std::string_view go_type(const json::value& value) {
    if (value.is_string()) return "string";
    if (value.is_bool()) return "bool";
    return value.is_object() ? "map[string]interface {}" : "[]interface {}";
  }

  void say(const std::string& path, const std::string& why) {
    out_.push_back(path.empty() ? why : path + ": " + why);
  }

  void map(const json::object& object, const Schema& schema, const std::string& path) {
    for (const auto& member : object) {
      bool declared = false;
      const Schema* below = field_member(&schema, member.key(), &declared);
      const std::string here = path + "." + std::string(member.key());
      if (!declared && schema.type == SchemaType::kObject && !schema.preserve_unknown) {
        return say(here, "field not declared in schema");
      }
      walk(member.value(), below, here);
    }
  }

  void list(const json::array& items, const Schema& schema, const std::string& path) {
    const bool keyed = schema.list_type == ListType::kMap && !schema.list_map_keys.empty();
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::string here = path + "[" + std::to_string(i) + "]";
      if (keyed || schema.list_type == ListType::kSet) {
        const std::string name = field_element(schema, items[i]);
        if (name.empty()) return say(path, element_fault(items[i], schema, i));
        here = path + field_path_text({name});
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
          say(path, "duplicate entries for key " + field_path_text({name}));
        }
        seen.push_back(name);
      }
      walk(items[i], schema.items, here);
    }
  }

  static std::string element_fault(const json::value& item, const Schema& schema, std::size_t i) {
    const std::string prefix = "element " + std::to_string(i) + ": ";
    if (item.is_null()) {
      return prefix + "associative list with keys may not have a null element";
    }
    if (!item.is_object()) {
      return prefix + "associative list with keys may not have non-map elements";
    }
    std::string missing;
    for (const std::string& key : schema.list_map_keys) {
      if (find_keys(item, {key}) == nullptr) missing = key;
    }
    return prefix + "associative list with keys has an element that omits key field " +
           quoted(missing) + " (and doesn't have default value)";
  }

  std::vector<std::string>& out_;
};

}  // namespace

std::vector<std::string> check_configuration(const json::value& config, const Schema& schema) {
  std::vector<std::string> out;
  Checks(out).walk(config, &schema, "");
  return out;
}

}  // namespace coracle::api
