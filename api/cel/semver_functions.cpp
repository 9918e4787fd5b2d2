// Semantic versions (semver.org 2.0.0).
#include <algorithm>

#include "api/cel/functions.hpp"
#include "api/cel/opaque.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
bool identifiers(std::string_view text) {
  for (const std::string& part : split(text, '.')) {
    const bool good = !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-';
    });
    if (!good) return false;
  }
  return !text.empty() && !text.ends_with('.');
}
bool number(std::string_view text, bool lenient, std::int64_t& out) {
  long long value = 0;
  if (!all_digits(text) || (!lenient && text.size() > 1 && text[0] == '0')) return false;
  if (!parse_int(text, &value)) return false;
  out = value;
  return true;
}

// `lenient` drops a leading v, adds what is missing and allows leading zeros.
Value semver(std::string_view text, bool lenient) {
  const Value bad = Value::error("No Major.Minor.Patch elements found");
  Opaque o;
  o.parts = {"", ""};
  std::string_view rest = text;
  if (lenient && rest.starts_with('v')) rest.remove_prefix(1);
  if (const std::size_t plus = rest.find('+'); plus != std::string_view::npos) {
    o.parts[1] = rest.substr(plus + 1);
    if (!identifiers(o.parts[1])) return bad;
    rest = rest.substr(0, plus);
  }
  if (const std::size_t dash = rest.find('-'); dash != std::string_view::npos) {
    o.parts[0] = rest.substr(dash + 1);
    if (!identifiers(o.parts[0])) return bad;
    rest = rest.substr(0, dash);
  }
  std::vector<std::string> numbers = split(rest, '.');
  while (lenient && !numbers.empty() && numbers.size() < 3) numbers.push_back("0");
  if (numbers.size() != 3 || !number(numbers[0], lenient, o.major) ||
      !number(numbers[1], lenient, o.minor) || !number(numbers[2], lenient, o.patch)) {
    return bad;
  }
  o.text = std::to_string(o.major) + "." + std::to_string(o.minor) + "." + std::to_string(o.patch);
  if (!o.parts[0].empty()) o.text += "-" + o.parts[0];
  if (!o.parts[1].empty()) o.text += "+" + o.parts[1];
  return Value::opaque(Kind::kSemver, std::move(o));
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_prerelease(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return order(a.empty(), b.empty());
  const auto x = split(a, '.'), y = split(b, '.');
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (x[i] == y[i]) continue;
    const bool digits_x = all_digits(x[i]), digits_y = all_digits(y[i]);
    if (digits_x != digits_y) return digits_x ? -1 : 1;
    if (digits_x && x[i].size() != y[i].size()) return order(x[i].size(), y[i].size());
    return order(x[i], y[i]);
  }
  return order(x.size(), y.size());
}

int compare_versions(const Opaque& a, const Opaque& b) {
  if (a.major != b.major) return order(a.major, b.major);
  if (a.minor != b.minor) return order(a.minor, b.minor);
  if (a.patch != b.patch) return order(a.patch, b.patch);
  return compare_prerelease(a.parts[0], b.parts[0]);
}
std::int64_t compared(Args a) { return compare_versions(a[0].as_opaque(), a[1].as_opaque()); }

constexpr Overload kSemver[] = {
    {"semver", "s:v", [](Args a, Budget&) { return semver(a[0].as_text(), false); }},
    {"semver", "sb:v", [](Args a, Budget&) { return semver(a[0].as_text(), a[1].as_bool()); }},
    {"isSemver", "s:b",
     [](Args a, Budget&) { return Value::of(!semver(a[0].as_text(), false).is_error()); }},
    {"isSemver", "sb:b",
     [](Args a, Budget&) { return Value::of(!semver(a[0].as_text(), a[1].as_bool()).is_error()); }},
    {"major", "v.:i", [](Args a, Budget&) { return Value::of(a[0].as_opaque().major); }},
    {"minor", "v.:i", [](Args a, Budget&) { return Value::of(a[0].as_opaque().minor); }},
    {"patch", "v.:i", [](Args a, Budget&) { return Value::of(a[0].as_opaque().patch); }},
    {"compareTo", "v.v:i", [](Args a, Budget&) { return Value::of(compared(a)); }},
    {"isGreaterThan", "v.v:b", [](Args a, Budget&) { return Value::of(compared(a) > 0); }},
    {"isLessThan", "v.v:b", [](Args a, Budget&) { return Value::of(compared(a) < 0); }},
};

}  // namespace

std::span<const Overload> semver_overloads() { return kSemver; }

}  // namespace coracle::api::cel
