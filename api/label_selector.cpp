#include <algorithm>
#include <charconv>
#include <tuple>

#include "api/label_checks.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

bool parse_int64(std::string_view text, std::int64_t& out) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

const json::string* lookup(const json::object& labels, std::string_view key) {
  const json::value* v = find_member(labels, key);
  return v ? v->if_string() : nullptr;
}

void sort_unique(std::vector<std::string>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

json::value list_json(const std::vector<std::string>& values) {
  json::array out;
  for (const std::string& value : values) out.emplace_back(value);
  return out;
}

}  // namespace

Status check_label_requirement(const LabelRequirement& r) {
  FieldErrors errors;
  check_label_requirement(r, FieldPath(), errors);
  return errors.empty() ? Status() : invalid_argument(errors.text());
}

void check_label_requirement(const LabelRequirement& r, const FieldPath& path,
                             FieldErrors& errors) {
  const FieldPath values = path.child("values");
  const auto key_messages = check_qualified_name(r.key);
  if (!key_messages.empty()) errors.invalid(path.child("key"), r.key, join(key_messages, "; "));
  const std::size_t n = r.values.size();
  switch (r.op) {
    case LabelOp::kIn:
    case LabelOp::kNotIn:
      if (n == 0) {
        errors.invalid(values, list_json(r.values),
                       "for 'in', 'notin' operators, values set can't be empty");
      }
      break;
    case LabelOp::kEquals:
    case LabelOp::kNotEquals:
      if (n != 1) {
        errors.invalid(values, list_json(r.values),
                       "exact-match compatibility requires one single value");
      }
      break;
    case LabelOp::kExists:
    case LabelOp::kNotExists:
      if (n != 0) {
        errors.invalid(values, list_json(r.values),
                       "values set must be empty for exists and does not exist");
      }
      break;
    case LabelOp::kGreater:
    case LabelOp::kLess: {
      if (n != 1) {
        errors.invalid(values, list_json(r.values),
                       "for 'Gt', 'Lt' operators, exactly one value is required");
      }
      std::int64_t number = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!parse_int64(r.values[i], number)) {
          errors.invalid(values.index(i), r.values[i],
                         "for 'Gt', 'Lt' operators, the value must be an integer");
        }
      }
      break;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    const auto messages = check_label_value(r.values[i]);
    if (!messages.empty()) {
      errors.invalid(values.index(i).key(r.key), r.values[i], join(messages, "; "));
    }
  }
}

bool LabelRequirement::matches(const json::object& labels) const {
  const json::string* found = lookup(labels, key);
  const auto has = [&] {
    return std::any_of(values.begin(), values.end(),
                       [&](const std::string& v) { return std::string_view(*found) == v; });
  };
  switch (op) {
    case LabelOp::kEquals:
    case LabelOp::kIn:
      return found != nullptr && has();
    case LabelOp::kNotEquals:
    case LabelOp::kNotIn:
      return found == nullptr || !has();
    case LabelOp::kExists:
      return found != nullptr;
    case LabelOp::kNotExists:
      return found == nullptr;
    case LabelOp::kGreater:
    case LabelOp::kLess: {
      std::int64_t left = 0;
      std::int64_t right = 0;
      if (found == nullptr || values.size() != 1 || !parse_int64(*found, left) ||
          !parse_int64(values[0], right)) {
        return false;
      }
      return op == LabelOp::kGreater ? left > right : left < right;
    }
  }
  return false;
}

std::string LabelRequirement::text() const {
  const std::string list = join(values, ",");
  switch (op) {
    case LabelOp::kEquals:
      return key + "=" + list;
    case LabelOp::kNotEquals:
      return key + "!=" + list;
    case LabelOp::kIn:
      return key + " in (" + list + ")";
    case LabelOp::kNotIn:
      return key + " notin (" + list + ")";
    case LabelOp::kExists:
      return key;
    case LabelOp::kNotExists:
      return "!" + key;
    case LabelOp::kGreater:
      return key + ">" + list;
    case LabelOp::kLess:
      return key + "<" + list;
  }
  return key;
}

LabelSelector LabelSelector::nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

LabelSelector LabelSelector::from_requirements(std::vector<LabelRequirement> requirements) {
  LabelSelector selector;
  selector.requirements_ = std::move(requirements);
  for (LabelRequirement& r : selector.requirements_) sort_unique(r.values);
  std::sort(selector.requirements_.begin(), selector.requirements_.end(),
            [](const auto& a, const auto& b) {
              return std::tie(a.key, a.op, a.values) < std::tie(b.key, b.op, b.values);
            });
  return selector;
}

Result<LabelSelector> LabelSelector::from_object(const json::value* selector) {
  if (selector == nullptr || !selector->is_object()) return nothing();
  std::vector<LabelRequirement> list;
  for (const auto& [key, value] : get_object(*selector, "matchLabels")) {
    if (!value.is_string()) return invalid_argument("label values must be strings");
    list.push_back({key, LabelOp::kEquals, {std::string(value.as_string())}});
  }
  for (const json::value& expression : get_array(*selector, "matchExpressions")) {
    LabelRequirement r;
    r.key = get_string(expression, "key");
    const std::string_view op = get_string(expression, "operator");
    if (op == "In") {
      r.op = LabelOp::kIn;
    } else if (op == "NotIn") {
      r.op = LabelOp::kNotIn;
    } else if (op == "Exists") {
      r.op = LabelOp::kExists;
    } else if (op == "DoesNotExist") {
      r.op = LabelOp::kNotExists;
    } else {
      return invalid_argument(quoted(op) + " is not a valid label selector operator");
    }
    for (const json::value& v : get_array(expression, "values")) {
      if (v.is_string()) r.values.emplace_back(v.as_string());
    }
    list.push_back(std::move(r));
  }
  for (const LabelRequirement& r : list) RETURN_IF_ERROR(check_label_requirement(r));
  return from_requirements(std::move(list));
}

LabelSelector LabelSelector::from_map(const json::object& map) {
  std::vector<LabelRequirement> list;
  for (const auto& [key, value] : map) {
    if (value.is_string()) {
      list.push_back({key, LabelOp::kEquals, {std::string(value.as_string())}});
    }
  }
  return from_requirements(std::move(list));
}

bool LabelSelector::matches(const json::object& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const LabelRequirement& r) { return r.matches(labels); });
}

std::string LabelSelector::text() const {
  std::string out;
  for (const LabelRequirement& r : requirements_) {
    if (!out.empty()) out += ',';
    out += r.text();
  }
  return out;
}

std::string format_label_selector(const json::value* selector) {
  Result<LabelSelector> parsed = LabelSelector::from_object(selector);
  if (!parsed.ok()) return "<error>";
  const std::string text = parsed->text();
  return text.empty() ? "<none>" : text;
}

}  // namespace coracle::api
