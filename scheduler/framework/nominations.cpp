#include "framework/nominations.hpp"

#include <algorithm>

namespace coracle::scheduler {

void Nominations::set(const PodPtr& pod, const std::string& node) {
  remove(pod->uid);
  pods_[node].push_back(pod);
  nodes_[pod->uid] = node;
}

bool Nominations::remove(const std::string& uid) {
  const auto found = nodes_.find(uid);
  if (found == nodes_.end()) return false;
  const auto on = pods_.find(found->second);
  std::erase_if(on->second, [&](const PodPtr& pod) { return pod->uid == uid; });
  if (on->second.empty()) pods_.erase(on);
  nodes_.erase(found);
  return true;
}

std::string Nominations::node_of(const std::string& uid) const {
  const auto found = nodes_.find(uid);
  return found == nodes_.end() ? std::string() : found->second;
}

const std::vector<PodPtr>& Nominations::on(const std::string& node) const {
  static const std::vector<PodPtr> kNone;
  const auto found = pods_.find(node);
  return found == pods_.end() ? kNone : found->second;
}

}  // namespace coracle::scheduler
