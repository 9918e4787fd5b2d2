// CustomSchema: the structural schema of one version of a custom kind: removes what it does not
// name, fills in defaults, and finds what is wrong, in upstream's words. Made once of the
// definition's openAPIV3Schema, then immutable and shared between threads.
//
// apiVersion, kind and metadata of the object itself (and of embedded objects) are not its affair:
// they are kept. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/field_error.hpp"
#include "base/json.hpp"
#include "base/regex.hpp"

namespace coracle::api {

struct Schema;
class CustomSchema;

// Runs the CEL rules of a schema (x-kubernetes-validations) on an object that passed the rest of
// it. `shape`: the compiled form of the same schema.
using CustomRules = void (*)(const CustomSchema& schema, const Schema* shape,
                             const json::value& object, const json::value* old,
                             FieldErrors& errors);

class CustomSchema {
 public:
  // InvalidArgument for a pattern that does not compile or a schema nested too deep; everything
  // else was checked when the definition was written.
  // `rules` may be nullptr: then there is nobody to run them.
  static Result<std::shared_ptr<CustomSchema>> compile(const json::value& schema,
                                                       CustomRules rules = nullptr);
  void set_shape(const Schema* shape) { shape_ = shape; }

  // Removes unknown members; each gives `unknown field "spec.foo"`.
  void prune(json::value& object, std::vector<std::string>* unknown) const;
  // Also drops nulls that may not be and have a default. Idempotent.
  void set_defaults(json::value& object) const;
  bool has_defaults() const { return root_.has_defaults; }
  bool has_rules() const { return has_rules_; }  // x-kubernetes-validations
  // `old`: what was wrong before, unchanged, is not told again.
  void validate(const json::value& object, const json::value* old, FieldErrors& errors) const;
  // As in the definition.
  const json::value& source() const { return source_; }

  struct Node {
    std::string type, format, pattern_text, list_type;
    bool nullable = false, preserve = false, embedded = false, int_or_string = false;
    bool exclusive_minimum = false, exclusive_maximum = false;
    bool any_member = false;  // additionalProperties: true
    bool has_defaults = false;
    std::optional<double> minimum, maximum, multiple_of;
    std::optional<std::int64_t> min_length, max_length, min_items, max_items, min_members,
        max_members;
    std::optional<Regex> pattern;
    std::optional<json::value> default_value;
    std::vector<json::value> allowed;  // enum
    std::vector<std::string> required, list_map_keys;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> properties;
    std::unique_ptr<Node> additional, items, never;  // never: not
    std::vector<std::unique_ptr<Node>> all_of, any_of, one_of;
  };

 private:
  CustomSchema() = default;
  json::value source_;
  bool has_rules_ = false;
  CustomRules rules_ = nullptr;
  const Schema* shape_ = nullptr;
  Node root_;
};

// What the writer of a custom object is told: of finalizers that are new and not well named.
void custom_warnings(const json::value& object, const json::value* old,
                     std::vector<std::string>& out);

}  // namespace coracle::api
