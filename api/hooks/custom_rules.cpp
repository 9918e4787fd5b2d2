#include "api/hooks/custom_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>

#include "api/cel/estimate.hpp"
#include "api/schema.hpp"
#include "api/validation/custom_schema.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

using cel::Program;

constexpr std::string_view kRules = "x-kubernetes-validations";
constexpr std::string_view kSpent =
    "validation failed due to running out of cost budget, no further validation rules will be run";

const json::array& rules_of(const json::value& schema) {
  static const json::array kNone;
  const json::value* list = find_keys(schema, {kRules});
  return list != nullptr && list->is_array() ? list->get_array() : kNone;
}

// At run time values carry their own types.
cel::Environment environment() {
  cel::Environment env;
  env.declare("self", cel::Type::dyn());
  env.declare("oldSelf", cel::Type::dyn());
  return env;
}

bool looks_back(std::string_view rule) { return rule.find("oldSelf") != std::string_view::npos; }

std::string child_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

// An element of a map-list with the same keys; nullptr when there is none.
const json::value* same_element(const json::value* old, const json::value& item,
                                const json::value& schema) {
  if (old == nullptr || !old->is_array() || get_string(schema, "x-kubernetes-list-type") != "map") {
    return nullptr;
  }
  const json::value* keys = find_keys(schema, {"x-kubernetes-list-map-keys"});
  if (keys == nullptr || !keys->is_array()) return nullptr;
  for (const json::value& candidate : old->get_array()) {
    const bool same =
        std::all_of(keys->get_array().begin(), keys->get_array().end(), [&](const json::value& k) {
          const std::string_view key = k.is_string() ? std::string_view(k.get_string()) : "";
          const json::value* a = find_keys(candidate, {key});
          const json::value* b = find_keys(item, {key});
          return a != nullptr && b != nullptr && *a == *b;
        });
    if (same) return &candidate;
  }
  return nullptr;
}

class Runner {
 public:
  explicit Runner(FieldErrors& errors) : errors_(errors), env_(environment()) {}

  void walk(const json::value& value, const json::value* old, const json::value& schema,
            const Schema* shape, const std::string& path) {
    if (value.is_null() || spent_) return;
    for (const json::value& rule : rules_of(schema)) {
      run(rule, value, old, shape, get_string(schema, "type"), path);
      if (spent_) return;
    }
    if (const json::object* members = value.if_object()) {
      object(*members, old, schema, shape, path);
    } else if (const json::array* items = value.if_array()) {
      const json::value* inner = find_keys(schema, {"items"});
      if (inner == nullptr || !inner->is_object()) return;
      for (std::size_t i = 0; i < items->size(); ++i) {
        walk((*items)[i], same_element(old, (*items)[i], schema), *inner,
             shape == nullptr ? nullptr : shape->items, path + "[" + std::to_string(i) + "]");
      }
    }
  }

 private:
  void object(const json::object& members, const json::value* old, const json::value& schema,
              const Schema* shape, const std::string& path) {
    const json::value* properties = find_keys(schema, {"properties"});
    const json::value* more = find_keys(schema, {"additionalProperties"});
    for (const auto& [name, value] : members) {
      const json::value* inner =
          properties == nullptr ? nullptr : find_keys(*properties, {std::string_view(name)});
      const Property* property = shape == nullptr ? nullptr : shape->find(name);
      const Schema* inner_shape = property == nullptr ? nullptr : property->schema;
      if (inner == nullptr && more != nullptr && more->is_object()) {
        inner = more;
        inner_shape = shape == nullptr ? nullptr : shape->items;
      }
      if (inner == nullptr || !inner->is_object()) continue;
      const json::value* before =
          old == nullptr ? nullptr : find_keys(*old, {std::string_view(name)});
      walk(value, before, *inner, inner_shape, child_path(path, name));
    }
  }

  const Program* program(const std::string& text, std::string* why) {
    auto known = programs_.find(text);
    if (known == programs_.end()) {
      known = programs_.emplace(text, Program::compile(text, env_)).first;
    }
    if (known->second.ok()) return &*known->second;
    *why = known->second.status().message();
    return nullptr;
  }

  void run(const json::value& rule, const json::value& self, const json::value* old,
           const Schema* shape, std::string_view type, const std::string& path) {
    const std::string text(get_string(rule, "rule"));
    const bool optional = get_bool(rule, "optionalOldSelf");
    if (looks_back(text) && old == nullptr && !optional) return;
    const FieldPath at(path);
    std::string why;
    const Program* compiled = program(text, &why);
    if (compiled == nullptr) {
      errors_.invalid(at, type, "rule compile error: " + why);
      return;
    }
    const cel::Bindings bindings = bind(self, old, shape, optional);
    const cel::Value result = compiled->evaluate(bindings, budget_);
    if (result.is_error() && budget_.spent) {
      spent_ = true;
      errors_.invalid(at, type, kSpent);
    } else if (result.is_error()) {
      errors_.invalid(at, type,
                      std::string(result.as_text()) + " evaluating rule: " + rule_text(rule));
    } else if (!result.is_true()) {
      fail(rule, self, type, bindings, path);
    }
  }

