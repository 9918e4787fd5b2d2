#include "cache/cache.hpp"

#include <utility>

#include "base/check.hpp"

namespace coracle::scheduler {
namespace {

bool grew(const Resources& before, const Resources& after) {
  if (after.cpu_milli > before.cpu_milli || after.memory > before.memory ||
      after.ephemeral_storage > before.ephemeral_storage) {
    return true;
  }
  for (const auto& [name, amount] : after.scalars) {
    if (amount > before.scalar(name)) return true;
  }
  return false;
}

Events difference(const NodeFacts& before, const NodeFacts& after) {
  Events events = 0;
  if (grew(before.allocatable, after.allocatable) || after.pods_max > before.pods_max) {
    events |= event::kNodeGrew;
  }
  if (before.labels != after.labels) events |= event::kNodeLabels;
  if (before.taints != after.taints || before.unschedulable != after.unschedulable) {
    events |= event::kNodeTaints;
  }
  if (before.features != after.features) events |= event::kNodeFeatures;
  return events;
}

}  // namespace

Events Cache::set_node(std::shared_ptr<const NodeFacts> facts) {
  if (const auto index = snapshot_.nodes.index_of(facts->name)) {
    const auto before = snapshot_.nodes[*index].facts_ptr();
    const Events events = difference(*before, *facts);
    snapshot_.set_facts(*index, std::move(facts));
    return events;
  }
  const auto had_pods = unknown_.find(facts->name);
  NodeInfo node = had_pods == unknown_.end() ? NodeInfo(facts->name) : std::move(had_pods->second);
  if (had_pods != unknown_.end()) unknown_.erase(had_pods);
  node.set_facts(std::move(facts));
  snapshot_.add_node(std::move(node));
  return event::kNodeAdded;
}

void Cache::remove_node(const std::string& name) {
  const auto index = snapshot_.nodes.index_of(name);
  if (!index) return;
  NodeInfo node = snapshot_.remove_node(*index);
  node.set_facts(nullptr);
  if (!node.pods().empty()) unknown_.emplace(name, std::move(node));
}

const NodeInfo* Cache::find_node(const std::string& name) const {
  return snapshot_.nodes.find(name);
}

void Cache::assume(const PodInfo& pod, const std::string& node) {
  CHECK_MSG(!pods_.contains(pod.key), "pod " << pod.key << " counts already");
  place(placed_on(pod, node, snapshot_.reservations.devices_of(pod.uid)), true);
}

void Cache::forget(const std::string& key, const std::string& uid) {
  const auto found = pods_.find(key);
  if (found == pods_.end() || !found->second.assumed || found->second.pod->uid != uid) return;
  remove_pod(key);
}

Events Cache::set_pod(PodPtr pod) {
  CHECK(!pod->node_name.empty());
  const auto found = pods_.find(pod->key);
  Events events = event::kPodPlaced;
  if (found != pods_.end()) {
    const PodInfo& before = *found->second.pod;
    const bool same = before.node_name == pod->node_name && before.uid == pod->uid;
    events = 0;
    if (!same) events |= event::kPodPlaced | event::kPodGone;
    if (before.labels != pod->labels) events |= event::kPodLabels;
    if (before.requests != pod->requests) events |= event::kPodGone;  // less, perhaps
    if (before.deleting != pod->deleting) events |= event::kPodLeaving;
    remove_pod(pod->key);
  }
  place(std::move(pod), false);
  return events;
}

bool Cache::remove_pod(const std::string& key) {
  const auto found = pods_.find(key);
  if (found == pods_.end()) return false;
  const Placed placed = std::move(found->second);
  pods_.erase(found);
  if (placed.assumed) {
    --assumed_;
    snapshot_.reservations.give_back_all(placed.pod->uid);
  } else {
    snapshot_.count_claims(*placed.pod, -1);
  }
  const std::string& name = placed.pod->node_name;
  if (const auto index = snapshot_.nodes.index_of(name)) {
    snapshot_.remove_pod(*index, key);
    return true;
  }
  const auto unknown = unknown_.find(name);
  CHECK_MSG(unknown != unknown_.end(), "no node " << name << " for pod " << key);
  unknown->second.remove(key);
  if (unknown->second.pods().empty()) unknown_.erase(unknown);
  return true;
}

bool Cache::is_assumed(const std::string& key) const {
  const auto found = pods_.find(key);
  return found != pods_.end() && found->second.assumed;
}

const PodPtr* Cache::find_pod(const std::string& key) const {
  const auto found = pods_.find(key);
  return found == pods_.end() ? nullptr : &found->second.pod;
}

void Cache::place(PodPtr pod, bool assumed) {
  if (const auto index = snapshot_.nodes.index_of(pod->node_name)) {
    snapshot_.add_pod(*index, pod);
  } else {
    unknown_.emplace(pod->node_name, NodeInfo(pod->node_name)).first->second.add(pod);
  }
  if (assumed) {
    ++assumed_;
  } else {
    snapshot_.count_claims(*pod, 1);
  }
  std::string key = pod->key;
  pods_[std::move(key)] = Placed{std::move(pod), assumed};
}

}  // namespace coracle::scheduler
