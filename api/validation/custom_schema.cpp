#include "api/validation/custom_schema.hpp"

#include <algorithm>
#include <set>

#include "api/custom_schema.hpp"
#include "api/validation/checks.hpp"
#include "base/regex.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr int kDepthMax = 100;

enum class Level { kRoot, kItem, kField };

bool flag(const json::value& in, std::string_view key) {
  const json::value* v = member(in, key);
  return v != nullptr && v->is_bool() && v->get_bool();
}

const json::object* object_at(const json::value& in, std::string_view key) {
  const json::value* v = member(in, key);
  return v == nullptr ? nullptr : v->if_object();
}

const json::array& array_at(const json::value& in, std::string_view key) {
  static const json::array kNone;
  const json::value* v = member(in, key);
  return v != nullptr && v->is_array() ? v->get_array() : kNone;
}

// anyOf: [{type: integer}, {type: string}] is the one place where types may be in logic.
bool int_or_string_branches(const json::array& any_of) {
  return any_of.size() == 2 && to_json(any_of[0]) == R"({"type":"integer"})" &&
         to_json(any_of[1]) == R"({"type":"string"})";
}

bool has_newlines(std::string_view text) { return text.find_first_of("\n\r") != text.npos; }

class Checker {
 public:
  explicit Checker(FieldErrors& errors) : errors_(errors) {}

  void schema(const json::value& s, Level level, bool in_meta, const FieldPath& path, int depth) {
    if (depth > kDepthMax) {
      errors_.forbidden(path, "nested too deep");
      return;
    }
    forbidden_keywords(s, path);
    types(s, level, path);
    children(s, level, in_meta, path, depth);
    extensions(s, path);
    list_type(s, path);
    rules(s, path);
    logic(s, path, depth, false);
    if (level == Level::kRoot || flag(s, "x-kubernetes-embedded-resource")) meta(s, level, path);
  }

