// Compiling, pruning and defaulting; custom_check.cpp validates.
#include "api/custom_schema.hpp"

#include <algorithm>
#include <set>

#include "api/custom_check.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

using Node = CustomSchema::Node;

constexpr int kDepthMax = 100;

std::optional<double> number(const json::object& in, std::string_view key) {
  const json::value* v = find_member(in, key);
  if (v == nullptr || !v->is_number()) return std::nullopt;
  return v->to_number<double>();
}

std::optional<std::int64_t> integer(const json::object& in, std::string_view key) {
  const auto value = number(in, key);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::string text(const json::object& in, std::string_view key) {
  const json::value* v = find_member(in, key);
  return v != nullptr && v->is_string() ? std::string(v->as_string()) : std::string();
}

bool flag(const json::object& in, std::string_view key) {
  const json::value* v = find_member(in, key);
  return v != nullptr && v->is_bool() && v->as_bool();
}

std::vector<std::string> texts(const json::object& in, std::string_view key) {
  std::vector<std::string> out;
  const json::value* v = find_member(in, key);
  if (v == nullptr || !v->is_array()) return out;
  for (const json::value& one : v->get_array()) {
    if (one.is_string()) out.emplace_back(one.as_string());
  }
  return out;
}

Status fill(const json::value& in, Node& out, int depth);

Result<std::unique_ptr<Node>> child(const json::value& in, int depth) {
  auto node = std::make_unique<Node>();
  RETURN_IF_ERROR(fill(in, *node, depth));
  return node;
}

Status fill_list(const json::object& in, std::string_view key,
                 std::vector<std::unique_ptr<Node>>& out, int depth) {
  const json::value* list = find_member(in, key);
  if (list == nullptr || !list->is_array()) return {};
  for (const json::value& one : list->get_array()) {
    ASSIGN_OR_RETURN(auto node, child(one, depth + 1));
    out.push_back(std::move(node));
  }
  return {};
}

Status fill_children(const json::object& in, Node& out, int depth) {
  const json::value* properties = find_member(in, "properties");
  if (properties != nullptr && properties->is_object()) {
    for (const auto& [name, schema] : properties->get_object()) {
      ASSIGN_OR_RETURN(out.properties[std::string(name)], child(schema, depth + 1));
    }
  }
  if (const json::value* more = find_member(in, "additionalProperties")) {
    if (more->is_object()) {
      ASSIGN_OR_RETURN(out.additional, child(*more, depth + 1));
    } else {
      out.any_member = more->is_bool() && more->get_bool();
    }
  }
  if (const json::value* items = find_member(in, "items"); items && items->is_object()) {
    ASSIGN_OR_RETURN(out.items, child(*items, depth + 1));
  }
  if (const json::value* never = find_member(in, "not"); never && never->is_object()) {
    ASSIGN_OR_RETURN(out.never, child(*never, depth + 1));
  }
  RETURN_IF_ERROR(fill_list(in, "allOf", out.all_of, depth));
  RETURN_IF_ERROR(fill_list(in, "anyOf", out.any_of, depth));
  return fill_list(in, "oneOf", out.one_of, depth);
}

Status fill(const json::value& value, Node& out, int depth) {
  if (depth > kDepthMax) return invalid_argument("the schema is nested too deep");
  if (!value.is_object()) return invalid_argument("a schema must be an object");
  const json::object& in = value.get_object();
  out.type = text(in, "type");
  out.format = text(in, "format");
  out.pattern_text = text(in, "pattern");
  out.list_type = text(in, "x-kubernetes-list-type");
  out.list_map_keys = texts(in, "x-kubernetes-list-map-keys");
  out.required = texts(in, "required");
  out.nullable = flag(in, "nullable");
  out.preserve = flag(in, "x-kubernetes-preserve-unknown-fields");
  out.embedded = flag(in, "x-kubernetes-embedded-resource");
  out.int_or_string = flag(in, "x-kubernetes-int-or-string");
  out.exclusive_minimum = flag(in, "exclusiveMinimum");
  out.exclusive_maximum = flag(in, "exclusiveMaximum");
  out.minimum = number(in, "minimum");
  out.maximum = number(in, "maximum");
  out.multiple_of = number(in, "multipleOf");
  out.min_length = integer(in, "minLength");
  out.max_length = integer(in, "maxLength");
  out.min_items = integer(in, "minItems");
  out.max_items = integer(in, "maxItems");
  out.min_members = integer(in, "minProperties");
  out.max_members = integer(in, "maxProperties");
  if (!out.pattern_text.empty()) {
    ASSIGN_OR_RETURN(out.pattern, Regex::compile(out.pattern_text));
  }
  if (const json::value* given = find_member(in, "default")) out.default_value = *given;
  if (const json::value* list = find_member(in, "enum"); list && list->is_array()) {
    for (const json::value& one : list->get_array()) out.allowed.push_back(one);
  }
  RETURN_IF_ERROR(fill_children(in, out, depth));
  out.has_defaults = out.default_value.has_value() || (out.items && out.items->has_defaults) ||
                     (out.additional && out.additional->has_defaults);
  for (const auto& [name, property] : out.properties) {
    out.has_defaults = out.has_defaults || property->has_defaults;
  }
  return {};
}

bool is_meta(std::string_view name) {
  return name == "apiVersion" || name == "kind" || name == "metadata";
}

class Pruner {
 public:
  explicit Pruner(std::vector<std::string>* unknown) : unknown_(unknown) {}

  void walk(json::value& value, const Node& node, const std::string& path, bool root) {
    if (json::array* items = value.if_array()) {
      if (!node.items) return;
      for (std::size_t i = 0; i < items->size(); ++i) {
        walk((*items)[i], *node.items, path + "[" + std::to_string(i) + "]", false);
      }
      return;
    }
    json::object* members = value.if_object();
    if (members == nullptr) return;
    for (auto it = members->begin(); it != members->end();) {
      const std::string_view name = it->key();
      const std::string at = path.empty() ? std::string(name) : path + "." + std::string(name);
      if ((root || node.embedded) && is_meta(name)) {
        if (!root && name == "metadata") prune_metadata(it->value(), at);
        ++it;
        continue;
      }
      const auto property = node.properties.find(name);
      if (property != node.properties.end()) {
        walk(it->value(), *property->second, at, false);
      } else if (node.additional) {
        walk(it->value(), *node.additional, at, false);
      } else if (!node.preserve && !node.any_member && !untyped(node)) {
        if (unknown_ != nullptr) unknown_->push_back("unknown field " + quoted(at));
        it = members->stable_erase(it);
        continue;
      }
      ++it;
    }
  }

 private:
  // Of embedded objects; the object's own was decoded before.
  void prune_metadata(json::value& metadata, const std::string& path) {
    static const std::set<std::string, std::less<>> kKnown = {
        "name",       "generateName",    "namespace",         "selfLink",
        "uid",        "resourceVersion", "generation",        "creationTimestamp",
        "labels",     "annotations",     "deletionTimestamp", "deletionGracePeriodSeconds",
        "finalizers", "ownerReferences", "managedFields"};
    json::object* members = metadata.if_object();
    if (members == nullptr) return;
    for (auto it = members->begin(); it != members->end();) {
      if (kKnown.contains(std::string_view(it->key()))) {
        ++it;
        continue;
      }
      if (unknown_ != nullptr) {
        unknown_->push_back("unknown field " + quoted(path + "." + std::string(it->key())));
      }
      it = members->stable_erase(it);
    }
  }

  // Neither a type nor members: nothing is known about the value.
  static bool untyped(const Node& node) { return node.type.empty() && node.properties.empty(); }

  std::vector<std::string>* unknown_;
};

void fill_defaults(json::value& value, const Node& node) {
  if (!node.has_defaults) return;
  if (json::array* items = value.if_array()) {
    if (!node.items) return;
    for (json::value& item : *items) fill_defaults(item, *node.items);
    return;
  }
  json::object* members = value.if_object();
  if (members == nullptr) return;
  for (const auto& [name, property] : node.properties) {
    if (property->default_value) {
      json::value* present = find_member(*members, name);
      if (present == nullptr || (present->is_null() && !property->nullable)) {
        (*members)[name] = *property->default_value;
      }
    }
    if (json::value* present = find_member(*members, name)) fill_defaults(*present, *property);
  }
  if (!node.additional) return;
  for (auto& member : *members) {
    if (node.properties.contains(std::string_view(member.key()))) continue;
    const Node& map = *node.additional;
    if (member.value().is_null() && !map.nullable && map.default_value) {
      member.value() = *map.default_value;
    }
    fill_defaults(member.value(), map);
  }
}

}  // namespace

