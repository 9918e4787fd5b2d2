#include "api/validation/checks.hpp"

#include <algorithm>
#include <limits>

#include "base/strings.hpp"

namespace coracle::api::checks {

const json::value* member(const json::value& object, std::string_view key) {
  return find_member(object, key);
}

const json::value& child_or_empty(const json::value& object, std::string_view key) {
  static const json::value kNothing = json::object();
  const json::value* found = member(object, key);
  return found == nullptr ? kNothing : *found;
}

json::value value_or_null(const json::value* value) {
  return value == nullptr ? json::value(nullptr) : *value;
}

std::string_view text_of(const json::value& object, std::string_view key) {
  const json::value* value = member(object, key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

json::value text_value(std::string_view text) { return json::value(json::string(text)); }

bool is_empty(const json::value* value) {
  return value == nullptr || value->is_null() ||
         (value->is_string() && value->get_string().empty()) ||
         (value->is_array() && value->get_array().empty()) ||
         (value->is_object() && value->get_object().empty());
}

bool same(const json::value* a, const json::value* b) {
  if (is_empty(a) || is_empty(b)) {
    return is_empty(a) && is_empty(b);
  }
  return *a == *b;
}

std::vector<std::string> sorted_names(const json::object& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object) {
    names.emplace_back(key);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void one_of(const json::value& object, std::string_view key, const FieldPath& path,
            const std::vector<std::string>& supported, FieldErrors& errors) {
  if (required_text(object, key, path, errors)) {
    one_of_if_set(object, key, path, supported, errors);
  }
}

void one_of_if_set(const json::value& object, std::string_view key, const FieldPath& path,
                   const std::vector<std::string>& supported, FieldErrors& errors) {
  const json::value* value = member(object, key);
  if (value == nullptr) {
    return;
  }
  const std::string_view text = text_of(object, key);
  if (std::find(supported.begin(), supported.end(), text) == supported.end()) {
    errors.not_supported(path.child(key), *value, supported);
  }
}

bool required_text(const json::value& object, std::string_view key, const FieldPath& path,
                   FieldErrors& errors, std::string_view detail) {
  if (!text_of(object, key).empty()) {
    return true;
  }
  errors.required(path.child(key), detail);
  return false;
}

void non_negative(const json::value& object, std::initializer_list<std::string_view> keys,
                  const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view key : keys) {
    const json::value* value = member(object, key);
    if (value != nullptr && value->is_int64() && value->get_int64() < 0) {
      errors.invalid(path.child(key), *value, kNotNegative);
    }
  }
}

void in_range(const json::value* value, std::int64_t low, std::int64_t high, const FieldPath& path,
              FieldErrors& errors) {
  if (value != nullptr && value->is_int64() &&
      (value->get_int64() < low || value->get_int64() > high)) {
    errors.invalid(path, *value, range_message(low, high));
  }
}

void port_number(const json::value* value, const FieldPath& path, FieldErrors& errors) {
  const json::value number = value == nullptr ? json::value(0) : *value;
  if (number.is_int64()) {
    errors.invalid_each(path, number, check_port_number(number.get_int64()));
  }
}

void port_number_or_name(const json::value* value, const FieldPath& path, FieldErrors& errors) {
  if (value != nullptr && value->is_string()) {
    errors.invalid_each(path, *value, check_port_name(value->get_string()));
  } else {
    port_number(value, path, errors);
  }
}

void label_name(std::string_view key, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, text_value(key), check_qualified_name(key));
}

void dns_label(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, text_value(text), check_dns1123_label(text));
}

void dns_subdomain(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  errors.invalid_each(path, text_value(text), check_dns1123_subdomain(text));
}

void domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kMore = "/-._~%!$&'()*+,;=:";
  if (text.empty()) {
    errors.required(path);
    return;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    errors.invalid(path, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    return;
  }
  dns_subdomain(text.substr(0, slash), path, errors);
  const std::string_view rest = text.substr(slash + 1);
  const bool good = std::ranges::all_of(rest, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMore.find(c) != std::string_view::npos;
  });
  if (!good) {
    errors.invalid(path, rest,
                   "Invalid path (regex used for validation is "
                   "'[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
  }
}

void wildcard_host(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  constexpr int kMax = 253;
  if (text.size() > kMax) errors.invalid(path, text, max_length_message(kMax));
  // The rest may be as long as it likes here: that was told.
  const std::string_view rest = text.substr(std::min<std::size_t>(2, text.size()));
  if (!text.starts_with("*.") || !check_dns1123_subdomain(rest.substr(0, kMax)).empty()) {
    errors.invalid(path, text,
                   "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
                   "subdomain, which must consist of lower case alphanumeric characters, '-' or "
                   "'.' and end with an alphanumeric character (e.g. '*.example.com', regex used "
                   "for validation is "
                   "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
  }
}

void protocol(const json::value& port, const FieldPath& path, FieldErrors& errors) {
  one_of(port, "protocol", path, {"SCTP", "TCP", "UDP"}, errors);
}

void user_or_group(const json::value* id, const FieldPath& path, FieldErrors& errors) {
  in_range(id, 0, std::numeric_limits<std::int32_t>::max(), path, errors);
}

std::vector<std::string> dns_subdomain_with_underscore(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '_', 'a');
  if (check_dns1123_subdomain(plain).empty()) {
    return {};
  }
  return {
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', "
      "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
      "regex used for validation is "
      "'[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"};
}

bool has_backsteps(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

void no_backsteps(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  if (has_backsteps(text)) {
    errors.invalid(path, text, "must not contain '..'");
  }
}

void descending_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  if (text.starts_with('/')) {
    errors.invalid(path, text, "must be a relative path");
  }
  no_backsteps(text, path, errors);
}

void local_path(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  descending_path(text, path, errors);
  if (text.starts_with("..") && !text.starts_with("../")) {
    errors.invalid(path, text, "must not start with '..'");
  }
}

namespace {

std::string go_name(std::string_view key) {
  if (key.starts_with("seLinux")) {
    return "SELinux" + std::string(key.substr(7));
  }
  std::string name(key);
  if (!name.empty() && name.front() >= 'a' && name.front() <= 'z') {
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
  }
  return name;
}

json::value go_value(const json::value& value) {
  const json::object* members = value.if_object();
  if (members == nullptr) {
    return value;
  }
  json::object out;
  for (const auto& [key, inner] : *members) {
    out[go_name(key)] = go_value(inner);
  }
  return out;
}

}  // namespace

json::value go_struct(const json::value& object, std::initializer_list<std::string_view> keys) {
  json::object out;
  for (const std::string_view key : keys) {
    const json::value* value = member(object, key);
    out[go_name(key)] = value == nullptr ? json::value(nullptr) : go_value(*value);
  }
  return out;
}

void int_or_percent(const json::value* value, const FieldPath& path, FieldErrors& errors) {
  if (value == nullptr) {
    return;
  }
  if (value->is_string()) {
    errors.invalid_each(path, *value, check_percent(value->get_string()));
  } else if (value->is_int64() && value->get_int64() < 0) {
    errors.invalid(path, *value, kNotNegative);
  }
}

void at_most_100_percent(const json::value* value, const FieldPath& path, FieldErrors& errors) {
  if (value != nullptr && value->is_string() && check_percent(value->get_string()).empty() &&
      int_or_percent_value(value) > 100) {
    errors.invalid(path, *value, "must not be greater than 100%");
  }
}

std::int64_t int_or_percent_value(const json::value* value) {
  if (value == nullptr) {
    return 0;
  }
  if (value->is_string()) {
    std::string_view text = value->get_string();
    if (text.ends_with('%')) {
      text.remove_suffix(1);
    }
    long long number = 0;
    return parse_int(text, &number) ? number : 0;
  }
  return value->is_int64() ? value->get_int64() : 0;
}

}  // namespace coracle::api::checks
