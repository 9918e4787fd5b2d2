// OpenAPI v2 from the v3 documents: other names for the same things, and without what v2 cannot
// say (oneOf, anyOf, not, nullable).
#include <algorithm>

#include "api/custom_kind.hpp"
#include "api/openapi.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kV3 = "#/components/schemas/";

bool dropped(std::string_view keyword) {
  static constexpr std::string_view kNot[] = {"oneOf", "anyOf", "not", "nullable"};
  return std::find(std::begin(kNot), std::end(kNot), keyword) != std::end(kNot);
}

json::value schema_v2(const json::value& in);

json::object members_v2(const json::object& in) {
  json::object out;
  for (const auto& [name, schema] : in) out[name] = schema_v2(schema);
  return out;
}

json::value schema_v2(const json::value& in) {
  if (!in.is_object()) return in;
  json::object out;
  for (const auto& [name, value] : in.get_object()) {
    if (dropped(name)) continue;
    if (name == "properties" && value.is_object()) {
      out[name] = members_v2(value.get_object());
    } else if (name == "items" || name == "additionalProperties") {
      out[name] = schema_v2(value);
    } else if (name == "allOf") {
      // {allOf: [{$ref}]} is how v3 writes a reference with a description beside it.
      const std::string_view ref = value.is_array() && value.get_array().size() == 1
                                       ? get_string(value.get_array()[0], "$ref")
                                       : std::string_view();
      if (!ref.empty()) out["$ref"] = "#/definitions/" + std::string(ref.substr(kV3.size()));
    } else {
      out[name] = value;
    }
  }
  // What was "one of string and number" is a text to old clients.
  if (in.get_object().contains("oneOf") && !out.contains("type")) out["type"] = "string";
  return out;
}

json::object operation_v2(const json::value& in, std::string_view id) {
  json::object out;
  out["operationId"] = id;
  json::array consumes;
  for (const auto& [type, schema] : get_object(in, "requestBody.content")) consumes.push_back(type);
  out["consumes"] = std::move(consumes);
  json::array parameters;
  // Old clients ask for a dry run, and for strict decoding, only where they find these named.
  for (const char* name : {"dryRun", "fieldValidation"}) {
    json::object parameter;
    parameter["name"] = name;
    parameter["in"] = "query";
    parameter["type"] = "string";
    parameter["uniqueItems"] = true;
    parameters.push_back(std::move(parameter));
  }
  out["parameters"] = std::move(parameters);
  json::object good;
  good["description"] = "OK";
  out["responses"].emplace_object()["200"] = std::move(good);
  for (const char* key : {"x-kubernetes-action", "x-kubernetes-group-version-kind"}) {
    if (const json::value* value = find_keys(in, {key})) out[key] = *value;
  }
  return out;
}

}  // namespace

json::value openapi_v2(const Catalog& catalog) {
  json::object paths, definitions;
  for (const GroupInfo& group : catalog.all_groups()) {
    for (const std::string& version : group.versions) {
      const json::value v3 = openapi_document(catalog, group.name, version);
      for (const auto& [path, item] : get_object(v3, "paths")) {
        json::object out;
        for (const auto& [method, operation] : item.as_object()) {
          const std::string id = std::string(method) + "_" + std::string(path);
          out[method] = operation_v2(operation, id);
        }
        paths[path] = std::move(out);
      }
      for (const auto& [name, schema] : get_object(v3, "components.schemas")) {
        // A type may be in many documents; the one where it is a kind says more.
        const bool kind = schema.as_object().contains("x-kubernetes-group-version-kind");
        if (kind || !definitions.contains(name)) definitions[name] = schema_v2(schema);
      }
    }
  }
  json::object info;
  info["title"] = "Kubernetes";
  info["version"] = "v1.36.0";
  json::object out;
  out["swagger"] = "2.0";
  out["info"] = std::move(info);
  out["paths"] = std::move(paths);
  out["definitions"] = std::move(definitions);
  return out;
}

}  // namespace coracle::api
