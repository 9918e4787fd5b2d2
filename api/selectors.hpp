// selectors: label and field selectors. Immutable after parse; matching does not allocate. Pure.
// Canonical text: requirements by key; `a=b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`,
// `a>1`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

enum class LabelOp { kEquals, kNotEquals, kIn, kNotIn, kExists, kNotExists, kGreater, kLess };

struct LabelRequirement {
  std::string key;
  LabelOp op = LabelOp::kExists;
  std::vector<std::string> values;  // sorted, unique
  bool matches(const json::object& labels) const;
  std::string text() const;
};

// Key and values as upstream's NewRequirement checks them.
Status check_label_requirement(const LabelRequirement& requirement);

class LabelSelector {
 public:
  static LabelSelector everything() { return {}; }
  static LabelSelector nothing();
  // The text grammar of ?labelSelector= and of -l. InvalidArgument with upstream's text
  // (`unable to parse requirement: ...`, `found '...', expected: ...`).
  static Result<LabelSelector> parse(std::string_view text);
  // {matchLabels, matchExpressions}: null matches nothing, {} everything.
  static Result<LabelSelector> from_object(const json::value* selector);
  // A plain map (spec.selector of services and replication controllers); empty matches everything.
  static LabelSelector from_map(const json::object& map);
  // Requirements already checked.
  static LabelSelector from_requirements(std::vector<LabelRequirement> requirements);

  bool matches(const json::object& labels) const;
  bool is_everything() const { return !nothing_ && requirements_.empty(); }
  bool is_nothing() const { return nothing_; }
  const std::vector<LabelRequirement>& requirements() const { return requirements_; }
  std::string text() const;

 private:
  std::vector<LabelRequirement> requirements_;  // sorted by key
  bool nothing_ = false;
};

// `kubectl`'s wide form of {matchLabels, matchExpressions}: "app=web,tier in (a,b)", "<none>".
std::string format_label_selector(const json::value* selector);

struct FieldRequirement {
  std::string field;
  bool equals = true;
  std::string value;
};

class FieldSelector {
 public:
  // `a=b,c!=d`, `==`; backslash escapes `,` `=` `\`. InvalidArgument as upstream:
  // `invalid selector: 'x'; can't understand 'x'`.
  static Result<FieldSelector> parse(std::string_view text);
  // value_of answers the text of a field ("" when unset).
  bool matches(const std::function<std::string(std::string_view field)>& value_of) const;
  // Fields are paths into the object; metadata.namespace and scalars of any type work.
  bool matches_object(const json::value& object) const;
  bool empty() const { return requirements_.empty(); }
  // The value when the selector demands `field=value`.
  std::optional<std::string> exact(std::string_view field) const;
  const std::vector<FieldRequirement>& requirements() const { return requirements_; }
  std::string text() const;

 private:
  std::vector<FieldRequirement> requirements_;
};

// How a field of an object reads in a field selector: strings as they are, numbers and booleans
// printed, missing "" (booleans "false" where the field is a known flag).
std::string field_text(const json::value& object, std::string_view path);

}  // namespace coracle::api
