// int(), string() and their like; type() and dyn(); optionals.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/cel/functions.hpp"
#include "api/cel/opaque.hpp"
#include "api/cel/time.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

constexpr double kTwo63 = 9223372036854775808.0;

Value bad_conversion(const Value& from, std::string_view to) {
  return Value::error("type conversion error from '" + std::string(type_name(from)) + "' to '" +
                      std::string(to) + "'");
}
Value out_of_range() { return Value::error("integer overflow"); }
Value unsigned_out_of_range() { return Value::error("unsigned integer overflow"); }

template <class T>
std::optional<T> parsed(std::string_view text) {
  T out{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto done = std::from_chars(text.data(), text.data() + text.size(), out);
  if (done.ec != std::errc() || done.ptr != text.data() + text.size()) return std::nullopt;
  return out;
}

Value int_of_double(Args a, Budget&) {
  const double d = a[0].as_double();
  if (!(d > -kTwo63 && d < kTwo63)) return out_of_range();
  return Value::of(static_cast<std::int64_t>(d));
}
Value int_of_uint(Args a, Budget&) {
  if (a[0].as_uint() > static_cast<std::uint64_t>(INT64_MAX)) return out_of_range();
  return Value::of(static_cast<std::int64_t>(a[0].as_uint()));
}
Value int_of_text(Args a, Budget&) {
  const auto i = parsed<std::int64_t>(a[0].as_text());
  return i ? Value::of(*i) : bad_conversion(a[0], "int");
}
Value uint_of_double(Args a, Budget&) {
  const double d = a[0].as_double();
  if (!(d >= 0 && d < 2 * kTwo63)) return unsigned_out_of_range();
  return Value::of(static_cast<std::uint64_t>(d));
}
Value uint_of_int(Args a, Budget&) {
  if (a[0].as_int() < 0) return unsigned_out_of_range();
  return Value::of(static_cast<std::uint64_t>(a[0].as_int()));
}
Value uint_of_text(Args a, Budget&) {
  const auto u = parsed<std::uint64_t>(a[0].as_text());
  return u ? Value::of(*u) : bad_conversion(a[0], "uint");
}
Value double_of_text(Args a, Budget&) {
  const auto d = parsed<double>(a[0].as_text());
  return d ? Value::of(*d) : bad_conversion(a[0], "double");
}
Value bool_of_text(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return Value::of(true);
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return Value::of(false);
  }
  return bad_conversion(a[0], "bool");
}

bool valid_utf8(std::string_view text) {
  // Boost's parser is the one place that knows; a quoted text with nothing to escape but these.
  std::string quoted_text = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    quoted_text += byte < 0x20 || c == '"' || c == '\\' ? ' ' : c;
  }
  return parse_json(quoted_text + "\"").ok();
}

Value text_of_bytes(Args a, Budget&) {
  if (!valid_utf8(a[0].as_text())) {
    return Value::error("invalid UTF-8 in bytes, cannot convert to string");
  }
  return Value::text(std::string(a[0].as_text()));
}

// As Go's FormatFloat with 'g' and the fewest digits.
std::string double_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific);
  const std::string exact(buffer, end.ptr);
  const auto exponent = parsed<int>(std::string_view(exact).substr(exact.find('e') + 1));
  if (*exponent < -4 || *exponent >= 6) return exact;
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed);
  return {buffer, fixed.ptr};
}

Value timestamp_of_text(Args a, Budget&) {
  const auto moment = parse_moment(a[0].as_text());
  return moment ? Value::timestamp(*moment) : bad_conversion(a[0], "google.protobuf.Timestamp");
}
Value timestamp_of_int(Args a, Budget&) {
  if (a[0].as_int() < kMomentMin || a[0].as_int() > kMomentMax) {
    return Value::error("timestamp overflow");
  }
  return Value::timestamp({a[0].as_int(), 0});
}
Value duration_of_text(Args a, Budget&) {
  const auto span = parse_duration(a[0].as_text());
  return span.ok() ? Value::duration(span->count())
                   : bad_conversion(a[0], "google.protobuf.Duration");
}

Value same(Args a, Budget&) { return a[0]; }

