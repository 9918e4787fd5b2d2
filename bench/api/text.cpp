#include "bench_api/text.hpp"

#include <algorithm>
#include <charconv>

#include "base/strings.hpp"

namespace coracle::bench {

std::string filled(std::string_view text, std::uint64_t i, std::uint64_t n) {
  return replace_all(replace_all(std::string(text), "{i}", std::to_string(i)), "{n}",
                     std::to_string(n));
}

void EventScanner::line(std::string_view text,
                        const std::function<void(std::uint64_t)>& found) const {
  if (!text.substr(0, 32).starts_with("{\"type\":\"ADDED\"")) return;
  const std::size_t at = text.find(mark_);
  if (at == std::string_view::npos) return;
  const std::string_view digits = text.substr(at + mark_.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec == std::errc()) found(number);
}

void EventScanner::feed(std::string_view bytes, const std::function<void(std::uint64_t)>& found) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      if (rest_.size() + bytes.size() > kEventMax) rest_.clear();
      rest_ += bytes;
      return;
    }
    if (rest_.empty()) {
      line(bytes.substr(0, end), found);
    } else {
      rest_ += bytes.substr(0, end);
      line(rest_, found);
      rest_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * part);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace coracle::bench
