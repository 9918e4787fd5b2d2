// IndexSet: the completion indexes of an Indexed job, as its status and spec write them: "1,3-5".
// Value type. Pure (upstream: indexed_job_utils.go).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace coracle::controllers::job {

class IndexSet {
 public:
  IndexSet() = default;
  // What is not a number or not below `limit` is left out.
  static IndexSet parse(std::string_view text, std::int64_t limit);
  bool has(std::int64_t index) const;
  std::int64_t count() const;
  std::int64_t count_common(const IndexSet& other) const;
  void add(std::vector<std::int64_t> indexes);
  void add(const IndexSet& other);
  // The lowest `most` below `limit` that are not in it.
  std::vector<std::int64_t> first_missing(std::int64_t most, std::int64_t limit) const;
  std::string text() const;

 private:
  using Interval = std::pair<std::int64_t, std::int64_t>;  // first, last
  void normalize();
  std::vector<Interval> intervals_;  // ascending, apart by more than one
};

// The index in the pod's annotation; -1 when there is none.
std::int64_t index_of(const json::value& pod);

}  // namespace coracle::controllers::job
