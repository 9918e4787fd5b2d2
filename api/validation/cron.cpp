// The check of a schedule, with the words of the parser upstream uses.
#include <array>
#include <string>

#include "api/validation/validation.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

struct Bounds {
  int low;
  int high;
  std::array<std::string_view, 13> names;  // jan, feb...; names[i] means i
};

constexpr std::array<Bounds, 5> kBounds = {{
    {0, 59, {}},
    {0, 23, {}},
    {1, 31, {}},
    {1,
     12,
     {"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
    {0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}};

// The number of a text; a problem otherwise.
std::string number(std::string_view text, const Bounds& bounds, long long& out) {
  const std::string lower = to_lower(text);
  for (std::size_t i = 0; i < bounds.names.size(); ++i) {
    if (!bounds.names[i].empty() && bounds.names[i] == lower) {
      out = static_cast<long long>(i);
      return {};
    }
  }
  if (!parse_int(text, &out)) {
    return "failed to parse int from " + std::string(text) + ": strconv.Atoi: parsing " +
           quoted(text) + ": invalid syntax";
  }
  if (out < 0) {
    return "negative number (" + std::to_string(out) + ") not allowed: " + std::string(text);
  }
  return {};
}

std::string range_problem(std::string_view text, const Bounds& bounds) {
  const std::vector<std::string> parts = split(text, '/');
  const std::vector<std::string> ends = split(parts.empty() ? "" : parts[0], '-');
  const std::string start_text = ends.empty() ? "" : ends[0];
  long long start = bounds.low;
  long long end = bounds.high;
  const bool star = start_text == "*" || start_text == "?";
  if (!star) {
    if (std::string problem = number(start_text, bounds, start); !problem.empty()) {
      return problem;
    }
    end = start;
    if (ends.size() == 2) {
      if (std::string problem = number(ends[1], bounds, end); !problem.empty()) {
        return problem;
      }
    } else if (ends.size() > 2) {
      return "too many hyphens: " + std::string(text);
    }
  }
  long long step = 1;
  if (parts.size() == 2) {
    if (std::string problem = number(parts[1], {}, step); !problem.empty()) {
      return problem;
    }
    if (!star && ends.size() == 1) {
      end = bounds.high;  // "5/10" is "5-max/10"
    }
  } else if (parts.size() > 2) {
    return "too many slashes: " + std::string(text);
  }
  const std::string tail = ": " + std::string(text);
  if (start < bounds.low) {
    return "beginning of range (" + std::to_string(start) + ") below minimum (" +
           std::to_string(bounds.low) + ")" + tail;
  }
  if (end > bounds.high) {
    return "end of range (" + std::to_string(end) + ") above maximum (" +
           std::to_string(bounds.high) + ")" + tail;
  }
  if (start > end) {
    return "beginning of range (" + std::to_string(start) + ") beyond end of range (" +
           std::to_string(end) + ")" + tail;
  }
  return step == 0 ? "step of range should be a positive number" + tail : std::string();
}

std::string descriptor_problem(std::string_view schedule) {
  for (const std::string_view known :
       {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}) {
    if (schedule == known) {
      return {};
    }
  }
  constexpr std::string_view kEvery = "@every ";
  if (schedule.starts_with(kEvery)) {
    auto every = parse_duration(schedule.substr(kEvery.size()));
    return every.ok() ? std::string()
                      : "failed to parse duration " + std::string(schedule) + ": " +
                            every.status().message();
  }
  return "unrecognized descriptor: " + std::string(schedule);
}

}  // namespace

std::string cron_schedule_problem(std::string_view schedule) {
  if (schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=")) {
    return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  }
  if (schedule.starts_with('@')) {
    return descriptor_problem(schedule);
  }
  std::vector<std::string> fields;
  for (const std::string& part : split(schedule, ' ')) {
    if (!part.empty()) {
      fields.push_back(part);
    }
  }
  if (fields.size() != kBounds.size()) {
    return "expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" +
           join(fields, " ") + "]";
  }
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    for (const std::string& part : split(fields[i], ',')) {
      if (std::string problem = range_problem(part, kBounds[i]); !problem.empty()) {
        return problem;
      }
    }
  }
  return {};
}

}  // namespace coracle::api::validation
