// validate_structure: the rules a schema itself states.
#include <algorithm>
#include <regex>
#include <set>

#include "api/validate.hpp"

namespace coracle::api {

namespace {

class Checker {
 public:
  Checker(StructureRules rules, FieldErrors& errors) : rules_(rules), errors_(errors) {}

  void object_members(const json::object& members, const Schema& schema, const FieldPath& path,
                      bool top) {
    if (custom()) {
      for (const Property& property : schema.properties) one(members, property, path, top);
    } else {
      for (const std::uint16_t place : schema.ruled) {
        one(members, schema.properties[place], path, top);
      }
    }
  }

 private:
  void one(const json::object& members, const Property& property, const FieldPath& path, bool top) {
    if (top && skipped(property.name)) return;
    if (property.schema->well_known == WellKnown::kObjectMeta) return;
    const json::value* member = find_member(members, property.name);
    if (property.required && lacks(member, property)) {
      errors_.required(path.child(property.name));
    } else if (member != nullptr && worth(*member, *property.schema)) {
      value(*member, *property.schema, path.child(property.name));
    }
  }

  bool custom() const { return rules_ == StructureRules::kCustom; }

  bool skipped(std::string_view name) const {
    return name == "metadata" || name == "apiVersion" || name == "kind" ||
           (name == "status" && !custom());
  }

  bool lacks(const json::value* member, const Property& property) const {
    if (custom()) return member == nullptr;
    if (!property.is_required_text()) return false;
    return member == nullptr || (member->is_string() && member->as_string().empty());
  }

  // Scalars without rules are the most of an object: do not build their paths.
  bool worth(const json::value& member, const Schema& schema) const {
    if (member.is_object() || member.is_array()) return custom() || schema.has_rules;
    return schema.has_own_rules();
  }

  void value(const json::value& v, const Schema& schema, const FieldPath& path) {
    if (const json::object* members = v.if_object()) {
      if (schema.type == SchemaType::kObject) {
        object_members(*members, schema, path, false);
      } else if (schema.type == SchemaType::kMap && has_rules(*schema.items)) {
        for (const auto& [key, item] : *members) value(item, *schema.items, path.key(key));
      }
      return;
    }
    if (const json::array* items = v.if_array()) {
      if (schema.items == nullptr) return;
      if (custom()) unique(*items, schema, path);
      if (!has_rules(*schema.items)) return;
      for (std::size_t i = 0; i < items->size(); ++i) {
        value((*items)[i], *schema.items, path.index(i));
      }
      return;
    }
    if (v.is_number()) number(v, schema, path);
    if (v.is_string()) text(v, schema, path);
  }

  bool has_rules(const Schema& schema) const {
    if (!custom()) return schema.has_rules;
    return schema.type == SchemaType::kObject || schema.type == SchemaType::kMap ||
           schema.type == SchemaType::kArray || schema.has_own_rules();
  }

  void number(const json::value& v, const Schema& schema, const FieldPath& path) {
    const double number = v.to_number<double>();
    const auto bound = [](double b) { return to_json(json::value(static_cast<std::int64_t>(b))); };
    if (schema.minimum && number < *schema.minimum) {
      errors_.invalid(path, v, "must be greater than or equal to " + bound(*schema.minimum));
    }
    if (schema.maximum && number > *schema.maximum) {
      errors_.invalid(path, v, "must be less than or equal to " + bound(*schema.maximum));
    }
  }

  void text(const json::value& v, const Schema& schema, const FieldPath& path) {
    const std::string_view text = v.as_string();
    if (!schema.enum_values.empty()) {
      const auto& allowed = schema.enum_values;
      const bool known = std::find(allowed.begin(), allowed.end(), text) != allowed.end();
      if (!known && (custom() || !text.empty())) errors_.not_supported(path, v, allowed);
    }
    const auto size = static_cast<std::int64_t>(text.size());
    if (schema.max_length && size > *schema.max_length) {
      errors_.too_long(path, static_cast<int>(*schema.max_length));
    }
    if (schema.min_length && size < *schema.min_length) {
      errors_.invalid(path, v,
                      "should be at least " + std::to_string(*schema.min_length) + " chars long");
    }
    if (!schema.pattern.empty() && (custom() || !text.empty())) pattern(v, schema, path);
  }

  void pattern(const json::value& v, const Schema& schema, const FieldPath& path) {
    bool good = false;
    try {
      const std::regex regex(schema.pattern, std::regex::ECMAScript);
      good = std::regex_search(std::string(v.as_string()), regex);
    } catch (const std::regex_error&) {
      good = true;  // a pattern of another dialect forbids nothing
    }
    if (!good) {
      errors_.invalid(path, v, "should match '" + schema.pattern + "'");
    }
  }

  void unique(const json::array& items, const Schema& schema, const FieldPath& path) {
    if (schema.list_type == ListType::kAtomic) return;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < items.size(); ++i) {
      json::value key = items[i];
      if (schema.list_type == ListType::kMap) {
        json::object keys;
        for (const std::string& name : schema.list_map_keys) {
          if (const json::value* part = find_keys(items[i], {name})) keys[name] = *part;
        }
        key = std::move(keys);
      }
      if (!seen.insert(to_json(key)).second) errors_.duplicate(path.index(i), std::move(key));
    }
  }

  StructureRules rules_;
  FieldErrors& errors_;
};

}  // namespace

void validate_structure(const json::value& object, const Schema& schema, StructureRules rules,
                        FieldErrors& errors) {
  const json::object* members = object.if_object();
  if (members == nullptr) return;
  Checker(rules, errors).object_members(*members, schema, FieldPath(), true);
}

}  // namespace coracle::api
