#include "api/cron_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::api {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

struct CronSchedule::Bounds {
  int low = 0, high = 0;
  std::array<std::string_view, 13> names;  // jan, feb...; names[i] means i
};

namespace {

constexpr int kYearsAhead = 5;
constexpr std::int64_t kDay = 86400;
enum { kMinute, kHour, kDayOfMonth, kMonth, kWeekday };

struct Descriptor {
  std::string_view name, fields;
};
constexpr Descriptor kDescriptors[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

Status problem(std::string text) { return invalid_argument(std::move(text)); }

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  return value - (value % unit + unit) % unit;
}

// A local time, counted like UTC.
class LocalClock {
 public:
  LocalClock(const TimeZone& zone, std::int64_t start) : zone_(zone), at_(start) {}
  std::int64_t at() const { return at_; }
  std::int64_t local() const { return at_ + offset(at_); }
  sys_days day() const { return sys_days(days(floor_to(local(), kDay) / kDay)); }
  void wait(std::int64_t s) { at_ += s; }
  // To the start of that day, or the first moment of it, where the clocks leap over midnight.
  void jump_to(sys_days day) {
    const std::int64_t wanted = day.time_since_epoch().count() * kDay;
    std::int64_t moment = wanted - offset(at_);
    const std::int64_t better = wanted - offset(moment);
    if (better + offset(better) == wanted || better > moment) moment = better;
    at_ = std::max(moment, at_ + 60);
  }

 private:
  std::int64_t offset(std::int64_t at) const {
    return zone_.offset_at(WallTime(seconds(at))).count();
  }
  const TimeZone& zone_;
  std::int64_t at_;
};

// A number or a name; `names` may be empty.
Result<long long> parse_value(std::string_view text,
                              const std::array<std::string_view, 13>& names) {
  const std::string lower = to_lower(text);
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && names[i] == lower) return static_cast<long long>(i);
  }
  long long value = 0;
  if (!parse_int(text, &value)) {
    return problem(
        fmt::format("failed to parse int from {}: strconv.Atoi: parsing {}: invalid syntax", text,
                    quoted(text)));
  }
  if (value < 0) return problem(fmt::format("negative number ({}) not allowed: {}", value, text));
  return value;
}

}  // namespace

// One part of a list: "*", "5", "1-5", "*/10", "1-30/2", "5/10" (from 5 to the end).
Result<CronSchedule::Field> CronSchedule::parse_field(std::string_view text, const Bounds& bounds) {
  const auto parts = split(text, '/');
  const auto ends = split(parts.empty() ? "" : parts[0], '-');
  const std::string first = ends.empty() ? "" : ends[0];
  const bool star = first == "*" || first == "?";
  long long start = bounds.low, end = bounds.high, step = 1;
  if (!star) {
    ASSIGN_OR_RETURN(start, parse_value(first, bounds.names));
    end = start;
    if (ends.size() > 2) return problem(fmt::format("too many hyphens: {}", text));
    if (ends.size() == 2) {
      ASSIGN_OR_RETURN(end, parse_value(ends[1], bounds.names));
    }
  }
  if (parts.size() > 2) return problem(fmt::format("too many slashes: {}", text));
  if (parts.size() == 2) {
    ASSIGN_OR_RETURN(step, parse_value(parts[1], {}));
    if (!star && ends.size() == 1) end = bounds.high;
  }
  if (start < bounds.low) {
    return problem(
        fmt::format("beginning of range ({}) below minimum ({}): {}", start, bounds.low, text));
  }
  if (end > bounds.high) {
    return problem(fmt::format("end of range ({}) above maximum ({}): {}", end, bounds.high, text));
  }
  if (start > end) {
    return problem(
        fmt::format("beginning of range ({}) beyond end of range ({}): {}", start, end, text));
  }
  if (step == 0) {
    return problem(fmt::format("step of range should be a positive number: {}", text));
  }
  Field field;
  field.any = star && step == 1;
  for (long long value = start; value <= end; value += step) field.bits |= 1ULL << value;
  return field;
}

Result<CronSchedule> CronSchedule::parse_descriptor(std::string_view text) {
  for (const Descriptor& known : kDescriptors) {
    if (text == known.name) return parse(known.fields);
  }
  constexpr std::string_view kEvery = "@every ";
  if (!text.starts_with(kEvery)) return problem(fmt::format("unrecognized descriptor: {}", text));
  const auto every = parse_duration(text.substr(kEvery.size()));
  if (!every.ok()) {
    return problem(fmt::format("failed to parse duration {}: {}", text, every.status().message()));
  }
  CronSchedule schedule;
  schedule.every_ = std::max(std::chrono::floor<seconds>(*every), seconds(1));
  return schedule;
}

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  static constexpr std::array<Bounds, 5> kBounds = {{
      {0, 59, {}},
      {0, 23, {}},
      {1, 31, {}},
      {1,
       12,
       {"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    return problem("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  }
  if (text.starts_with('@')) return parse_descriptor(text);
  std::string blanks(text);
  std::replace_if(blanks.begin(), blanks.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  std::vector<std::string> texts = split(blanks, ' ');
  std::erase(texts, "");
  if (texts.size() != kBounds.size()) {
    return problem(
        fmt::format("expected exactly 5 fields, found {}: [{}]", texts.size(), join(texts, " ")));
  }
  CronSchedule schedule;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    for (const std::string& part : split(texts[i], ',')) {
      ASSIGN_OR_RETURN(const Field field, parse_field(part, kBounds[i]));
      schedule.fields_[i].bits |= field.bits;
      schedule.fields_[i].any = schedule.fields_[i].any || field.any;
    }
  }
  return schedule;
}

bool CronSchedule::matches_day(sys_days day) const {
  const std::chrono::year_month_day date(day);
  const bool by_date = fields_[kDayOfMonth].has(static_cast<unsigned>(date.day()));
  const bool by_weekday = fields_[kWeekday].has(std::chrono::weekday(day).c_encoding());
  const bool narrowed = !fields_[kDayOfMonth].any && !fields_[kWeekday].any;
  return narrowed ? by_date || by_weekday : by_date && by_weekday;
}

std::optional<WallTime> CronSchedule::next(WallTime after, const TimeZone& zone) const {
  const auto whole = std::chrono::floor<seconds>(after);
  if (every_) return WallTime(whole + *every_);
  LocalClock clock(zone, whole.time_since_epoch().count() + 1);
  clock.wait((60 - (clock.local() % 60 + 60) % 60) % 60);
  const auto last =
      std::chrono::year_month_day(clock.day()).year() + std::chrono::years(kYearsAhead);
  for (;;) {
    const sys_days day = clock.day();
    const std::chrono::year_month_day date(day);
    if (date.year() > last) return std::nullopt;
    if (!fields_[kMonth].has(static_cast<unsigned>(date.month()))) {
      const auto month = date.year() / date.month() + std::chrono::months(1);
      clock.jump_to(sys_days(month / std::chrono::day(1)));
      continue;
    }
    if (!matches_day(day)) {
      clock.jump_to(day + days(1));
      continue;
    }
    const std::int64_t local = clock.local();
    const std::int64_t of_day = local - floor_to(local, kDay);
    if (!fields_[kHour].has(static_cast<unsigned>(of_day / 3600))) {
      clock.wait(3600 - of_day % 3600);
    } else if (!fields_[kMinute].has(static_cast<unsigned>(of_day / 60 % 60))) {
      clock.wait(60);
    } else {
      return WallTime(seconds(clock.at()));
    }
  }
}

}  // namespace coracle::api
