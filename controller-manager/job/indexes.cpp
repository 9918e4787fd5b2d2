#include "job/indexes.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "job/names.hpp"

namespace coracle::controllers::job {

IndexSet IndexSet::parse(std::string_view text, std::int64_t limit) {
  IndexSet set;
  for (const std::string& part : split(text, ',')) {
    const size_t dash = part.find('-');
    long long first = 0, last = 0;
    if (!parse_int(part.substr(0, dash), &first)) continue;
    last = first;
    if (dash != std::string::npos && !parse_int(part.substr(dash + 1), &last)) continue;
    last = std::min<long long>(last, limit - 1);
    if (first >= 0 && first <= last) set.intervals_.emplace_back(first, last);
  }
  set.normalize();
  return set;
}

void IndexSet::normalize() {
  std::sort(intervals_.begin(), intervals_.end());
  std::vector<Interval> joined;
  for (const Interval& interval : intervals_) {
    if (!joined.empty() && interval.first <= joined.back().second + 1) {
      joined.back().second = std::max(joined.back().second, interval.second);
    } else {
      joined.push_back(interval);
    }
  }
  intervals_ = std::move(joined);
}

bool IndexSet::has(std::int64_t index) const {
  const auto after =
      std::upper_bound(intervals_.begin(), intervals_.end(), index,
                       [](std::int64_t i, const Interval& interval) { return i < interval.first; });
  return after != intervals_.begin() && index <= std::prev(after)->second;
}

std::int64_t IndexSet::count() const {
  std::int64_t n = 0;
  for (const Interval& interval : intervals_) n += interval.second - interval.first + 1;
  return n;
}

std::int64_t IndexSet::count_common(const IndexSet& other) const {
  std::int64_t n = 0;
  auto a = intervals_.begin(), b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    n += std::max<std::int64_t>(std::min(a->second, b->second) - std::max(a->first, b->first) + 1,
                                0);
    ++(a->second < b->second ? a : b);
  }
  return n;
}

void IndexSet::add(std::vector<std::int64_t> indexes) {
  for (const std::int64_t index : indexes) intervals_.emplace_back(index, index);
  normalize();
}

void IndexSet::add(const IndexSet& other) {
  intervals_.insert(intervals_.end(), other.intervals_.begin(), other.intervals_.end());
  normalize();
}

std::vector<std::int64_t> IndexSet::first_missing(std::int64_t most, std::int64_t limit) const {
  std::vector<std::int64_t> missing;
  std::int64_t next = 0;
  const auto take_until = [&](std::int64_t end) {
    for (; next < end && static_cast<std::int64_t>(missing.size()) < most; ++next) {
      missing.push_back(next);
    }
  };
  for (const Interval& interval : intervals_) {
    take_until(std::min(interval.first, limit));
    next = interval.second + 1;
  }
  take_until(limit);
  return missing;
}

// Two in a row are written apart, as upstream does.
std::string IndexSet::text() const {
  std::vector<std::string> parts;
  for (const auto& [first, last] : intervals_) {
    if (last == first + 1) {
      parts.push_back(std::to_string(first));
      parts.push_back(std::to_string(last));
    } else {
      parts.push_back(first == last ? std::to_string(first)
                                    : std::to_string(first) + "-" + std::to_string(last));
    }
  }
  return join(parts, ",");
}

std::int64_t index_of(const json::value& pod) {
  long long index = 0;
  return parse_int(api::annotation_of(pod, kIndex), &index) && index >= 0 ? index : -1;
}

}  // namespace coracle::controllers::job
