// The name checks of object.hpp, by hand instead of by regex: they run on every write.
#include <arpa/inet.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomain =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr std::string_view kKeyText =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }

template <class Pred>
bool all_of(std::string_view text, Pred pred) {
  return std::all_of(text.begin(), text.end(), pred);
}

bool matches_label(std::string_view text) {
  return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
         all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool matches_subdomain(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!matches_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool matches_key(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string regex_message(std::string_view what, std::string_view regex,
                          std::initializer_list<std::string_view> examples) {
  std::string text(what);
  text += " (e.g. ";
  bool first = true;
  for (std::string_view example : examples) {
    if (!first) text += " or ";
    first = false;
    text += "'" + std::string(example) + "', ";
  }
  return text + "regex used for validation is '" + std::string(regex) + "')";
}

std::string max_bytes_message(int length) {
  return "must be no more than " + std::to_string(length) + " bytes";
}

std::string subdomain_message() {
  return regex_message(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
      "'.', and must start and end with an alphanumeric character",
      kSubdomain, {"example.com"});
}

void add_dot_dot(std::string_view value, Messages& out) {
  if (value == ".") {
    out.emplace_back("must not be '.'");
  } else if (value == "..") {
    out.emplace_back("must not be '..'");
  } else if (value.starts_with("..")) {
    out.emplace_back("must not start with '..'");
  }
}

}  // namespace

std::string max_length_message(int length) {
  return "must be no more than " + std::to_string(length) + " characters";
}

std::string range_message(std::int64_t low, std::int64_t high) {
  return "must be between " + std::to_string(low) + " and " + std::to_string(high) + ", inclusive";
}

Messages check_dns1123_label(std::string_view value) {
  Messages out;
  if (value.size() > 63) out.push_back(max_length_message(63));
  if (matches_label(value)) return out;
  if (matches_subdomain(value)) {
    out.emplace_back("must not contain dots");
  } else {
    out.push_back(regex_message(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character",
        kLabel, {"my-name", "123-abc"}));
  }
  return out;
}

Messages check_dns1123_subdomain(std::string_view value) {
  Messages out;
  if (value.size() > 253) out.push_back(max_length_message(253));
  if (!matches_subdomain(value)) out.push_back(subdomain_message());
  return out;
}

Messages check_dns1035_label(std::string_view value) {
  Messages out;
  if (value.size() > 63) out.push_back(max_length_message(63));
  if (!matches_label(value) || !is_lower(value.front())) {
    out.push_back(regex_message(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
        "an alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return out;
}

Messages check_qualified_name(std::string_view value) {
  Messages out;
  const auto regex = [] { return regex_message(kKeyText, kKey, {"MyName", "my.name", "123-abc"}); };
  const std::size_t slash = value.find('/');
  std::string_view name = value;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = value.substr(0, slash);
    name = value.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      return {"a valid label key " + regex() +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    if (prefix.empty()) {
      out.emplace_back("prefix part must be non-empty");
    } else {
      if (prefix.size() > 253) out.push_back("prefix part " + max_bytes_message(253));
      if (!matches_subdomain(prefix)) out.push_back("prefix part " + subdomain_message());
    }
  }
  if (name.empty()) {
    out.emplace_back("name part must be non-empty");
  } else if (name.size() > 63) {
    out.push_back("name part " + max_bytes_message(63));
  }
  if (!matches_key(name)) out.push_back("name part " + regex());
  return out;
}

Messages check_label_value(std::string_view value) {
  Messages out;
  if (value.size() > 63) out.push_back(max_bytes_message(63));
  if (!value.empty() && !matches_key(value)) {
    out.push_back(
        regex_message("a valid label must be an empty string or consist of alphanumeric "
                      "characters, '-', '_' or '.', and must start and end with an "
                      "alphanumeric character",
                      "(" + std::string(kKey) + ")?", {"MyValue", "my_value", "12345"}));
  }
  return out;
}

Messages check_path_segment_name(std::string_view value) {
  if (value == "." || value == "..") return {"may not be '" + std::string(value) + "'"};
  Messages out;
  for (std::string_view part : {"/", "%"}) {
    if (value.find(part) != std::string_view::npos) {
      out.push_back("may not contain '" + std::string(part) + "'");
    }
  }
  return out;
}

Messages check_port_name(std::string_view value) {
  Messages out;
  if (value.size() > 15) out.push_back(max_length_message(15));
  if (value.empty() || !all_of(value, [](char c) { return is_lower_alnum(c) || c == '-'; })) {
    out.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::none_of(value.begin(), value.end(), is_lower)) {
    out.emplace_back("must contain at least one letter (a-z)");
  }
  if (value.find("--") != std::string_view::npos) {
    out.emplace_back("must not contain consecutive hyphens");
  }
  if (!value.empty() && (value.front() == '-' || value.back() == '-')) {
    out.emplace_back("must not begin or end with a hyphen");
  }
  return out;
}

Messages check_port_number(std::int64_t value) {
  if (value >= 1 && value <= 65535) return {};
  return {range_message(1, 65535)};
}

Messages check_config_map_key(std::string_view value) {
  Messages out;
  if (value.size() > 253) out.push_back(max_length_message(253));
  if (value.empty() ||
      !all_of(value, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; })) {
    out.push_back(
        regex_message("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                      "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  add_dot_dot(value, out);
  return out;
}

Messages check_env_var_name(std::string_view value) {
  if (value.empty()) return {"environment variable name must be non-empty"};
  if (all_of(value, [](char c) { return c >= 0x20 && c < 0x7f && c != '='; })) return {};
  return {
      "a valid environment variable name must consist only of printable ASCII characters other "
      "than '='"};
}

Messages check_percent(std::string_view value) {
  const bool good = value.size() > 1 && value.back() == '%' &&
                    all_of(value.substr(0, value.size() - 1), is_digit);
  if (good) return {};
  return {regex_message("a valid percent string must be a numeric string followed by an ending '%'",
                        "[0-9]+%", {"1%", "93%"})};
}

bool is_ipv4(std::string_view value) {
  in_addr address;
  return inet_pton(AF_INET, std::string(value).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view value) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(value).c_str(), &address) == 1;
}

Messages check_ip(std::string_view value) {
  if (is_ipv4(value) || is_ipv6(value)) return {};
  return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

}  // namespace coracle::api
