#include "base/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace coracle {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kWallMin = -2'208'988'800;  // 1900-01-01T00:00:00Z
constexpr std::int64_t kWallMax = 6'942'585'600;   // 2190-01-01T00:00:00Z

// `width` digits into `to`.
void put_digits(char* to, int width, unsigned value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// By hand: every write of an object has some, and a format string is read each time.
std::string format_seconds(std::int64_t since) {
  const std::chrono::sys_seconds time{seconds(since)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto clock = std::chrono::hh_mm_ss(time - day);
  std::string text = "0000-00-00T00:00:00";
  put_digits(text.data(), 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put_digits(text.data() + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text.data() + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text.data() + 11, 2, static_cast<unsigned>(clock.hours().count()));
  put_digits(text.data() + 14, 2, static_cast<unsigned>(clock.minutes().count()));
  put_digits(text.data() + 17, 2, static_cast<unsigned>(clock.seconds().count()));
  return text;
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

Result<Timestamp> parse_timestamp(std::string_view text) {
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
  std::int32_t nanos = 0;
  if (text[at] == '.') {
    ++at;
    std::int32_t unit = 100'000'000;
    const size_t first = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) {
      nanos += (text[at] - '0') * unit;
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
  const auto moment =
      std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
  const Timestamp out{moment.time_since_epoch() / seconds(1), nanos};
  if (out.seconds < kTimestampMin || out.seconds > kTimestampMax) return bad();
  return out;
}

std::string format_timestamp(Timestamp time) { return format_seconds(time.seconds) + "Z"; }

std::string format_micro_timestamp(Timestamp time) {
  return format_seconds(time.seconds) + fmt::format(".{:06}Z", time.nanos / 1000);
}

Timestamp to_timestamp(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  return {whole.time_since_epoch().count(), static_cast<std::int32_t>((time - whole).count())};
}

WallTime to_wall_time(Timestamp time) {
  if (time.seconds < kWallMin || time.seconds >= kWallMax) {
    time = {std::clamp(time.seconds, kWallMin, kWallMax), 0};
  }
  return WallTime(seconds(time.seconds) + std::chrono::nanoseconds(time.nanos));
}

}  // namespace coracle
