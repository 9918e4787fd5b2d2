#include "base/time_zone.hpp"

#include <algorithm>

namespace coracle {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr size_t kHeader = 44;
constexpr std::int64_t kDay = 86400;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  const auto shift = static_cast<int>(64 - 8 * bytes.size());
  return static_cast<std::int64_t>(value << shift) >> shift;
}

// One header and its counts; `width` is how many bytes a time has.
struct Block {
  std::int64_t isut = 0, isstd = 0, leap = 0, times = 0, types = 0, chars = 0;
  std::int64_t size(std::int64_t width) const {
    return times * (width + 1) + types * 6 + chars + leap * (width + 4) + isstd + isut;
  }
};

std::optional<Block> read_block(std::string_view data) {
  if (data.size() < kHeader || !data.starts_with("TZif")) return std::nullopt;
  const auto count = [&](size_t i) { return big_endian(data.substr(20 + 4 * i, 4)); };
  const Block block{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const std::int64_t n :
       {block.isut, block.isstd, block.leap, block.times, block.types, block.chars}) {
    if (n < 0 || n > static_cast<std::int64_t>(data.size())) return std::nullopt;
  }
  return block;
}

std::int64_t days_of(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  return sys_days(date).time_since_epoch().count();
}

// "5", "-3:30", "02:00:00": hours, as seconds.
std::optional<std::int64_t> take_time(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t total = 0;
  for (const std::int64_t unit : {3600, 60, 1}) {
    if (unit != 3600) {
      if (!text.starts_with(':')) break;
      text.remove_prefix(1);
    }
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 3) return std::nullopt;
    total += std::stoll(std::string(text.substr(0, digits))) * unit;
    text.remove_prefix(digits);
  }
  return negative ? -total : total;
}

std::optional<int> take_number(std::string_view& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 3) return std::nullopt;
  const int number = std::stoi(std::string(text.substr(0, digits)));
  text.remove_prefix(digits);
  return number;
}

