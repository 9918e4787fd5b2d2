// The Swagger document as the protobuf message openapi.v2.Document (field numbers of gnostic's
// OpenAPIv2.proto). Only what openapi_v2 writes is known here.
#include <cstring>

#include "api/openapi.hpp"
#include "base/yaml.hpp"

namespace coracle::api {

namespace {

void varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void bytes(std::string& out, int field, std::string_view value) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 2);
  varint(out, value.size());
  out += value;
}

void boolean(std::string& out, int field, bool value) {
  if (!value) return;
  varint(out, static_cast<std::uint64_t>(field) << 3);
  out.push_back(1);
}

void number(std::string& out, int field, std::int64_t value) {
  if (value == 0) return;
  varint(out, static_cast<std::uint64_t>(field) << 3);
  varint(out, static_cast<std::uint64_t>(value));
}

void real(std::string& out, int field, double value) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 1);
  std::uint64_t bits = 0;
  static_assert(sizeof(bits) == sizeof(value));
  std::memcpy(&bits, &value, sizeof(bits));
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(bits >> (8 * i)));
}

// Any {2 yaml}
std::string any(const json::value& value) {
  std::string out;
  bytes(out, 2, to_yaml(value));
  return out;
}

// NamedX {1 name, 2 value}
std::string named(std::string_view name, const std::string& value) {
  std::string out;
  bytes(out, 1, name);
  bytes(out, 2, value);
  return out;
}

std::string_view text(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

std::string schema(const json::value& in);

void schema_member(std::string& out, std::string_view name, const json::value& v) {
  struct Text {
    std::string_view name;
    int field;
  };
  static constexpr Text kTexts[] = {
      {"$ref", 1}, {"format", 2}, {"title", 3}, {"description", 4}, {"pattern", 13}};
  static constexpr Text kLimits[] = {{"maxLength", 11},     {"minLength", 12},
                                     {"maxItems", 14},      {"minItems", 15},
                                     {"maxProperties", 17}, {"minProperties", 18}};
  static constexpr Text kReals[] = {{"multipleOf", 6}, {"maximum", 7}, {"minimum", 9}};
  for (const Text& one : kTexts) {
    if (one.name == name) return bytes(out, one.field, text(v));
  }
  for (const Text& one : kLimits) {
    if (one.name == name && v.is_number()) return number(out, one.field, v.to_number<int>());
  }
  for (const Text& one : kReals) {
    if (one.name == name && v.is_number()) return real(out, one.field, v.to_number<double>());
  }
  std::string part;
  if (name == "default") {
    bytes(out, 5, any(v));
  } else if (name == "required" && v.is_array()) {
    for (const json::value& one : v.get_array()) bytes(out, 19, text(one));
  } else if (name == "enum" && v.is_array()) {
    for (const json::value& one : v.get_array()) bytes(out, 20, any(one));
  } else if (name == "additionalProperties") {
    if (v.is_object()) bytes(part, 1, schema(v));
    if (v.is_bool()) boolean(part, 2, v.get_bool());
    bytes(out, 21, part);
  } else if (name == "type") {
    bytes(part, 1, text(v));
    bytes(out, 22, part);
  } else if (name == "items") {
    bytes(part, 1, schema(v));
    bytes(out, 23, part);
  } else if (name == "properties" && v.is_object()) {
    for (const auto& [key, value] : v.get_object()) bytes(part, 1, named(key, schema(value)));
    bytes(out, 25, part);
  } else if (name.starts_with("x-")) {
    bytes(out, 31, named(name, any(v)));
  }
}

std::string schema(const json::value& in) {
  std::string out;
  if (!in.is_object()) return out;
  for (const auto& [name, value] : in.get_object()) schema_member(out, name, value);
  return out;
}

// Parameter {2 non_body}, NonBodyParameter {3 query}, QueryParameter.
std::string parameter(const json::value& in) {
  std::string query;
  bytes(query, 2, "query");
  bytes(query, 4, get_string(in, "name"));
  bytes(query, 6, "string");
  std::string non_body;
  bytes(non_body, 3, query);
  std::string choice;
  bytes(choice, 2, non_body);
  std::string item;  // ParametersItem {1 parameter}
  bytes(item, 1, choice);
  return item;
}

std::string operation(const json::value& in) {
  std::string out;
  bytes(out, 5, get_string(in, "operationId"));
  for (const json::value& type : get_array(in, "consumes")) bytes(out, 7, text(type));
  for (const json::value& one : get_array(in, "parameters")) bytes(out, 8, parameter(one));
  // Responses {1 {1 name, 2 {1 response {1 description}}}}
  std::string description;
  bytes(description, 1, "OK");
  std::string value;
  bytes(value, 1, description);
  std::string responses;
  bytes(responses, 1, named("200", value));
  bytes(out, 9, responses);
  for (const auto& [name, member] : in.as_object()) {
    if (std::string_view(name).starts_with("x-")) bytes(out, 13, named(name, any(member)));
  }
  return out;
}

std::string path_item(const json::value& in) {
  std::string out;
  for (const auto& [method, body] : in.as_object()) {
    if (method == "post") bytes(out, 4, operation(body));
    if (method == "patch") bytes(out, 8, operation(body));
  }
  return out;
}

}  // namespace

std::string openapi_v2_protobuf(const json::value& document) {
  std::string out;
  bytes(out, 1, "2.0");
  std::string info;
  bytes(info, 1, get_string(document, "info.title"));
  bytes(info, 2, get_string(document, "info.version"));
  bytes(out, 2, info);
  std::string paths;
  for (const auto& [path, item] : get_object(document, "paths")) {
    bytes(paths, 2, named(path, path_item(item)));
  }
  bytes(out, 8, paths);
  std::string definitions;
  for (const auto& [name, body] : get_object(document, "definitions")) {
    bytes(definitions, 1, named(name, schema(body)));
  }
  bytes(out, 9, definitions);
  return out;
}

}  // namespace coracle::api