  static cel::Bindings bind(const json::value& self, const json::value* old, const Schema* shape,
                            bool optional) {
    cel::Bindings out;
    out.push_back({"self", cel::Value::from_json(self, shape)});
    std::optional<cel::Value> before;
    if (old != nullptr) before = cel::Value::from_json(*old, shape);
    if (optional) {
      out.push_back({"oldSelf", cel::Value::optional(std::move(before))});
    } else if (before) {
      out.push_back({"oldSelf", *std::move(before)});
    }
    return out;
  }

  static std::string rule_text(const json::value& rule) {
    const std::string_view message = trim(get_string(rule, "message"));
    return std::string(message.empty() ? get_string(rule, "rule") : message);
  }

  std::string detail(const json::value& rule, const cel::Bindings& bindings) {
    const std::string expression(get_string(rule, "messageExpression"));
    if (!expression.empty()) {
      std::string why;
      if (const Program* compiled = program(expression, &why)) {
        const cel::Value text = compiled->evaluate(bindings, budget_);
        const bool good = text.is(cel::Kind::kString) && !trim(text.as_text()).empty() &&
                          text.as_text().find_first_of("\n\r") == std::string_view::npos;
        if (good) return std::string(trim(text.as_text()));
      }
    }
    const std::string_view message = trim(get_string(rule, "message"));
    if (!message.empty()) return std::string(message);
    return "failed rule: " + std::string(trim(get_string(rule, "rule")));
  }

  void fail(const json::value& rule, const json::value& self, std::string_view type,
            const cel::Bindings& bindings, const std::string& path) {
    // fieldPath: .spec.replicas, below the value.
    const FieldPath at(path + std::string(get_string(rule, "fieldPath")));
    const std::string why = detail(rule, bindings);
    const std::string_view reason = get_string(rule, "reason");
    // Objects and lists are not shown.
    const bool whole = type == "object" || type == "array";
    if (reason == "FieldValueRequired") {
      errors_.required(at, why);
    } else if (reason == "FieldValueForbidden") {
      errors_.forbidden(at, why);
    } else if (reason == "FieldValueDuplicate") {
      errors_.add({FieldErrorType::kDuplicate, at.text(), self, whole, {}});
    } else {
      errors_.add({FieldErrorType::kInvalid, at.text(), self, whole, why});
    }
  }

  FieldErrors& errors_;
  const cel::Environment env_;
  cel::Budget budget_{cel::kRequestCost};
  std::map<std::string, Result<Program>> programs_;
  bool spent_ = false;
};

constexpr int kDepthMax = 100;

