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
  return events;
}

}  // namespace

Events Cache::set_node(std::shared_ptr<const NodeFacts> facts) {
  count_images(*facts, 1);
  const auto found = index_.find(facts->name);
  if (found != index_.end()) {
    NodeInfo& node = snapshot_.nodes[found->second];
    const auto before = node.facts_ptr();
    count_images(*before, -1);
    node.set_facts(facts);
    return difference(*before, *facts);
  }
  index_[facts->name] = snapshot_.nodes.size();
  const auto had_pods = unknown_.find(facts->name);
  if (had_pods != unknown_.end()) {
    snapshot_.nodes.push_back(std::move(had_pods->second));
    unknown_.erase(had_pods);
    for (const PodPtr& pod : snapshot_.nodes.back().pods()) count_globally(*pod, 1);
  } else {
    snapshot_.nodes.emplace_back(facts->name);
  }
  snapshot_.nodes.back().set_facts(std::move(facts));
  ++snapshot_.known_nodes;
  return event::kNodeAdded;
}

void Cache::remove_node(const std::string& name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  NodeInfo node = std::move(snapshot_.nodes[found->second]);
  snapshot_.nodes.erase(snapshot_.nodes.begin() + static_cast<std::ptrdiff_t>(found->second));
  reindex();
  --snapshot_.known_nodes;
  count_images(node.facts(), -1);
  node.set_facts(nullptr);
  for (const PodPtr& pod : node.pods()) count_globally(*pod, -1);
  if (!node.pods().empty()) unknown_.emplace(name, std::move(node));
}

const NodeInfo* Cache::find_node(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &snapshot_.nodes[found->second];
}

void Cache::assume(const PodInfo& pod, const std::string& node) {
  CHECK_MSG(!pods_.contains(pod.key), "pod " << pod.key << " counts already");
  place(placed_on(pod, node), true);
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
  NodeInfo* node = node_of(name);
  CHECK_MSG(node != nullptr, "no node " << name << " for pod " << key);
  node->remove(key);
  if (node->known()) {
    count_globally(*placed.pod, -1);
  } else if (node->pods().empty()) {
    unknown_.erase(name);
  }
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

NodeInfo* Cache::node_of(const std::string& name) {
  const auto found = index_.find(name);
  if (found != index_.end()) return &snapshot_.nodes[found->second];
  const auto unknown = unknown_.find(name);
  return unknown == unknown_.end() ? nullptr : &unknown->second;
}

void Cache::place(PodPtr pod, bool assumed) {
  NodeInfo* node = node_of(pod->node_name);
  if (node == nullptr) {
    node = &unknown_.emplace(pod->node_name, NodeInfo(pod->node_name)).first->second;
  }
  if (node->known()) count_globally(*pod, 1);
  node->add(pod);
  if (assumed) {
    ++assumed_;
  } else {
    snapshot_.count_claims(*pod, 1);
  }
  std::string key = pod->key;
  pods_[std::move(key)] = Placed{std::move(pod), assumed};
}

void Cache::count_globally(const PodInfo& pod, int sign) {
  if (pod.has_pod_affinity()) snapshot_.affinity_pods += sign;
  if (!pod.anti_affinity.empty()) snapshot_.anti_affinity_pods += sign;
}

void Cache::count_images(const NodeFacts& facts, int sign) {
  for (const auto& [image, size] : facts.images) {
    int& nodes = snapshot_.image_nodes[image];
    nodes += sign;
    if (nodes == 0) snapshot_.image_nodes.erase(image);
  }
}

void Cache::reindex() {
  index_.clear();
  for (size_t i = 0; i < snapshot_.nodes.size(); ++i) index_[snapshot_.nodes[i].name()] = i;
}

}  // namespace coracle::scheduler
