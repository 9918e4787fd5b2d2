#include "cycle/explanation.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::scheduler {

std::uint16_t Explanation::number(const Verdict& verdict) {
  const auto found = std::find(texts_.begin(), texts_.end(), verdict);
  if (found != texts_.end()) return static_cast<std::uint16_t>(found - texts_.begin());
  // Nodes may each have words of their own (taints): the last number stands for all beyond it.
  if (texts_.size() == kNotAsked) return kNotAsked - 1;
  texts_.push_back(verdict);
  return static_cast<std::uint16_t>(texts_.size() - 1);
}

size_t Explanation::add_node(NodePtr node) {
  nodes.push_back(std::move(node));
  verdicts.resize(nodes.size() * filters.size(), kNotAsked);
  return nodes.size() - 1;
}

void Explanation::add_scores(Scorer scorer, const std::vector<std::int64_t>& before,
                             const std::vector<std::int64_t>& after) {
  CHECK(before.size() == scored.size() && after.size() == scored.size());
  scorers.push_back(std::move(scorer));
  raw.insert(raw.end(), before.begin(), before.end());
  normalized.insert(normalized.end(), after.begin(), after.end());
}

size_t Explanation::bytes() const {
  return sizeof(*this) + (nodes.capacity() + scored.capacity()) * sizeof(NodePtr) +
         verdicts.capacity() * sizeof(std::uint16_t) +
         (raw.capacity() + normalized.capacity() + totals.capacity()) * sizeof(std::int64_t) +
         texts_.size() * 128;
}

}  // namespace coracle::scheduler