// What rules may ask of a value: its declared members, and of an object (the whole, or an embedded
// one) also what every object has.
json::value type_of(const json::value& schema, bool is_object, int depth) {
  json::object out;
  if (!schema.is_object() || depth > kDepthMax) return out;
  for (const std::string_view key :
       {"type", "format", "nullable", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
        "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}) {
    if (const json::value* value = find_keys(schema, {key})) out[key] = *value;
  }
  for (const char* key : {"items", "additionalProperties"}) {
    const json::value* inner = find_keys(schema, {key});
    if (inner != nullptr) {
      out[key] =
          inner->is_object()
              ? type_of(*inner, get_bool(*inner, "x-kubernetes-embedded-resource"), depth + 1)
              : *inner;
    }
  }
  json::object members;
  if (const json::value* properties = find_keys(schema, {"properties"});
      properties != nullptr && properties->is_object()) {
    for (const auto& [name, inner] : properties->get_object()) {
      members[name] = type_of(inner, get_bool(inner, "x-kubernetes-embedded-resource"), depth + 1);
    }
  }
  if (is_object) {
    const json::value text = json::object{{"type", "string"}};
    members["apiVersion"] = text;
    members["kind"] = text;
    members["metadata"] = json::object{
        {"type", "object"}, {"properties", json::object{{"name", text}, {"generateName", text}}}};
    out["type"] = "object";
  }
  if (!members.empty()) out["properties"] = std::move(members);
  return out;
}

// What rules may cost at most, by upstream's limits: each of them, and all of a definition.
class RuleCosts {
 public:
  explicit RuleCosts(FieldErrors& errors) : errors_(errors) {}

  // `what`: of the rule or of its messageExpression.
  void add(const FieldPath& at, std::string_view what, std::uint64_t cost) {
    if (cost > kRuleMost) {
      errors_.forbidden(at, exceeded("estimated " + std::string(what) + " cost", cost, kRuleMost));
    }
    total_ = cel::plus(total_, cost);
    if (cost < kTotalMost / 100) return;
    dearest_.push_back({at, cost});
    std::ranges::stable_sort(dearest_, std::greater{}, &Dear::cost);
    if (dearest_.size() > kDearest) dearest_.pop_back();
  }
  void end(const FieldPath& schema) {
    if (total_ <= kTotalMost) return;
    for (const Dear& one : dearest_) {
      errors_.forbidden(one.at,
                        "contributed to estimated rule cost total exceeding cost limit for entire "
                        "OpenAPIv3 schema");
    }
    errors_.forbidden(schema, exceeded("x-kubernetes-validations estimated rule cost total for "
                                       "entire OpenAPIv3 schema",
                                       total_, kTotalMost));
  }

 private:
  static constexpr std::uint64_t kRuleMost = 10'000'000;
  static constexpr std::uint64_t kTotalMost = 100'000'000;
  static constexpr std::size_t kDearest = 4;

  static std::string exceeded(const std::string& what, std::uint64_t cost, std::uint64_t most) {
    const double factor = static_cast<double>(cost) / static_cast<double>(most);
    std::array<char, 32> times{};
    std::snprintf(times.data(), times.size(), factor < 1.5 ? "%fx" : "%.1fx", factor);
    return what + " exceeds budget by factor of " +
           (factor > 100 ? "more than 100x" : times.data()) +
           " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where "
           "arrays, maps, and strings are declared)";
  }

  struct Dear {
    FieldPath at;
    std::uint64_t cost;
  };
  FieldErrors& errors_;
  std::uint64_t total_ = 0;
  std::vector<Dear> dearest_;
};

// How often what is inside a schema may be there for each time the schema's own value is; nothing
// when there is no bound.
using Times = std::optional<std::uint64_t>;
Times repeated(const json::value& schema, const Times& outer) {
  const std::string_view type = get_string(schema, "type");
  const bool keyed = type == "object" && find_keys(schema, {"additionalProperties"}) != nullptr;
  if (!outer || (type != "array" && !keyed)) return outer;
  const json::value* most = find_keys(schema, {type == "array" ? "maxItems" : "maxProperties"});
  if (most == nullptr || !most->is_number()) return std::nullopt;
  return cel::times(*outer, static_cast<std::uint64_t>(std::max(0.0, most->to_number<double>())));
}

// Where the walk over a schema is.
struct Place {
  const Schema* shape = nullptr;
  const cel::Measure* measure = nullptr;
  Times times;

  Place field(std::string_view name, const Times& inside) const {
    const Property* property = shape == nullptr ? nullptr : shape->find(name);
    const cel::Measure* of = nullptr;
    if (measure != nullptr) {
      const auto found = measure->fields.find(name);
      if (found != measure->fields.end()) of = found->second.get();
    }
    return {property == nullptr ? nullptr : property->schema, of, inside};
  }
  Place item(const Times& inside) const {
    return {shape == nullptr ? nullptr : shape->items,
            measure == nullptr ? nullptr : measure->item.get(), inside};
  }
};

// Compiles the rules of one version's schema, with what the schema says of their types.
class RuleTexts {
 public:
  RuleTexts(FieldErrors& errors, RuleCosts* costs) : errors_(errors), costs_(costs) {}

  // `uncorrelated`: the list or map above whose elements have no old selves; empty when all have.
  void walk(const json::value& schema, const Place& place, const FieldPath& path,
            const FieldPath& uncorrelated, int depth) {
    if (!schema.is_object() || depth > kDepthMax) return;
    const Times inside = repeated(schema, place.times);
    if (const json::value* properties = find_keys(schema, {"properties"});
        properties != nullptr && properties->is_object()) {
      const bool atomic = get_string(schema, "x-kubernetes-map-type") == "atomic";
      for (const auto& [name, inner] : properties->get_object()) {
        walk(inner, place.field(name, inside), path.child("properties").key(name),
             atomic ? path : uncorrelated, depth + 1);
      }
    }
    const Place below = place.item(inside);
    if (const json::value* inner = find_keys(schema, {"items"})) {
      const bool mapped = get_string(schema, "x-kubernetes-list-type") == "map";
      walk(*inner, below, path.child("items"), mapped ? uncorrelated : path, depth + 1);
    }
    if (const json::value* inner = find_keys(schema, {"additionalProperties"})) {
      walk(*inner, below, path.child("additionalProperties"), uncorrelated, depth + 1);
    }
    const json::array& rules = rules_of(schema);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      one(rules[i], place, path.child(kRules).index(i), uncorrelated);
    }
  }

 private:
  void one(const json::value& rule, const Place& place, const FieldPath& at,
           const FieldPath& uncorrelated) {
    const std::string_view text = get_string(rule, "rule");
    if (trim(text).empty()) return;
    const bool optional = get_bool(rule, "optionalOldSelf");
    const cel::Type self =
        place.shape == nullptr ? cel::Type::dyn() : cel::Type::from_schema(place.shape);
    cel::Environment env;
    env.declare("self", self);
    env.declare("oldSelf", optional ? cel::Type::dyn() : self);
    if (costs_ != nullptr && place.measure != nullptr) {
      const std::uint64_t times = place.times.value_or(cel::most_in_request(*place.measure));
      costs_->add(at.child("rule"), "rule",
                  cel::times(cel::highest_cost(text, env, *place.measure), times));
    }
    compile(text, env, 'b', "cel expression must evaluate to a bool",
            "compilation failed: ", at.child("rule"), rule);
    const std::string_view message = get_string(rule, "messageExpression");
    if (!trim(message).empty()) {
      compile(message, env, 's', "messageExpression must evaluate to a string",
              "messageExpression compilation failed: ", at.child("messageExpression"), rule);
      if (costs_ != nullptr && place.measure != nullptr) {
        costs_->add(at.child("messageExpression"), "messageExpression",
                    cel::highest_cost(message, env, *place.measure));
      }
    }
    if (looks_back(text)) {
      if (!uncorrelated.empty()) {
        errors_.invalid(at.child("rule"), text,
                        "oldSelf cannot be used on the uncorrelatable portion of the schema "
                        "within " +
                            uncorrelated.text());
      }
    } else if (find_keys(rule, {"optionalOldSelf"}) != nullptr) {
      errors_.invalid(at.child("optionalOldSelf"), optional,
                      "may not be set if oldSelf is not used in rule");
    }
  }

  void compile(std::string_view text, const cel::Environment& env, char wanted,
               std::string_view wrong_type, std::string_view prefix, const FieldPath& at,
               const json::value& rule) {
    const auto compiled = Program::compile(text, env);
    if (!compiled.ok()) {
      errors_.invalid(at, validation::shown_rule(rule),
                      std::string(prefix) + std::string(compiled.status().message()));
    } else if (!compiled->type().is_dyn() && compiled->type().letter != wanted) {
      errors_.invalid(at, validation::shown_rule(rule), wrong_type);
    }
  }

  FieldErrors& errors_;
  RuleCosts* costs_;  // nullptr: not asked
};