Result<std::shared_ptr<CustomSchema>> CustomSchema::compile(const json::value& schema,
                                                            CustomRules rules) {
  std::shared_ptr<CustomSchema> out(new CustomSchema);
  out->source_ = schema;
  out->has_rules_ = to_json(schema).find("\"x-kubernetes-validations\"") != std::string::npos;
  RETURN_IF_ERROR(fill(schema, out->root_, 0));
  out->rules_ = rules;
  return out;
}

void CustomSchema::prune(json::value& object, std::vector<std::string>* unknown) const {
  Pruner(unknown).walk(object, root_, "", true);
}

void CustomSchema::set_defaults(json::value& object) const { fill_defaults(object, root_); }

namespace {

// After these the rules in CEL are not asked: they would stumble over the same.
bool blocks_rules(const FieldErrors& errors) {
  return std::any_of(errors.list().begin(), errors.list().end(), [](const FieldError& error) {
    return error.type == FieldErrorType::kNotSupported || error.type == FieldErrorType::kRequired ||
           error.type == FieldErrorType::kTooLong || error.type == FieldErrorType::kTooMany ||
           error.type == FieldErrorType::kTypeInvalid;
  });
}

}  // namespace

void CustomSchema::validate(const json::value& object, const json::value* old,
                            FieldErrors& errors) const {
  FieldErrors found;
  check_custom(object, root_, found);
  FieldErrors before;
  if (old != nullptr && !found.empty()) check_custom(*old, root_, before);
  FieldErrors fresh;
  for (FieldError& error : found.list()) {
    const bool known =
        std::any_of(before.list().begin(), before.list().end(), [&](const FieldError& other) {
          return other.field == error.field && other.text() == error.text();
        });
    if (!known) fresh.add(std::move(error));
  }
  if (has_rules_ && rules_ != nullptr) {
    if (blocks_rules(fresh)) {
      fresh.invalid(FieldPath("<nil>"), nullptr,
                    "some validation rules were not checked because the object was invalid; "
                    "correct the existing errors to complete validation");
    } else {
      rules_(*this, shape_, object, old, fresh);
    }
  }
  errors.append(std::move(fresh));
}

}  // namespace coracle::api
