#include <algorithm>

#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  if (text.empty()) return terms;
  std::size_t start = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escaped) {
      escaped = false;
    } else if (text[i] == '\\') {
      escaped = true;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      if (i + 1 == text.size()) {
        return invalid_argument("invalid field selector: invalid escape sequence: \\");
      }
      const char next = text[++i];
      if (next != '\\' && next != ',' && next != '=') {
        return invalid_argument(std::string("invalid field selector: invalid escape sequence: \\") +
                                next);
      }
      out += next;
    } else if (c == ',' || c == '=') {
      return invalid_argument("invalid field selector: unescaped character in value: " +
                              std::to_string(static_cast<int>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

// The first operator in the term; false when there is none.
bool split_term(std::string_view term, std::string_view& left, bool& equals,
                std::string_view& right) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    const std::string_view rest = term.substr(i);
    std::size_t length = 0;
    if (rest.starts_with("!=") || rest.starts_with("==")) {
      length = 2;
    } else if (rest.starts_with("=")) {
      length = 1;
    }
    if (length == 0) continue;
    left = term.substr(0, i);
    equals = rest[0] == '=';
    right = term.substr(i + length);
    return true;
  }
  return false;
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  for (std::string_view term : split_terms(text)) {
    if (term.empty()) continue;
    std::string_view left;
    std::string_view right;
    bool equals = true;
    if (!split_term(term, left, equals, right)) {
      return invalid_argument("invalid selector: '" + std::string(text) + "'; can't understand '" +
                              std::string(term) + "'");
    }
    ASSIGN_OR_RETURN(std::string value, unescape(right));
    selector.requirements_.push_back({std::string(left), equals, std::move(value)});
  }
  return selector;
}

bool FieldSelector::matches(
    const std::function<std::string(std::string_view field)>& value_of) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const FieldRequirement& r) {
    return (value_of(r.field) == r.value) == r.equals;
  });
}

bool FieldSelector::matches_object(const json::value& object) const {
  return matches([&](std::string_view field) { return field_text(object, field); });
}

std::optional<std::string> FieldSelector::exact(std::string_view field) const {
  for (const FieldRequirement& r : requirements_) {
    if (r.equals && r.field == field) return r.value;
  }
  return std::nullopt;
}

std::string FieldSelector::text() const {
  std::string out;
  for (const FieldRequirement& r : requirements_) {
    if (!out.empty()) out += ',';
    out += r.field + (r.equals ? "=" : "!=") + escape(r.value);
  }
  return out;
}

std::string field_text(const json::value& object, std::string_view path) {
  const json::value* value = coracle::find(object, path);
  if (value == nullptr || value->is_null()) {
    const bool flag = path == "spec.unschedulable" || path == "spec.hostNetwork";
    const bool count = path == "status.replicas" || path == "status.successful";
    return flag ? "false" : count ? "0" : "";
  }
  if (value->is_string()) return std::string(value->as_string());
  return to_json(*value);
}

}  // namespace coracle::api
