// Parts of timestamps and durations.
#include "api/cel/functions.hpp"
#include "api/cel/time.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::int64_t kMilli = 1'000'000, kSecond = 1'000'000'000;

template <std::int64_t (*Part)(const Civil&, Moment)>
Value part(Args a, Budget&) {
  std::int64_t offset = 0;
  if (a.size() == 2) {
    const auto parsed = parse_offset(a[1].as_text());
    if (!parsed) return Value::error("unknown time zone " + std::string(a[1].as_text()));
    offset = *parsed;
  }
  return Value::of(Part(civil_of(a[0].as_moment(), offset), a[0].as_moment()));
}

template <std::int64_t Unit>
Value of_span(Args a, Budget&) {
  return Value::of(a[0].as_int() / Unit);
}

std::int64_t year(const Civil& c, Moment) { return c.year; }
std::int64_t month(const Civil& c, Moment) { return c.month - 1; }
std::int64_t date(const Civil& c, Moment) { return c.day; }
std::int64_t day_of_month(const Civil& c, Moment) { return c.day - 1; }
std::int64_t day_of_week(const Civil& c, Moment) { return c.weekday; }
std::int64_t day_of_year(const Civil& c, Moment) { return c.year_day; }
std::int64_t hours(const Civil& c, Moment) { return c.hour; }
std::int64_t minutes(const Civil& c, Moment) { return c.minute; }
std::int64_t seconds(const Civil& c, Moment) { return c.second; }
std::int64_t millis(const Civil&, Moment m) { return m.nanos / kMilli; }

constexpr Overload kTimes[] = {
    {"getFullYear", "t.:i", part<year>},
    {"getFullYear", "t.s:i", part<year>},
    {"getMonth", "t.:i", part<month>},
    {"getMonth", "t.s:i", part<month>},
    {"getDate", "t.:i", part<date>},
    {"getDate", "t.s:i", part<date>},
    {"getDayOfMonth", "t.:i", part<day_of_month>},
    {"getDayOfMonth", "t.s:i", part<day_of_month>},
    {"getDayOfWeek", "t.:i", part<day_of_week>},
    {"getDayOfWeek", "t.s:i", part<day_of_week>},
    {"getDayOfYear", "t.:i", part<day_of_year>},
    {"getDayOfYear", "t.s:i", part<day_of_year>},
    {"getHours", "t.:i", part<hours>},
    {"getHours", "t.s:i", part<hours>},
    {"getMinutes", "t.:i", part<minutes>},
    {"getMinutes", "t.s:i", part<minutes>},
    {"getSeconds", "t.:i", part<seconds>},
    {"getSeconds", "t.s:i", part<seconds>},
    {"getMilliseconds", "t.:i", part<millis>},
    {"getMilliseconds", "t.s:i", part<millis>},
    {"getHours", "D.:i", of_span<3600 * kSecond>},
    {"getMinutes", "D.:i", of_span<60 * kSecond>},
    {"getSeconds", "D.:i", of_span<kSecond>},
    {"getMilliseconds", "D.:i", of_span<kMilli>},
};

}  // namespace

std::span<const Overload> time_overloads() { return kTimes; }

}  // namespace coracle::api::cel
