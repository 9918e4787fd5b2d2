#include "api/cel/time.hpp"

#include <fmt/format.h>

#include <limits>

namespace coracle::api::cel {

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kSecond = 1'000'000'000;

// Days since 1970-01-01 of the proleptic Gregorian calendar, and back.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_from_days(std::int64_t days, Civil& out) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int of_year =
      static_cast<int>(of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  const int shifted = (5 * of_year + 2) / 153;
  out.day = of_year - (153 * shifted + 2) / 5 + 1;
  out.month = shifted + (shifted < 10 ? 3 : -9);
  out.year = year_of_era + era * 400 + (out.month <= 2 ? 1 : 0);
}

int month_days(std::int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Reads digits and fixed marks; fails for good at the first misfit.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  int number(std::size_t digits) {
    if (rest_.size() < digits) return fail();
    int value = 0;
    for (char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  void mark(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) {
      fail();
    } else {
      rest_.remove_prefix(1);
    }
  }
  int fraction() {  // of nine digits; none is zero
    if (rest_.empty() || rest_[0] != '.') return 0;
    rest_.remove_prefix(1);
    int value = 0, count = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; ++count) {
      if (count < 9) value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    if (count == 0) return fail();
    for (; count < 9; ++count) value *= 10;
    return value;
  }
  std::string_view rest() const { return rest_; }
  bool ok() const { return ok_; }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
  Cursor in(text);
  const int year = in.number(4);
  in.mark("-");
  const int month = in.number(2);
  in.mark("-");
  const int day = in.number(2);
  in.mark("Tt");
  const int hour = in.number(2);
  in.mark(":");
  const int minute = in.number(2);
  in.mark(":");
  const int second = in.number(2);
  const int nanos = in.fraction();
  if (!in.ok() || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  if (day < 1 || day > month_days(year, month)) return std::nullopt;
  std::int64_t offset = 0;
  if (in.rest() != "Z" && in.rest() != "z") {
    if (in.rest().empty() || (in.rest()[0] != '+' && in.rest()[0] != '-')) return std::nullopt;
    const auto parsed = parse_offset(in.rest());
    if (!parsed) return std::nullopt;
    offset = *parsed;
  }
  const std::int64_t seconds =
      days_from_civil(year, month, day) * kDay + hour * 3600 + minute * 60 + second - offset;
  if (seconds < kMomentMin || seconds > kMomentMax) return std::nullopt;
  return Moment{seconds, nanos};
}

Civil civil_of(Moment moment, std::int64_t offset_seconds) {
  const std::int64_t seconds = moment.seconds + offset_seconds;
  std::int64_t days = seconds / kDay;
  if (seconds % kDay < 0) --days;
  const int of_day = static_cast<int>(seconds - days * kDay);
  Civil out{};
  civil_from_days(days, out);
  out.hour = of_day / 3600;
  out.minute = of_day / 60 % 60;
  out.second = of_day % 60;
  out.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
  out.year_day = static_cast<int>(days - days_from_civil(out.year, 1, 1));
  return out;
}

std::string format_moment(Moment moment) {
  const Civil c = civil_of(moment, 0);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day,
                                c.hour, c.minute, c.second);
  if (moment.nanos != 0) {
    out += fmt::format(".{:09}", moment.nanos);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

std::optional<std::int64_t> parse_offset(std::string_view zone) {
  if (zone.empty() || zone == "UTC" || zone == "Z") return 0;
  const bool negative = zone[0] == '-';
  if (negative || zone[0] == '+') zone.remove_prefix(1);
  Cursor in(zone);
  const int hours = in.number(2);
  in.mark(":");
  const int minutes = in.number(2);
  if (!in.ok() || !in.rest().empty() || hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t offset = hours * 3600 + minutes * 60;
  return negative ? -offset : offset;
}

std::string format_span(std::int64_t nanos) {
  const bool negative = nanos < 0;
  const auto size =
      negative ? ~static_cast<std::uint64_t>(nanos) + 1 : static_cast<std::uint64_t>(nanos);
  std::string out = (negative ? "-" : "") + std::to_string(size / kSecond);
  if (size % kSecond != 0) {
    out += fmt::format(".{:09}", size % kSecond);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "s";
}

std::optional<Moment> add_span(Moment moment, std::int64_t nanos) {
  std::int64_t seconds = moment.seconds + nanos / kSecond;
  std::int64_t rest = moment.nanos + nanos % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  } else if (rest >= kSecond) {
    rest -= kSecond;
    ++seconds;
  }
  if (seconds < kMomentMin || seconds > kMomentMax) return std::nullopt;
  return Moment{seconds, static_cast<std::int32_t>(rest)};
}

std::optional<std::int64_t> difference(Moment a, Moment b) {
  const __int128 nanos =
      static_cast<__int128>(a.seconds - b.seconds) * kSecond + (a.nanos - b.nanos);
  if (nanos > std::numeric_limits<std::int64_t>::max() ||
      nanos < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(nanos);
}

}  // namespace coracle::api::cel