 private:
  void forbidden_keywords(const json::value& s, const FieldPath& path) {
    static const std::vector<std::string> kTypes = {"array",  "boolean", "integer",
                                                    "number", "object",  "string"};
    const std::string_view type = text_of(s, "type");
    if (type == "null") {
      errors_.forbidden(path.child("type"),
                        "type cannot be set to null, use nullable as an alternative");
    } else if (!type.empty() && std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
      errors_.not_supported(path.child("type"), type, kTypes);
    }
    for (const std::string_view key :
         {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
      if (!checks::is_empty(member(s, key))) {
        errors_.forbidden(path.child(key), std::string(key) + " is not supported");
      }
    }
    if (flag(s, "uniqueItems")) {
      errors_.forbidden(path.child("uniqueItems"),
                        "uniqueItems cannot be set to true since the runtime complexity becomes "
                        "quadratic");
    }
    const std::string_view pattern = text_of(s, "pattern");
    if (pattern.empty()) return;
    if (const auto regex = Regex::compile(pattern); !regex.ok()) {
      errors_.invalid(path.child("pattern"), pattern,
                      "must be a valid regular expression, but isn't: error parsing regexp: " +
                          std::string(regex.status().message()));
    }
  }

  void types(const json::value& s, Level level, const FieldPath& path) {
    const std::string_view type = text_of(s, "type");
    const bool embedded = flag(s, "x-kubernetes-embedded-resource");
    if (embedded && type != "object") {
      constexpr std::string_view kWhy = "must be object if x-kubernetes-embedded-resource is true";
      if (type.empty()) {
        errors_.required(path.child("type"), kWhy);
      } else {
        errors_.invalid(path.child("type"), type, kWhy);
      }
    } else if (type.empty() && !flag(s, "x-kubernetes-int-or-string") &&
               !flag(s, "x-kubernetes-preserve-unknown-fields")) {
      errors_.required(path.child("type"), level == Level::kRoot ? "must not be empty at the root"
                                           : level == Level::kItem
                                               ? "must not be empty for specified array items"
                                               : "must not be empty for specified object fields");
    }
    if (level == Level::kRoot && !type.empty() && type != "object") {
      errors_.invalid(path.child("type"), type, "must be object at the root");
    }
    if (type == "array" && member(s, "items") == nullptr) {
      errors_.required(path.child("items"), "must be specified");
    }
    if (embedded && !flag(s, "x-kubernetes-preserve-unknown-fields") &&
        checks::is_empty(member(s, "properties"))) {
      errors_.required(path.child("properties"),
                       "must not be empty if x-kubernetes-embedded-resource is true without "
                       "x-kubernetes-preserve-unknown-fields");
    }
  }

  void children(const json::value& s, Level level, bool in_meta, const FieldPath& path, int depth) {
    const json::object* properties = object_at(s, "properties");
    const json::value* more = member(s, "additionalProperties");
    if (more != nullptr) {
      const FieldPath at = path.child("additionalProperties");
      const bool open = more->is_bool() && more->get_bool();
      if (properties != nullptr && !properties->empty() && !open) {
        errors_.forbidden(at, "additionalProperties and properties are mutual exclusive");
      }
      if (level == Level::kRoot) errors_.forbidden(at, "must not be used at the root");
      if (flag(s, "x-kubernetes-embedded-resource")) {
        errors_.forbidden(at, "must not be used if x-kubernetes-embedded-resource is set");
      }
      if (more->is_object()) schema(*more, Level::kField, in_meta, at, depth + 1);
    }
    if (properties != nullptr) {
      for (const std::string& name : checks::sorted_names(*properties)) {
        const bool meta = level == Level::kRoot && name == "metadata";
        const FieldPath at = path.child("properties").key(name);
        if (level == Level::kRoot && (meta || name == "kind" || name == "apiVersion") &&
            member(properties->at(name), "default") != nullptr) {
          errors_.forbidden(at.child("default"), "must not be set in top-level " + name);
        }
        if (!meta) schema(properties->at(name), Level::kField, in_meta, at, depth + 1);
      }
    }
    const json::value* items = member(s, "items");
    if (items == nullptr) return;
    if (items->is_array()) {
      errors_.forbidden(path.child("items"), "items must be a schema object and not an array");
    } else {
      schema(*items, Level::kItem, in_meta, path.child("items"), depth + 1);
    }
  }

  void extensions(const json::value& s, const FieldPath& path) {
    const json::value* preserve = member(s, "x-kubernetes-preserve-unknown-fields");
    if (preserve != nullptr && !flag(s, "x-kubernetes-preserve-unknown-fields")) {
      errors_.invalid(path.child("x-kubernetes-preserve-unknown-fields"), *preserve,
                      "must be true or undefined");
    }
    if (flag(s, "x-kubernetes-int-or-string")) {
      for (const std::string_view key :
           {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"}) {
        if (flag(s, key)) {
          errors_.invalid(path.child(key), true,
                          "must be false if x-kubernetes-int-or-string is true");
        }
      }
    }
    const json::value* map = member(s, "x-kubernetes-map-type");
    if (map == nullptr) return;
    if (text_of(s, "type") != "object") {
      wrong_type(s, path, "must be object if x-kubernetes-map-type is specified");
    }
    if (*map != json::value("atomic") && *map != json::value("granular")) {
      errors_.not_supported(path.child("x-kubernetes-map-type"), *map, {"atomic", "granular"});
    }
  }

  void wrong_type(const json::value& s, const FieldPath& path, std::string_view why) {
    const std::string_view type = text_of(s, "type");
    if (type.empty()) {
      errors_.required(path.child("type"), why);
    } else {
      errors_.invalid(path.child("type"), type, why);
    }
  }

  void list_type(const json::value& s, const FieldPath& path) {
    const std::string_view kind = text_of(s, "x-kubernetes-list-type");
    const json::array& keys = array_at(s, "x-kubernetes-list-map-keys");
    const json::value* items = member(s, "items");
    if (!keys.empty() && kind != "map") {
      const FieldPath at = path.child("x-kubernetes-list-type");
      constexpr std::string_view kWhy = "must be map if x-kubernetes-list-map-keys is non-empty";
      if (kind.empty()) {
        errors_.required(at, kWhy);
      } else {
        errors_.invalid(at, kind, kWhy);
      }
    }
    if (kind.empty()) return;
    if (text_of(s, "type") != "array") {
      wrong_type(s, path, "must be array if x-kubernetes-list-type is specified");
    }
    if (kind != "atomic" && kind != "set" && kind != "map") {
      errors_.not_supported(path.child("x-kubernetes-list-type"), kind, {"atomic", "set", "map"});
    }
    if (items == nullptr || kind == "atomic") return;
    if (flag(*items, "nullable")) {
      errors_.forbidden(path.child("items", "nullable"),
                        "cannot be nullable when x-kubernetes-list-type is " + std::string(kind));
    }
    if (kind == "set") set_items(*items, path.child("items"));
    if (kind == "map") map_keys(*items, keys, path);
  }

  void set_items(const json::value& items, const FieldPath& path) {
    constexpr std::string_view kWhy =
        "must be atomic as item of a list with x-kubernetes-list-type=set";
    const std::string_view type = text_of(items, "type");
    const std::string_view list = text_of(items, "x-kubernetes-list-type");
    if (type == "array" && !list.empty() && list != "atomic") {
      errors_.invalid(path.child("x-kubernetes-list-type"), list, kWhy);
    }
    if (type == "object" && text_of(items, "x-kubernetes-map-type") != "atomic") {
      errors_.invalid(path.child("x-kubernetes-map-type"), json::value(), kWhy);
    }
  }

  void map_keys(const json::value& items, const json::array& keys, const FieldPath& path) {
    const FieldPath at = path.child("x-kubernetes-list-map-keys");
    if (keys.empty()) {
      errors_.required(at, "must not be empty if x-kubernetes-list-type is map");
    }
    if (text_of(items, "type") != "object") {
      errors_.invalid(path.child("items", "type"), text_of(items, "type"),
                      "must be object if parent array's x-kubernetes-list-type is map");
      return;
    }
    const json::object* properties = object_at(items, "properties");
    const json::array& required = array_at(items, "required");
    std::set<std::string> seen;
    for (const json::value& key : keys) {
      const std::string name = key.is_string() ? std::string(key.get_string()) : "";
      const json::value* found = properties == nullptr ? nullptr : find_member(*properties, name);
      if (!seen.insert(name).second) {
        errors_.invalid(at, keys, "must not contain duplicate entries");
      }
      if (found == nullptr) {
        errors_.invalid(at, keys, "entries must all be names of item properties");
        continue;
      }
      const FieldPath property = path.child("items", "properties").key(name);
      const std::string_view type = text_of(*found, "type");
      if (type == "array" || type == "object") {
        errors_.invalid(property.child("type"), type,
                        "must be a scalar type if parent array's x-kubernetes-list-type is map");
      }
      const bool needed = std::find(required.begin(), required.end(), key) != required.end();
      if (!needed && member(*found, "default") == nullptr) {
        errors_.required(property.child("default"),
                         "this property is in x-kubernetes-list-map-keys, so it must have a "
                         "default or be a required property");
      }
      if (flag(*found, "nullable")) {
        errors_.forbidden(property.child("nullable"),
                          "this property is in x-kubernetes-list-map-keys, so it cannot be "
                          "nullable");
      }
    }
  }

  void rules(const json::value& s, const FieldPath& path) {
    const json::array& list = array_at(s, "x-kubernetes-validations");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const FieldPath at = path.child("x-kubernetes-validations").index(i);
      const std::string_view rule = trim(text_of(list[i], "rule"));
      const std::string_view message = text_of(list[i], "message");
      if (rule.empty()) {
        errors_.required(at.child("rule"), "rule is not specified");
      } else if (!message.empty() && trim(message).empty()) {
        errors_.invalid(at.child("message"), message, "must be non-empty if specified");
      } else if (has_newlines(trim(message))) {
        errors_.invalid(at.child("message"), message, "must not contain line breaks");
      } else if (has_newlines(rule) && trim(message).empty()) {
        errors_.required(at.child("message"),
                         "message must be specified if rule contains line breaks");
      }
      static const std::vector<std::string> kReasons = {
          "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"};
      const std::string_view reason = text_of(list[i], "reason");
      if (!reason.empty() &&
          std::find(kReasons.begin(), kReasons.end(), reason) == kReasons.end()) {
        errors_.not_supported(at.child("reason"), reason, kReasons);
      }
    }
  }

  // Inside of logic only rules on values may stand.
  void logic(const json::value& s, const FieldPath& path, int depth, bool skip_any_of) {
    if (depth > kDepthMax) return;
    for (const std::string_view key : {"anyOf", "allOf", "oneOf"}) {
      const json::array& branches = array_at(s, key);
      if (key == "anyOf" && (skip_any_of || int_or_string_branches(branches))) continue;
      for (std::size_t i = 0; i < branches.size(); ++i) {
        const bool exempt =
            key == "allOf" && i == 0 && int_or_string_branches(array_at(branches[i], "anyOf"));
        nested(branches[i], path.child(key).index(i), depth + 1, exempt);
      }
    }
    if (const json::value* never = member(s, "not")) {
      nested(*never, path.child("not"), depth + 1, false);
    }
  }

  void nested(const json::value& s, const FieldPath& path, int depth, bool skip_any_of) {
    struct Word {
      std::string_view key, why;
    };
    static constexpr Word kWords[] = {
        {"type", "must be empty to be structural"},
        {"additionalProperties", "must be undefined to be structural"},
        {"default", "must be undefined to be structural"},
        {"title", "must be empty to be structural"},
        {"description", "must be empty to be structural"},
        {"nullable", "must be false to be structural"},
        {"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
        {"x-kubernetes-embedded-resource", "must be false to be structural"},
        {"x-kubernetes-int-or-string", "must be false to be structural"},
        {"x-kubernetes-list-map-keys", "must be empty to be structural"},
        {"x-kubernetes-list-type", "must be undefined to be structural"},
        {"x-kubernetes-map-type", "must be undefined to be structural"},
        {"x-kubernetes-validations", "must be empty to be structural"}};
    for (const Word& word : kWords) {
      const json::value* v = member(s, word.key);
      if (v == nullptr || (v->is_bool() && !v->get_bool())) continue;
      errors_.forbidden(path.child(word.key), word.why);
    }
    if (depth > kDepthMax) return;
    if (const json::object* properties = object_at(s, "properties")) {
      for (const std::string& name : checks::sorted_names(*properties)) {
        const FieldPath at = path.child("properties").key(name);
        if (name == "metadata") {
          errors_.forbidden(at, "must not be specified in a nested context");
        }
        nested(properties->at(name), at, depth + 1, false);
      }
    }
    if (const json::value* items = member(s, "items"); items && items->is_object()) {
      nested(*items, path.child("items"), depth + 1, false);
    }
    logic(s, path, depth, skip_any_of);
  }

  void meta(const json::value& s, Level level, const FieldPath& path) {
    const json::object* properties = object_at(s, "properties");
    if (properties == nullptr) return;
    for (const char* name : {"apiVersion", "kind"}) {
      const json::value* found = find_member(*properties, name);
      if (found != nullptr && text_of(*found, "type") != "string") {
        errors_.invalid(path.child("properties").key(name).child("type"), text_of(*found, "type"),
                        "must be string");
      }
    }
    const json::value* metadata = find_member(*properties, "metadata");
    if (metadata == nullptr) return;
    const FieldPath at = path.child("properties").key("metadata");
    if (text_of(*metadata, "type") != "object") {
      errors_.invalid(at.child("type"), text_of(*metadata, "type"), "must be object");
    }
    if (level != Level::kRoot || !metadata->is_object()) return;
    bool more = false;
    for (const auto& [key, value] : metadata->get_object()) {
      if (key == "properties" && value.is_object()) {
        for (const auto& [name, schema] : value.get_object()) {
          more = more || (name != "name" && name != "generateName");
        }
      } else {
        more = more || (key != "type" && key != "default" && key != "description");
      }
    }
    if (more) {
      errors_.forbidden(at,
                        "must not specify anything other than name and generateName, but metadata "
                        "is implicitly specified");
    }
  }

  FieldErrors& errors_;
};

// Defaults must be what the schema itself lets through.
void defaults(const json::value& s, const FieldPath& path, FieldErrors& errors, int depth) {
  if (depth > kDepthMax || !s.is_object()) return;
  if (const json::value* given = member(s, "default")) {
    const FieldPath at = path.child("default");
    json::object root, properties;
    properties["default"] = s;
    root["type"] = "object";
    root["properties"] = std::move(properties);
    const auto compiled = CustomSchema::compile(root);
    if (compiled.ok()) {
      json::value object = json::object{{"default", *given}};
      json::value pruned = object;
      (*compiled)->prune(pruned, nullptr);
      if (pruned != object) {
        errors.invalid(at, *given, "must not have unknown fields");
      }
      FieldErrors found;
      (*compiled)->validate(object, nullptr, found);
      for (FieldError& error : found.list()) {
        const std::string rest =
            error.field.starts_with("default") ? error.field.substr(7) : error.field;
        error.field = at.text() + rest;
        errors.add(std::move(error));
      }
    }
  }
  if (const json::object* properties = object_at(s, "properties")) {
    for (const std::string& name : checks::sorted_names(*properties)) {
      defaults(properties->at(name), path.child("properties").key(name), errors, depth + 1);
    }
  }
  for (const char* key : {"items", "additionalProperties"}) {
    if (const json::value* child = member(s, key)) {
      defaults(*child, path.child(key), errors, depth + 1);
    }
  }
}

}  // namespace

void custom_schema(const json::value& schema, bool has_status, const FieldPath& path,
                   FieldErrors& errors) {
  if (flag(schema, "nullable")) {
    errors.forbidden(FieldPath(path.text() + ".nullable"), "nullable cannot be true at the root");
  }
  FieldErrors found;
  Checker(found).schema(schema, Level::kRoot, false, path, 0);
  if (found.empty()) defaults(schema, path, found, 0);
  if (has_status && found.empty()) {
    for (const char* key : {"allOf", "anyOf", "oneOf", "not", "enum"}) {
      if (member(schema, key) == nullptr) continue;
      found.invalid(path, schema,
                    "only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
                    "ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems "
                    "MultipleOf Required Items Properties ExternalDocs Example "
                    "XPreserveUnknownFields XValidations] fields are allowed at the root of the "
                    "schema if the status subresource is enabled");
      break;
    }
  }
  errors.append(std::move(found));
}

const json::value* schema_at(const json::value& schema, std::string_view json_path) {
  const json::value* at = &schema;
  if (!json_path.starts_with('.')) return nullptr;
  for (const std::string& part : split(json_path.substr(1), '.')) {
    const json::object* properties = object_at(*at, "properties");
    at = properties == nullptr ? nullptr : find_member(*properties, part);
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace coracle::api::validation
