// How errors about a definition show its parts: as upstream's own structs, whose members have Go's
// names and are all there, set or not.
#include <algorithm>

#include "api/validation/checks.hpp"
#include "api/validation/custom_schema.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;

constexpr int kDepthMax = 100;

json::value or_null(const json::value& s, std::string_view key) {
  const json::value* value = member(s, key);
  return value == nullptr ? json::value(nullptr) : *value;
}

json::value or_empty(const json::value& s, std::string_view key) {
  const json::value* value = member(s, key);
  return value == nullptr ? json::value("") : *value;
}

json::value or_false(const json::value& s, std::string_view key) { return get_bool(s, key); }

json::value schema(const json::value& s, int depth);

json::value schemas(const json::value& s, std::string_view key, int depth) {
  const json::value* list = member(s, key);
  if (list == nullptr || !list->is_array()) return nullptr;
  json::array out;
  for (const json::value& one : list->get_array()) out.push_back(schema(one, depth));
  return out;
}

json::value named_schemas(const json::value& s, std::string_view key, int depth) {
  const json::value* map = member(s, key);
  if (map == nullptr || !map->is_object()) return nullptr;
  json::object out;
  for (const std::string& name : checks::sorted_names(map->get_object())) {
    out[name] = schema(map->get_object().at(name), depth);
  }
  return out;
}

json::value schema_or_bool(const json::value& s, std::string_view key, int depth) {
  const json::value* value = member(s, key);
  if (value == nullptr) return nullptr;
  json::object out;
  out["Allows"] = value->is_bool() ? value->get_bool() : true;
  out["Schema"] = value->is_object() ? schema(*value, depth) : json::value(nullptr);
  return out;
}

json::value items(const json::value& s, int depth) {
  const json::value* value = member(s, "items");
  if (value == nullptr) return nullptr;
  json::object out;
  out["Schema"] = value->is_object() ? schema(*value, depth) : json::value(nullptr);
  out["JSONSchemas"] = schemas(s, "items", depth);
  return out;
}

json::value rules(const json::value& s) {
  const json::value* list = member(s, "x-kubernetes-validations");
  if (list == nullptr || !list->is_array()) return nullptr;
  json::array out;
  for (const json::value& rule : list->get_array()) out.push_back(shown_rule(rule));
  return out;
}

json::value schema(const json::value& s, int depth) {
  if (depth > kDepthMax) return nullptr;
  const int next = depth + 1;
  json::object out;
  out["ID"] = or_empty(s, "id");
  out["Schema"] = or_empty(s, "$schema");
  out["Ref"] = or_null(s, "$ref");
  out["Description"] = or_empty(s, "description");
  out["Type"] = or_empty(s, "type");
  out["Nullable"] = or_false(s, "nullable");
  out["Format"] = or_empty(s, "format");
  out["Title"] = or_empty(s, "title");
  out["Default"] = or_null(s, "default");
  out["Maximum"] = or_null(s, "maximum");
  out["ExclusiveMaximum"] = or_false(s, "exclusiveMaximum");
  out["Minimum"] = or_null(s, "minimum");
  out["ExclusiveMinimum"] = or_false(s, "exclusiveMinimum");
  out["MaxLength"] = or_null(s, "maxLength");
  out["MinLength"] = or_null(s, "minLength");
  out["Pattern"] = or_empty(s, "pattern");
  out["MaxItems"] = or_null(s, "maxItems");
  out["MinItems"] = or_null(s, "minItems");
  out["UniqueItems"] = or_false(s, "uniqueItems");
  for (const auto& [name, key] :
       {std::pair("MultipleOf", "multipleOf"), std::pair("Enum", "enum"),
        std::pair("MaxProperties", "maxProperties"), std::pair("MinProperties", "minProperties"),
        std::pair("Required", "required")}) {
    out[name] = or_null(s, key);
  }
  out["Items"] = items(s, next);
  out["AllOf"] = schemas(s, "allOf", next);
  out["OneOf"] = schemas(s, "oneOf", next);
  out["AnyOf"] = schemas(s, "anyOf", next);
  const json::value* never = member(s, "not");
  out["Not"] = never == nullptr ? json::value(nullptr) : schema(*never, next);
  out["Properties"] = named_schemas(s, "properties", next);
  out["AdditionalProperties"] = schema_or_bool(s, "additionalProperties", next);
  out["PatternProperties"] = named_schemas(s, "patternProperties", next);
  out["Dependencies"] = or_null(s, "dependencies");
  out["AdditionalItems"] = schema_or_bool(s, "additionalItems", next);
  out["Definitions"] = named_schemas(s, "definitions", next);
  out["ExternalDocs"] = or_null(s, "externalDocs");
  out["Example"] = or_null(s, "example");
  out["XPreserveUnknownFields"] = or_null(s, "x-kubernetes-preserve-unknown-fields");
  out["XEmbeddedResource"] = or_false(s, "x-kubernetes-embedded-resource");
  out["XIntOrString"] = or_false(s, "x-kubernetes-int-or-string");
  out["XListMapKeys"] = or_null(s, "x-kubernetes-list-map-keys");
  out["XListType"] = or_null(s, "x-kubernetes-list-type");
  out["XMapType"] = or_null(s, "x-kubernetes-map-type");
  out["XValidations"] = rules(s);
  return out;
}

