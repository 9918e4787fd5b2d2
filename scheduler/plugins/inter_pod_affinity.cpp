#include "plugins/inter_pod_affinity.hpp"

#include <algorithm>

#include "plugins/domain_sums.hpp"

namespace coracle::scheduler {
namespace {

struct Needs final : PluginState {
  DomainSums wanted;      // pods that match all affinity terms, by the terms' keys
  DomainSums unwanted;    // pods that match an anti-affinity term of ours
  DomainSums refused_by;  // pods with an anti-affinity term that matches us
  const Snapshot* world = nullptr;
  bool likes_itself = false;  // matches all its own affinity terms
};

struct Likes final : PluginState {
  DomainSums weight;
};

bool matches_all(const std::vector<PodTerm>& terms, const PodInfo& pod, const Snapshot& world) {
  return std::all_of(terms.begin(), terms.end(),
                     [&](const PodTerm& term) { return world.matches(term, pod); });
}

// One pod of a node came (1) or went (-1).
void count_refusals(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                    std::int64_t amount, Needs& needs) {
  for (const PodTerm& term : other.anti_affinity) {
    if (needs.world->matches(term, pod)) needs.refused_by.add(term.topology_key, node, amount);
  }
}

void count_needs(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                 std::int64_t amount, Needs& needs) {
  if (!pod.affinity.empty() && matches_all(pod.affinity, other, *needs.world)) {
    for (const PodTerm& term : pod.affinity) needs.wanted.add(term.topology_key, node, amount);
  }
  for (const PodTerm& term : pod.anti_affinity) {
    if (needs.world->matches(term, other)) needs.unwanted.add(term.topology_key, node, amount);
  }
}

void count_all(const PodInfo& pod, Needs& needs) {
  const bool asks = !pod.affinity.empty() || !pod.anti_affinity.empty();
  if (!asks && needs.world->anti_affinity_pods == 0) return;
  for (const NodeInfo& node : needs.world->nodes) {
    if (!node.known() || (!asks && node.anti_affinity_pods() == 0)) continue;
    for (const PodPtr& other : node.pods()) {
      count_refusals(pod, *other, node, 1, needs);
      if (asks) count_needs(pod, *other, node, 1, needs);
    }
  }
}

// The first pod of a group that wants to be near itself may go anywhere with the labels.
bool near_wanted(const PodInfo& pod, const NodeInfo& node, const Needs& needs) {
  bool all = true;
  for (const PodTerm& term : pod.affinity) {
    if (!node.facts().topology(term.topology_key)) return false;
    all = all && needs.wanted.at(term.topology_key, node) > 0;
  }
  return all || (needs.wanted.empty() && needs.likes_itself);
}

}  // namespace

Verdict InterPodAffinity::pre_filter(const PodInfo& pod, const Snapshot& world,
                                     StatePtr* state) const {
  auto needs = std::make_unique<Needs>();
  needs->world = &world;
  count_all(pod, *needs);
  if (pod.affinity.empty() && pod.anti_affinity.empty() && needs->refused_by.empty()) {
    return Verdict::skip();
  }
  needs->likes_itself = matches_all(pod.affinity, pod, world);
  *state = std::move(needs);
  return Verdict::yes();
}

void InterPodAffinity::add_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                               PluginState* state) const {
  count_refusals(pod, other, node, 1, static_cast<Needs&>(*state));
  count_needs(pod, other, node, 1, static_cast<Needs&>(*state));
}

void InterPodAffinity::remove_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                                  PluginState* state) const {
  count_refusals(pod, other, node, -1, static_cast<Needs&>(*state));
  count_needs(pod, other, node, -1, static_cast<Needs&>(*state));
}

Verdict InterPodAffinity::filter(const PodInfo& pod, const NodeInfo& node,
                                 const PluginState* state) const {
  const auto& needs = static_cast<const Needs&>(*state);
  if (!near_wanted(pod, node, needs)) {
    return Verdict::never("node(s) didn't match pod affinity rules");
  }
  for (const PodTerm& term : pod.anti_affinity) {
    if (needs.unwanted.at(term.topology_key, node) > 0) {
      return Verdict::not_now("node(s) didn't match pod anti-affinity rules");
    }
  }
  if (needs.refused_by.total(node) > 0) {
    return Verdict::not_now("node(s) didn't satisfy existing pods anti-affinity rules");
  }
  return Verdict::yes();
}