json::value schema_of(const json::value& version) {
  const json::value* schema = find(version, "schema.openAPIV3Schema");
  return schema == nullptr ? json::value(nullptr) : *schema;
}

// Schemas that were there are let be, whatever they cost.
bool was_there(const json::value& version, const json::value* old) {
  return old != nullptr &&
         std::ranges::any_of(get_array(*old, "spec.versions"), [&](const json::value& one) {
           return get_string(one, "name") == get_string(version, "name") &&
                  schema_of(one) == schema_of(version);
         });
}

}  // namespace

void check_custom_rules(const CustomSchema& schema, const Schema* shape, const json::value& object,
                        const json::value* old, FieldErrors& errors) {
  Runner(errors).walk(object, old, schema.source(), shape, "");
}

void check_rule_texts(const json::value& definition, const json::value* old, FieldErrors& errors) {
  const json::array& versions = get_array(definition, "spec.versions");
  // One schema for all is one schema of the definition, as upstream keeps it.
  const bool alike = std::all_of(versions.begin(), versions.end(), [&](const json::value& one) {
    return schema_of(one) == schema_of(versions[0]);
  });
  std::size_t index = 0;
  for (const json::value& version : versions) {
    const FieldPath spec("spec");
    const FieldPath at =
        alike ? spec.child("validation", "openAPIV3Schema")
              : spec.child("versions").index(index).child("schema", "openAPIV3Schema");
    const json::value schema = schema_of(version);
    SchemaSet types;
    const auto shape = types.compile_one(type_of(schema, true, 0), "schema");
    const auto measure = cel::measure(schema, true);
    RuleCosts costs(errors);
    RuleTexts(errors, was_there(version, old) ? nullptr : &costs)
        .walk(schema, {shape.ok() ? *shape : nullptr, measure.get(), 1}, at, FieldPath(), 0);
    costs.end(at);
    if (alike) return;
    ++index;
  }
}

}  // namespace coracle::api
