#include "cycle/explanation.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::scheduler {

std::uint16_t Explanation::at(size_t row, size_t filter) const {
  const auto found = std::lower_bound(other_rows_.begin(), other_rows_.end(), row);
  if (found == other_rows_.end() || *found != row) return kPassed;
  const auto place = static_cast<size_t>(found - other_rows_.begin());
  return verdicts_[place * filters.size() + filter];
}

std::uint16_t Explanation::number(const Verdict& verdict) {
  const auto found = std::find(texts_.begin(), texts_.end(), verdict);
  if (found != texts_.end()) return static_cast<std::uint16_t>(found - texts_.begin());
  // Nodes may each have words of their own (taints): the last number stands for all beyond it.
  if (texts_.size() == kNotAsked) return kNotAsked - 1;
  texts_.push_back(verdict);
  return static_cast<std::uint16_t>(texts_.size() - 1);
}

void Explanation::add_node(std::uint32_t slot) {
  other_rows_.push_back(static_cast<std::uint32_t>(looked_at_.size()));
  looked_at_.push_back(slot);
  verdicts_.resize(verdicts_.size() + filters.size(), kNotAsked);
}

void Explanation::change(size_t row, size_t filter, std::uint16_t number) {
  const auto found = std::lower_bound(other_rows_.begin(), other_rows_.end(), row);
  const auto place = found - other_rows_.begin();
  const auto width = static_cast<std::ptrdiff_t>(filters.size());
  if (found == other_rows_.end() || *found != row) {
    other_rows_.insert(found, static_cast<std::uint32_t>(row));
    verdicts_.insert(verdicts_.begin() + place * width, filters.size(), kPassed);
  }
  verdicts_[static_cast<size_t>(place * width) + filter] = number;
}

void Explanation::add_scores(Scorer scorer, const std::vector<std::int64_t>& before,
                             const std::vector<std::int64_t>& after) {
  CHECK(before.size() == scored() && after.size() == scored());
  scorers.push_back(std::move(scorer));
  raw.add(before);
  normalized.add(after);
}

size_t Explanation::bytes() const {
  return sizeof(*this) +
         (looked_at_.capacity() + other_rows_.capacity() + scored_.capacity()) *
             sizeof(std::uint32_t) +
         verdicts_.capacity() * sizeof(std::uint16_t) + raw.bytes() + normalized.bytes() +
         totals.bytes() + texts_.size() * 128;
}

}  // namespace coracle::scheduler
