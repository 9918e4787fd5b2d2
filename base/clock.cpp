#include "base/clock.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "base/timestamp.hpp"

namespace coracle {
namespace {

using std::chrono::seconds;

}  // namespace

std::string format_time(WallTime time) { return format_timestamp(to_timestamp(time)); }

std::string format_micro_time(WallTime time) { return format_micro_timestamp(to_timestamp(time)); }

Result<WallTime> parse_time(std::string_view text) {
  ASSIGN_OR_RETURN(const Timestamp time, parse_timestamp(text));
  return to_wall_time(time);
}

std::string human_duration(Duration age) {
  // The thresholds of apimachinery's duration.HumanDuration: fewer digits as the age grows.
  const std::int64_t s = std::chrono::duration_cast<seconds>(age).count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 60 * 2) return fmt::format("{}s", s);
  const std::int64_t m = s / 60;
  if (m < 10) return s % 60 ? fmt::format("{}m{}s", m, s % 60) : fmt::format("{}m", m);
  if (m < 60 * 3) return fmt::format("{}m", m);
  const std::int64_t h = m / 60;
  if (h < 8) return m % 60 ? fmt::format("{}h{}m", h, m % 60) : fmt::format("{}h", h);
  if (h < 48) return fmt::format("{}h", h);
  if (h < 24 * 8)
    return h % 24 ? fmt::format("{}d{}h", h / 24, h % 24) : fmt::format("{}d", h / 24);
  if (h < 24 * 365 * 2) return fmt::format("{}d", h / 24);
  const std::int64_t d = h / 24, y = d / 365;
  if (h < 24 * 365 * 8) return d % 365 ? fmt::format("{}y{}d", y, d % 365) : fmt::format("{}y", y);
  return fmt::format("{}y", y);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] { return invalid_argument(fmt::format("invalid duration \"{}\"", text)); };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration(0);
  if (rest.empty()) return bad();
  double total_ns = 0;
  while (!rest.empty()) {
    size_t end = 0;
    while (end < rest.size() &&
           (std::isdigit(static_cast<unsigned char>(rest[end])) || rest[end] == '.'))
      ++end;
    if (end == 0 || rest.substr(0, end) == ".") return bad();
    const double number = std::strtod(std::string(rest.substr(0, end)).c_str(), nullptr);
    rest.remove_prefix(end);
    size_t unit_end = 0;
    while (unit_end < rest.size() && rest[unit_end] != '.' &&
           !std::isdigit(static_cast<unsigned char>(rest[unit_end]))) {
      ++unit_end;
    }
    const std::string_view unit = rest.substr(0, unit_end);
    rest.remove_prefix(unit_end);
    double scale = 0;
    if (unit == "ns")
      scale = 1;
    else if (unit == "us" || unit == "\xc2\xb5s" || unit == "\xce\xbcs")
      scale = 1e3;
    else if (unit == "ms")
      scale = 1e6;
    else if (unit == "s")
      scale = 1e9;
    else if (unit == "m")
      scale = 60e9;
    else if (unit == "h")
      scale = 3600e9;
    else
      return bad();
    total_ns += number * scale;
  }
  if (total_ns > 9.2e18) return bad();
  const auto ns = static_cast<std::int64_t>(total_ns + 0.5);
  return Duration(negative ? -ns : ns);
}

}  // namespace coracle
