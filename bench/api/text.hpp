// What the load client does with text: names with numbers in them, and finding these numbers again
// in the events of a watch. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::bench {

// "{i}" becomes `i`, "{n}" becomes `n`.
std::string filled(std::string_view text, std::uint64_t i, std::uint64_t n);

// Cuts a watch's bytes, however sliced, into events, and tells the number that follows `mark`.
// Bound: an event that never ends keeps kEventMax bytes, then it is dropped.
class EventScanner {
 public:
  static constexpr std::size_t kEventMax = 1 << 20;
  explicit EventScanner(std::string mark) : mark_(std::move(mark)) {}
  // `found` is called with the number of each complete ADDED event that has the mark.
  void feed(std::string_view bytes, const std::function<void(std::uint64_t)>& found);

 private:
  void line(std::string_view text, const std::function<void(std::uint64_t)>& found) const;

  const std::string mark_;
  std::string rest_;  // of an event that has begun
};

// The value below which `part` (0..1) of them are; 0 for none. Reorders.
double percentile(std::vector<double>& values, double part);

}  // namespace coracle::bench