bool is_zero(const Value& v) {
  switch (v.kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return !v.as_bool();
    case Kind::kInt:
    case Kind::kDuration:
      return v.as_int() == 0;
    case Kind::kUint:
      return v.as_uint() == 0;
    case Kind::kDouble:
      return v.as_double() == 0;
    case Kind::kString:
    case Kind::kBytes:
      return v.as_text().empty();
    case Kind::kList:
    case Kind::kMap:
      return v.size() == 0;
    case Kind::kOptional:
      return v.inner() == nullptr;
    default:
      return false;
  }
}

Value value_of_optional(Args a, Budget&) {
  return a[0].inner() ? *a[0].inner() : Value::error("optional.none() dereference");
}

constexpr Overload kConversions[] = {
    {"int", "i:i", same},
    {"int", "u:i", int_of_uint},
    {"int", "d:i", int_of_double},
    {"int", "s:i", int_of_text},
    {"int", "t:i", [](Args a, Budget&) { return Value::of(a[0].as_moment().seconds); }},
    {"uint", "u:u", same},
    {"uint", "i:u", uint_of_int},
    {"uint", "d:u", uint_of_double},
    {"uint", "s:u", uint_of_text},
    {"double", "d:d", same},
    {"double", "i:d",
     [](Args a, Budget&) { return Value::of(static_cast<double>(a[0].as_int())); }},
    {"double", "u:d",
     [](Args a, Budget&) { return Value::of(static_cast<double>(a[0].as_uint())); }},
    {"double", "s:d", double_of_text},
    {"bool", "b:b", same},
    {"bool", "s:b", bool_of_text},
    {"string", "s:s", same},
    {"string", "y:s", text_of_bytes},
    {"string", "*:s", [](Args a, Budget&) { return to_text(a[0]); }},
    {"bytes", "y:y", same},
    {"bytes", "s:y",
     [](Args a, Budget&) { return Value::text(std::string(a[0].as_text()), Kind::kBytes); }},
    {"timestamp", "t:t", same},
    {"timestamp", "s:t", timestamp_of_text},
    {"timestamp", "i:t", timestamp_of_int},
    {"duration", "D:D", same},
    {"duration", "s:D", duration_of_text},
    {"dyn", "*:*", same},
    {"type", "*:T",
     [](Args a, Budget&) { return Value::text(std::string(type_name(a[0])), Kind::kType); }},
    {"optional.of", "*:o*", [](Args a, Budget&) { return Value::optional(a[0]); }},
    {"optional.none", ":o*", [](Args, Budget&) { return Value::optional(std::nullopt); }},
    {"optional.ofNonZeroValue", "*:o*",
     [](Args a, Budget&) {
       return is_zero(a[0]) ? Value::optional(std::nullopt) : Value::optional(a[0]);
     }},
    {"hasValue", "o.:b", [](Args a, Budget&) { return Value::of(a[0].inner() != nullptr); }},
    {"value", "o.:E", value_of_optional},
    {"or", "o.o:=", [](Args a, Budget&) { return a[0].inner() ? a[0] : a[1]; }},
    {"orValue", "o.*:E", [](Args a, Budget&) { return a[0].inner() ? *a[0].inner() : a[1]; }},
};

}  // namespace

std::span<const Overload> conversion_overloads() { return kConversions; }

Value to_text(const Value& value) {
  switch (value.kind) {
    case Kind::kString:
      return value;
    case Kind::kBool:
      return Value::text(value.as_bool() ? "true" : "false");
    case Kind::kInt:
      return Value::text(std::to_string(value.as_int()));
    case Kind::kUint:
      return Value::text(std::to_string(value.as_uint()));
    case Kind::kDouble:
      return Value::text(double_text(value.as_double()));
    case Kind::kTimestamp:
      return Value::text(format_moment(value.as_moment()));
    case Kind::kDuration:
      return Value::text(format_span(value.as_int()));
    case Kind::kQuantity:
      return Value::text(value.as_quantity().text());
    case Kind::kType:
      return Value::text(std::string(value.as_text()));
    case Kind::kIp:
    case Kind::kCidr:
    case Kind::kUrl:
    case Kind::kSemver:
      return Value::text(value.as_opaque().text);
    default:
      return no_such_overload();
  }
}

}  // namespace coracle::api::cel