// "CET", "<+0330>"
bool take_name(std::string_view& text) {
  if (text.starts_with('<')) {
    const size_t close = text.find('>');
    if (close == std::string_view::npos) return false;
    text.remove_prefix(close + 1);
    return true;
  }
  size_t n = 0;
  while (n < text.size() && std::isalpha(static_cast<unsigned char>(text[n])) != 0) ++n;
  text.remove_prefix(n);
  return n >= 3;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<TimeZone::RuleDay> TimeZone::parse_rule_day(std::string_view& text) {
  RuleDay day;
  std::optional<int> number;
  if (take(text, 'M')) {
    const auto month = take_number(text);
    const bool dot = take(text, '.');
    const auto week = take_number(text);
    if (!month || !dot || !week || !take(text, '.')) return std::nullopt;
    if (*month < 1 || *month > 12 || *week < 1 || *week > 5) return std::nullopt;
    day.month = *month;
    day.week = *week;
  } else {
    day.form = take(text, 'J') ? 'J' : 'D';
  }
  number = take_number(text);
  if (!number || *number > (day.form == 'M' ? 6 : 366)) return std::nullopt;
  day.day = *number;
  if (take(text, '/')) {
    const auto seconds = take_time(text);
    if (!seconds) return std::nullopt;
    day.seconds = *seconds;
  }
  return day;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": the signs are those of west.
Result<TimeZone::Rule> TimeZone::parse_rule(std::string_view text) {
  const Status bad(Code::kInvalidArgument, "no POSIX time zone rule: " + std::string(text));
  Rule rule;
  if (!take_name(text)) return bad;
  const auto standard = take_time(text);
  if (!standard) return bad;
  rule.standard = -*standard;
  if (text.empty()) return rule;
  if (!take_name(text)) return bad;
  rule.summer = rule.standard + 3600;
  if (!text.starts_with(',')) {
    const auto summer = take_time(text);
    if (!summer) return bad;
    rule.summer = -*summer;
  }
  if (!take(text, ',')) return bad;
  const auto begin = parse_rule_day(text);
  if (!begin || !take(text, ',')) return bad;
  const auto end = parse_rule_day(text);
  if (!end || !text.empty()) return bad;
  rule.has_summer = true;
  rule.begin = *begin;
  rule.end = *end;
  return rule;
}

std::int64_t TimeZone::offset_by_rule(const Rule& rule, std::int64_t time) {
  if (!rule.has_summer) return rule.standard;
  const std::int64_t local = time + rule.standard;
  const auto date =
      std::chrono::year_month_day(sys_days(days((local >= 0 ? local : local - kDay + 1) / kDay)));
  const int year = static_cast<int>(date.year());
  // Local seconds since the epoch at which a day of the rule comes.
  const auto local_time_of = [&](const RuleDay& day) {
    std::int64_t start = days_of(year, 1, 1);
    if (day.form == 'D') {
      start += day.day;
    } else if (day.form == 'J') {
      start += day.day - 1 + (date.year().is_leap() && day.day >= 60 ? 1 : 0);
    } else {
      const auto month = static_cast<unsigned>(day.month);
      const std::int64_t first = days_of(year, month, 1);
      const std::int64_t weekday = (first % 7 + 7 + 4) % 7;  // 1970-01-01 was a Thursday
      start = first + (day.day - weekday + 7) % 7 + 7 * (day.week - 1);
      const std::chrono::year_month_day_last last{date.year() / std::chrono::month(month) /
                                                  std::chrono::last};
      if (start > sys_days(last).time_since_epoch().count()) start -= 7;
    }
    return start * kDay + day.seconds;
  };
  const std::int64_t begin = local_time_of(rule.begin) - rule.standard;
  const std::int64_t end = local_time_of(rule.end) - rule.summer;
  const bool summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
  return summer ? rule.summer : rule.standard;
}

Result<TimeZone> TimeZone::parse(std::string_view tzif) {
  const Status bad(Code::kInvalidArgument, "no TZif data");
  auto block = read_block(tzif);
  if (!block) return bad;
  std::int64_t width = 4;
  std::string_view body = tzif.substr(kHeader);
  if (tzif[4] >= '2') {
    // The 64-bit block stands behind the 32-bit one.
    if (static_cast<std::int64_t>(body.size()) < block->size(4)) return bad;
    const std::string_view second = body.substr(static_cast<size_t>(block->size(4)));
    block = read_block(second);
    if (!block) return bad;
    body = second.substr(kHeader);
    width = 8;
  }
  if (static_cast<std::int64_t>(body.size()) < block->size(width) || block->types == 0) return bad;
  const auto at = [&](std::int64_t position, std::int64_t size) {
    return body.substr(static_cast<size_t>(position), static_cast<size_t>(size));
  };
  const std::int64_t types = block->times * (width + 1);
  const auto offset_of = [&](std::int64_t type) { return big_endian(at(types + type * 6, 4)); };
  TimeZone zone;
  zone.first_offset_ = offset_of(0);
  for (std::int64_t i = 0; i < block->times; ++i) {
    const auto type = static_cast<unsigned char>(at(block->times * width + i, 1)[0]);
    if (type >= block->types) return bad;
    zone.changes_.push_back({big_endian(at(i * width, width)), offset_of(type)});
  }
  std::string_view footer = body.substr(static_cast<size_t>(block->size(width)));
  if (width == 8 && footer.size() > 2 && footer.front() == '\n') {
    auto rule = parse_rule(footer.substr(1, footer.find('\n', 1) - 1));
    if (rule.ok()) zone.rule_ = *rule;
  }
  return zone;
}

std::chrono::seconds TimeZone::offset_at(WallTime time) const {
  const std::int64_t t = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  if (rule_ && (changes_.empty() || t >= changes_.back().at)) {
    return std::chrono::seconds(offset_by_rule(*rule_, t));
  }
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), t,
                                      [](std::int64_t a, const Change& b) { return a < b.at; });
  return std::chrono::seconds(after == changes_.begin() ? first_offset_ : std::prev(after)->offset);
}

}  // namespace coracle