Verdict InterPodAffinity::pre_score(const PodInfo& pod, const Snapshot& world,
                                    const std::vector<std::uint32_t>&, StatePtr* state) const {
  const bool prefers = !pod.preferred_affinity.empty() || !pod.preferred_anti_affinity.empty();
  if (!prefers && (args_.ignore_preferred_of_existing || world.affinity_pods == 0)) {
    return Verdict::skip();
  }
  auto likes = std::make_unique<Likes>();
  for (const NodeInfo& node : world.nodes) {
    if (!node.known() || (!prefers && node.affinity_pods() == 0)) continue;
    const auto add = [&](const std::vector<PodTerm>& terms, const PodInfo& about, std::int64_t sign,
                         bool hard) {
      for (const PodTerm& term : terms) {
        if (!world.matches(term, about)) continue;
        likes->weight.add(term.topology_key, node, sign * (hard ? args_.hard_weight : term.weight));
      }
    };
    for (const PodPtr& other : node.pods()) {
      add(pod.preferred_affinity, *other, 1, false);
      add(pod.preferred_anti_affinity, *other, -1, false);
      if (!other->has_pod_affinity()) continue;
      add(other->affinity, pod, 1, true);
      add(other->preferred_affinity, pod, 1, false);
      add(other->preferred_anti_affinity, pod, -1, false);
    }
  }
  if (likes->weight.empty()) return Verdict::skip();
  *state = std::move(likes);
  return Verdict::yes();
}

std::int64_t InterPodAffinity::score(const PodInfo&, const NodeInfo& node,
                                     const PluginState* state) const {
  return static_cast<const Likes&>(*state).weight.total(node);
}

void InterPodAffinity::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  if (scores.empty()) return;
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const std::int64_t least = *low, span = *high - *low;
  for (std::int64_t& score : scores) {
    score = span == 0 ? 0 : kScoreMax * (score - least) / span;
  }
}

namespace {

bool any_matches(const std::vector<PodTerm>& terms, const PodInfo& pod, const Snapshot& world) {
  return std::any_of(terms.begin(), terms.end(),
                     [&](const PodTerm& term) { return world.matches(term, pod); });
}

// A node that has, or changed, a domain one of the pod's terms is about.
bool node_helps(const PodInfo& pod, const Change& change) {
  if (pod.affinity.empty() && pod.anti_affinity.empty()) return change.node_before == nullptr;
  for (const auto* terms : {&pod.affinity, &pod.anti_affinity}) {
    for (const PodTerm& term : *terms) {
      const auto now = change.node->facts().topology(term.topology_key);
      const auto before = change.node_before == nullptr
                              ? std::nullopt
                              : change.node_before->topology(term.topology_key);
      if (now != before) return true;
    }
  }
  return false;
}

}  // namespace

// Who comes may be wanted near, who leaves may have been unwanted, or have refused us.
bool InterPodAffinity::helps(const PodInfo& pod, const Change& change) const {
  if (change.node != nullptr) return node_helps(pod, change);
  if (change.pod == nullptr || change.world == nullptr) return true;
  const PodInfo& other = *change.pod;
  const Snapshot& world = *change.world;
  const bool wanted = !pod.affinity.empty() && matches_all(pod.affinity, other, world);
  const bool unwanted = any_matches(pod.anti_affinity, other, world);
  if ((change.events & event::kPodPlaced) != 0 && wanted) return true;
  if ((change.events & event::kPodGone) != 0 &&
      (wanted || unwanted || any_matches(other.anti_affinity, pod, world))) {
    return true;
  }
  if ((change.events & event::kPodLabels) == 0 || change.pod_before == nullptr) return false;
  const bool was_wanted =
      !pod.affinity.empty() && matches_all(pod.affinity, *change.pod_before, world);
  return wanted != was_wanted ||
         (any_matches(pod.anti_affinity, *change.pod_before, world) && !unwanted);
}

}  // namespace coracle::scheduler