json::value subresources(const json::value& version) {
  const json::value* found = member(version, "subresources");
  if (found == nullptr) return nullptr;
  const json::value* scale = member(*found, "scale");
  json::object out;
  out["Status"] = member(*found, "status") == nullptr ? json::value(nullptr) : json::object();
  out["Scale"] = scale == nullptr
                     ? json::value(nullptr)
                     : checks::go_struct(
                           *scale, {"specReplicasPath", "statusReplicasPath", "labelSelectorPath"});
  return out;
}

json::value columns(const json::value& version) {
  const json::value* list = member(version, "additionalPrinterColumns");
  if (list == nullptr || !list->is_array()) return nullptr;
  json::array out;
  for (const json::value& column : list->get_array()) {
    json::object shown;
    for (const auto& [name, key] :
         {std::pair("Name", "name"), std::pair("Type", "type"), std::pair("Format", "format"),
          std::pair("Description", "description")}) {
      shown[name] = or_empty(column, key);
    }
    shown["Priority"] = get_int(column, "priority");
    shown["JSONPath"] = or_empty(column, "jsonPath");
    out.push_back(std::move(shown));
  }
  return out;
}

json::value selectable(const json::value& version) {
  const json::value* list = member(version, "selectableFields");
  if (list == nullptr || !list->is_array()) return nullptr;
  json::array out;
  for (const json::value& field : list->get_array()) {
    out.push_back(json::object({{"JSONPath", or_empty(field, "jsonPath")}}));
  }
  return out;
}

}  // namespace

json::value shown_rule(const json::value& rule) {
  json::object out;
  out["Rule"] = or_empty(rule, "rule");
  out["Message"] = or_empty(rule, "message");
  out["MessageExpression"] = or_empty(rule, "messageExpression");
  out["Reason"] = or_null(rule, "reason");
  out["FieldPath"] = or_empty(rule, "fieldPath");
  out["OptionalOldSelf"] = or_null(rule, "optionalOldSelf");
  return out;
}

json::value shown_schema(const json::value& s) { return schema(s, 0); }

json::value shown_version(const json::value& version) {
  json::object out;
  out["Name"] = or_empty(version, "name");
  out["Served"] = or_false(version, "served");
  out["Storage"] = or_false(version, "storage");
  out["Deprecated"] = or_false(version, "deprecated");
  out["DeprecationWarning"] = or_null(version, "deprecationWarning");
  const json::value* validation = member(version, "schema");
  if (validation == nullptr) {
    out["Schema"] = nullptr;
  } else {
    const json::value* inner = member(*validation, "openAPIV3Schema");
    out["Schema"] = json::object(
        {{"OpenAPIV3Schema", inner == nullptr ? json::value(nullptr) : shown_schema(*inner)}});
  }
  out["Subresources"] = subresources(version);
  out["AdditionalPrinterColumns"] = columns(version);
  out["SelectableFields"] = selectable(version);
  return out;
}

}  // namespace coracle::api::validation
