#include "base/clock.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>

namespace coracle {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string format_seconds(WallTime time) {
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto clock = std::chrono::hh_mm_ss(floor<seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// Reads exactly `count` digits at `at`; -1 if they are not there.
int digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string format_time(WallTime time) { return format_seconds(time) + "Z"; }

std::string format_micro_time(WallTime time) {
  const auto micros = floor<microseconds>(time - floor<seconds>(time)).count();
  return format_seconds(time) + fmt::format(".{:06}Z", micros);
}

Result<WallTime> parse_time(std::string_view text) {
  const auto bad = [&] {
    return invalid_argument(fmt::format("\"{}\" is not an RFC 3339 time", text));
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return bad();
  }
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 0 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return bad();
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return bad();
  size_t at = 19;
  Duration fraction{0};
  if (text[at] == '.') {
    ++at;
    std::int64_t unit = 100'000'000;
    const size_t first = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) {
      fraction += Duration((text[at] - '0') * unit);
      unit /= 10;
    }
    if (at == first) return bad();
  }
  minutes offset{0};
  if (at >= text.size()) return bad();
  if (text[at] == 'Z' || text[at] == 'z') {
    if (at + 1 != text.size()) return bad();
  } else if (text[at] == '+' || text[at] == '-') {
    const int oh = digits(text, at + 1, 2), om = digits(text, at + 4, 2);
    if (text.size() != at + 6 || text[at + 3] != ':' || oh < 0 || om < 0) return bad();
    offset = minutes(oh * 60 + om) * (text[at] == '-' ? -1 : 1);
  } else {
    return bad();
  }
  const auto base = std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  return WallTime(base.time_since_epoch() - offset + fraction);
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
