#include "why/decision_log.hpp"

namespace coracle::scheduler {

size_t DecisionLog::cost(const KeptDecision& kept) {
  size_t notes = 0;
  for (const std::string& note : kept.decision.notes) notes += note.size();
  return sizeof(kept) + kept.decision.message.size() + notes + kept.decision.why.bytes();
}

void DecisionLog::add(Decision decision, WallTime at) {
  const std::string key = decision.pod->key;
  if (const auto before = by_pod_.find(key); before != by_pod_.end()) drop(before->second);
  auto kept = std::make_shared<KeptDecision>(KeptDecision{std::move(decision), ++numbers_, at});
  bytes_ += cost(*kept);
  order_.push_back(std::move(kept));
  by_pod_[key] = std::prev(order_.end());
  while (order_.size() > 1 && (order_.size() > kDecisionsMax || bytes_ > bytes_max_)) {
    drop(order_.begin());
  }
}

void DecisionLog::drop(std::list<Ptr>::iterator at) {
  bytes_ -= cost(**at);
  by_pod_.erase((*at)->decision.pod->key);
  order_.erase(at);
}

DecisionLog::Ptr DecisionLog::find(const std::string& key) const {
  const auto found = by_pod_.find(key);
  return found == by_pod_.end() ? nullptr : *found->second;
}

}  // namespace coracle::scheduler
