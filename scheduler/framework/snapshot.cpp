#include "framework/snapshot.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/check.hpp"

namespace coracle::scheduler {

Budget parse_budget(const json::value& budget) {
  auto selector = api::LabelSelector::from_object(find(budget, "spec.selector"));
  Budget parsed{std::string(api::namespace_of(budget)),
                selector.ok() ? std::move(*selector) : api::LabelSelector::nothing(),
                get_int(budget, "status.disruptionsAllowed"),
                {}};
  for (const auto& [name, since] : get_object(budget, "status.disruptedPods")) {
    parsed.leaving.emplace(name);
  }
  return parsed;
}

api::LabelSelector WorkloadSelectors::of(const PodInfo& pod) const {
  std::vector<api::LabelRequirement> joined;
  const auto take = [&](const api::LabelSelector& selector) {
    joined.insert(joined.end(), selector.requirements().begin(), selector.requirements().end());
  };
  if (const auto in_namespace = services.find(pod.ns); in_namespace != services.end()) {
    for (const auto& [name, selector] : in_namespace->second) {
      if (selector.matches(pod.labels)) take(selector);
    }
  }
  if (!pod.owner_name.empty()) {
    const auto owner = controllers.find(pod.owner_kind + "/" + pod.ns + "/" + pod.owner_name);
    if (owner != controllers.end()) take(owner->second);
  }
  if (joined.empty()) return api::LabelSelector::nothing();
  std::stable_sort(joined.begin(), joined.end(),
                   [](const auto& a, const auto& b) { return a.key < b.key; });
  return api::LabelSelector::from_requirements(std::move(joined));
}

void Snapshot::add_node(NodeInfo node) {
  count_images(node.facts(), 1);
  const std::uint32_t index = nodes.add(std::move(node));
  counts_.add_node(*this, nodes[index]);
  for (const PodPtr& pod : nodes[index].pods()) groups.count_placed(*pod, 1);
}

NodeInfo Snapshot::remove_node(std::uint32_t index) {
  for (const PodPtr& pod : nodes[index].pods()) groups.count_placed(*pod, -1);
  count_images(nodes[index].facts(), -1);
  counts_.remove_node(*this, nodes[index]);
  return nodes.remove(index);
}

void Snapshot::set_facts(std::uint32_t index, std::shared_ptr<const NodeFacts> facts) {
  const auto before = nodes[index].facts_ptr();
  count_images(*facts, 1);
  count_images(*before, -1);
  const bool moves = before->labels != facts->labels;
  if (moves) counts_.remove_node(*this, nodes[index]);
  nodes.set_facts(index, std::move(facts));
  if (moves) counts_.add_node(*this, nodes[index]);
}

void Snapshot::add_pod(std::uint32_t index, PodPtr pod) {
  groups.count_placed(*pod, 1);
  counts_.add_pod(*this, nodes[index], *pod);
  nodes.change(index).add(std::move(pod));
}

void Snapshot::remove_pod(std::uint32_t index, const std::string& key) {
  const PodPtr pod = nodes.change(index).remove(key);
  counts_.remove_pod(*this, nodes[index], *pod);
  groups.count_placed(*pod, -1);
}

void Snapshot::set_namespace(const std::string& name, const json::object* labels) {
  namespace_labels_.erase(name);
  if (labels != nullptr) namespace_labels_.emplace(name, *labels);
  counts_.forget_namespace_labels();
}

void Snapshot::count_images(const NodeFacts& facts, int sign) {
  for (const auto& [image, size] : facts.images) {
    int& count = image_nodes[image];
    count += sign;
    if (count == 0) image_nodes.erase(image);
  }
}

bool Snapshot::matches(const PodTerm& term, const PodInfo& pod) const {
  bool in_namespace = std::binary_search(term.namespaces.begin(), term.namespaces.end(), pod.ns);
  if (!in_namespace && term.by_namespace_labels) {
    static const json::object kNoLabels;
    const auto labels = namespace_labels_.find(pod.ns);
    in_namespace = term.namespace_selector.matches(
        labels == namespace_labels_.end() ? kNoLabels : labels->second);
  }
  return in_namespace && term.selector.matches(pod.labels);
}

std::vector<const DiskUse*> Snapshot::disks_of(const PodInfo& pod) const {
  std::vector<const DiskUse*> disks;
  for (const DiskUse& disk : pod.disks) disks.push_back(&disk);
  for (const auto* names : {&pod.claims, &pod.ephemeral_claims}) {
    for (const std::string& name : *names) {
      const auto claim = claims.find(pod.ns + "/" + name);
      if (claim == claims.end()) continue;
      const auto volume = volumes.find(claim->second.volume);
      if (volume != volumes.end()) disks.push_back(&volume->second);
    }
  }
  return disks;
}

void Snapshot::count_claims(const PodInfo& pod, int sign) {
  for (const std::string& name : pod.claims) {
    const auto count = claim_pods.emplace(pod.ns + "/" + name, 0).first;
    count->second += sign;
    CHECK_MSG(count->second >= 0, "claim " << count->first << " has less than no pods");
    if (count->second == 0) claim_pods.erase(count);
  }
}

}  // namespace coracle::scheduler
