#include "api/cel/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

constexpr int kPrecisionMax = 100;

Value wrong(std::string_view clause, const Value& value) {
  return Value::error("error during formatting: " + std::string(clause) +
                      " clause can only be used on other types, was given " +
                      std::string(type_name(value)));
}

// %s of anything; texts inside of lists and maps are quoted.
std::string plain(const Value& value, bool nested) {
  switch (value.kind) {
    case Kind::kString:
      return nested ? quoted(value.as_text()) : std::string(value.as_text());
    case Kind::kBytes:
      return std::string(value.as_text());
    case Kind::kNull:
      return "null";
    case Kind::kList: {
      std::string out;
      for (std::size_t i = 0; i < value.size(); ++i) {
        out += (i == 0 ? "" : ", ") + plain(value.at(i), true);
      }
      return "[" + out + "]";
    }
    case Kind::kMap: {
      std::vector<std::string> parts;
      for (const auto& [key, member] : value.entries()) {
        parts.push_back(plain(key, true) + ": " + plain(member, true));
      }
      std::ranges::sort(parts);
      return "{" + join(parts, ", ") + "}";
    }
    default: {
      const Value text = to_text(value);
      return text.is_error() ? std::string(type_name(value)) : std::string(text.as_text());
    }
  }
}

Value decimal(const Value& value) {
  if (value.is(Kind::kInt) || value.is(Kind::kUint) || value.is(Kind::kDouble))
    return to_text(value);
  return wrong("decimal", value);
}

Value real(const Value& value, char clause, int precision) {
  double d = 0;
  if (value.is(Kind::kDouble)) {
    d = value.as_double();
  } else if (value.is(Kind::kInt)) {
    d = static_cast<double>(value.as_int());
  } else if (value.is(Kind::kUint)) {
    d = static_cast<double>(value.as_uint());
  } else {
    return wrong(clause == 'f' ? "fixed-point" : "scientific", value);
  }
  if (std::isnan(d)) return Value::text("NaN");
  if (std::isinf(d)) return Value::text(d > 0 ? "Infinity" : "-Infinity");
  return Value::text(clause == 'f' ? fmt::format("{:.{}f}", d, precision)
                                   : fmt::format("{:.{}e}", d, precision));
}

Value in_base(const Value& value, char clause) {
  if (clause == 'b' && value.is(Kind::kBool)) return Value::text(value.as_bool() ? "1" : "0");
  if (value.is(Kind::kUint) || value.is(Kind::kInt)) {
    const bool negative = value.is(Kind::kInt) && value.as_int() < 0;
    const std::uint64_t size = value.is(Kind::kUint) ? value.as_uint()
                               : negative ? ~static_cast<std::uint64_t>(value.as_int()) + 1
                                          : static_cast<std::uint64_t>(value.as_int());
    const std::string digits = clause == 'b'   ? fmt::format("{:b}", size)
                               : clause == 'o' ? fmt::format("{:o}", size)
                               : clause == 'x' ? fmt::format("{:x}", size)
                                               : fmt::format("{:X}", size);
    return Value::text((negative ? "-" : "") + digits);
  }
  const bool hex = clause == 'x' || clause == 'X';
  if (!hex || (!value.is(Kind::kString) && !value.is(Kind::kBytes))) return wrong("integer", value);
  std::string out = hex_encode(value.as_text());
  if (clause == 'X')
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return Value::text(std::move(out));
}

Value clause_text(char clause, int precision, const Value& value) {
  switch (clause) {
    case 's':
      return Value::text(plain(value, false));
    case 'd':
      return decimal(value);
    case 'f':
    case 'e':
      return real(value, clause, precision);
    case 'b':
    case 'o':
    case 'x':
    case 'X':
      return in_base(value, clause);
    default:
      return Value::error("could not parse formatting clause: unrecognized formatting clause \"" +
                          std::string(1, clause) + "\"");
  }
}

}  // namespace

Value format_text(Args args, Budget& budget) {
  const std::string_view text = args[0].as_text();
  std::string out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (++i < text.size() && text[i] == '%') {
      out += '%';
      continue;
    }
    int precision = 6;
    if (i < text.size() && text[i] == '.') {
      precision = 0;
      for (++i; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
        precision = std::min(precision * 10 + (text[i] - '0'), kPrecisionMax);
      }
    }
    if (i >= text.size()) return Value::error("unexpected end of string");
    if (next >= args[1].size()) {
      return Value::error("index " + std::to_string(next) + " out of range");
    }
    const Value item = args[1].at(next++);
    if (!budget.charge(traversal_cost(weight(item, budget.left)))) {
      return Value::error(std::string(kBudgetSpent));
    }
    const Value piece = clause_text(text[i], precision, item);
    if (piece.is_error()) return piece;
    out += piece.as_text();
  }
  return Value::text(std::move(out));
}

}  // namespace coracle::api::cel
