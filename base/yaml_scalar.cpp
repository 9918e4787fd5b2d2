#include "base/yaml_scalar.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>

namespace coracle::yaml {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <size_t N>
bool any_of(std::string_view text, const std::string_view (&words)[N]) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

constexpr std::string_view kTrue[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON"};
constexpr std::string_view kFalse[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                       "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view kNull[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kNotFinite[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                           "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

// Go's strconv.ParseInt(text, 0, 64), underscores removed before.
std::optional<json::value> parse_integer(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
    base = 16;
  else if (text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B'))
    base = 2;
  else if (text.size() > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'O'))
    base = 8;
  if (base != 10)
    text.remove_prefix(2);
  else if (text.size() > 1 && text[0] == '0')
    base = 8;
  if (text.empty()) return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMax = std::uint64_t{1} << 63;
  if (negative) {
    if (magnitude > kMax) return std::nullopt;
    return json::value(static_cast<std::int64_t>(~magnitude + 1));
  }
  if (magnitude < kMax) return json::value(static_cast<std::int64_t>(magnitude));
  return json::value(magnitude);
}

// [-+]?[0-9]*\.?[0-9]+([eE][-+][0-9]+)?
bool looks_like_float(std::string_view t) {
  size_t i = 0;
  const auto run = [&] {
    const size_t start = i;
    while (i < t.size() && is_digit(t[i])) ++i;
    return i - start;
  };
  if (i < t.size() && (t[i] == '-' || t[i] == '+')) ++i;
  size_t count = run();
  if (i < t.size() && t[i] == '.') {
    ++i;
    count = run();
  }
  if (count == 0) return false;
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i >= t.size() || (t[i] != '-' && t[i] != '+')) return false;
    ++i;
    if (run() == 0) return false;
  }
  return i == t.size();
}

bool looks_like_timestamp(std::string_view t) {
  size_t i = 0;
  const auto number = [&](size_t low, size_t high) {
    const size_t start = i;
    while (i < t.size() && is_digit(t[i]) && i - start < high) ++i;
    return i - start >= low;
  };
  const auto literal = [&](char c) { return i < t.size() && t[i] == c && (++i, true); };
  if (!number(4, 4) || !literal('-') || !number(1, 2) || !literal('-') || !number(1, 2))
    return false;
  if (i == t.size()) return true;
  const char separator = t[i];
  if (separator != 'T' && separator != 't' && separator != ' ') return false;
  ++i;
  if (!number(1, 2) || !literal(':') || !number(1, 2) || !literal(':') || !number(1, 2))
    return false;
  if (literal('.') && !number(1, 9)) return false;
  if (i == t.size()) return separator == ' ';
  if (separator == ' ') return false;
  if (literal('Z')) return i == t.size();
  if (t[i] != '+' && t[i] != '-') return false;
  ++i;
  return number(2, 2) && literal(':') && number(2, 2) && i == t.size();
}

}  // namespace

ScalarType resolve_plain(std::string_view text, json::value* value) {
  const auto give = [value](json::value v) {
    if (value != nullptr) *value = std::move(v);
  };
  if (any_of(text, kNull)) return give(nullptr), ScalarType::kNull;
  if (any_of(text, kTrue)) return give(true), ScalarType::kBool;
  if (any_of(text, kFalse)) return give(false), ScalarType::kBool;
  if (text == "<<") return give(json::value(text)), ScalarType::kMerge;
  if (any_of(text, kNotFinite)) return give(json::value(text)), ScalarType::kNotFinite;
  const char first = text[0];
  if (is_digit(first) || first == '-' || first == '+' || first == '.') {
    if (is_digit(first) && looks_like_timestamp(text)) {
      return give(json::value(text)), ScalarType::kTimestamp;
    }
    std::string plain;
    for (const char c : text) {
      if (c != '_') plain += c;
    }
    if (auto integer = parse_integer(plain)) return give(std::move(*integer)), ScalarType::kInt;
    if (looks_like_float(plain)) {
      return give(std::strtod(plain.c_str(), nullptr)), ScalarType::kFloat;
    }
  }
  give(json::value(text));
  return ScalarType::kString;
}

}  // namespace coracle::yaml
