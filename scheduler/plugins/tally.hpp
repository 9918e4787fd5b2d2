// Tally: the pods of a kind by topology domain, with what a "what if" adds to and takes from them.
// For plugins. Pure; the world must stand still while it is used.
#pragma once

#include <utility>
#include <vector>

#include "framework/snapshot.hpp"

namespace coracle::scheduler {

class Tally {
 public:
  explicit Tally(PodCounts::CounterPtr counter)
      : key_(counter->key_ptr()), counter_(std::move(counter)) {}
  // Nobody, yet.
  explicit Tally(PodCounts::KeyPtr key) : key_(std::move(key)) {}

  const PodCounts::Key& key() const { return *key_; }
  // As the node's domain has; 0 where it has none.
  std::int64_t at(const NodeInfo& node) const { return in(key_->of(node)); }
  std::int64_t in(PodCounts::Domain domain) const {
    std::int64_t sum = counter_ == nullptr ? 0 : counter_->in(domain);
    for (const auto& [where, amount] : changes_) sum += where == domain ? amount : 0;
    return sum;
  }
  // In all domains.
  bool empty() const { return (counter_ == nullptr ? 0 : counter_->sum()) + changed_ == 0; }
  void add(const NodeInfo& node, std::int64_t amount) {
    const PodCounts::Domain domain = key_->of(node);
    if (domain == PodCounts::kNowhere || amount == 0) return;
    changed_ += amount;
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i].first != domain) continue;
      changes_[i].second += amount;
      if (changes_[i].second == 0) changes_.erase(changes_.begin() + static_cast<ptrdiff_t>(i));
      return;
    }
    changes_.emplace_back(domain, amount);
  }

 private:
  PodCounts::KeyPtr key_;
  PodCounts::CounterPtr counter_;
  std::vector<std::pair<PodCounts::Domain, std::int64_t>> changes_;  // few: pods of one node
  std::int64_t changed_ = 0;
};

}  // namespace coracle::scheduler
