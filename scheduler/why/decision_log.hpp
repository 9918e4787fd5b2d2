// DecisionLog: the decisions that were made, to be asked about later. One owner.
//
// Bound: kDecisionsMax pods (the newest decision of each) and kDecisionBytesMax, whichever comes
// first; the oldest go. The newest is always there.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "cycle/cycle.hpp"

namespace coracle::scheduler {

inline constexpr size_t kDecisionsMax = 20'000;
inline constexpr size_t kDecisionBytesMax = 16 << 20;

struct KeptDecision {
  Decision decision;
  std::uint64_t number = 0;  // counts up from 1
  WallTime at;
};

class DecisionLog {
 public:
  using Ptr = std::shared_ptr<const KeptDecision>;
  explicit DecisionLog(size_t bytes_max = kDecisionBytesMax) : bytes_max_(bytes_max) {}

  void add(Decision decision, WallTime at);
  // The newest about the pod, by "namespace/name"; null.
  Ptr find(const std::string& key) const;
  // The oldest first.
  const std::list<Ptr>& all() const { return order_; }
  size_t size() const { return order_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  static size_t cost(const KeptDecision& kept);
  void drop(std::list<Ptr>::iterator at);

  const size_t bytes_max_;
  std::uint64_t numbers_ = 0;
  std::list<Ptr> order_;
  std::map<std::string, std::list<Ptr>::iterator> by_pod_;
  size_t bytes_ = 0;
};

}  // namespace coracle::scheduler
