#include "plugins/pod_topology_spread.hpp"

#include <algorithm>

#include "plugins/spread_counts.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kMismatch = "node(s) didn't match pod topology spread constraints";
constexpr const char* kNoLabel =
    "node(s) didn't match pod topology spread constraints (missing required label)";

struct Hard final : PluginState {
  std::vector<SpreadConstraint> constraints;
  std::vector<DomainCounts> counts;
  std::vector<std::int64_t> least;
  std::vector<bool> self;  // the pod is one of the like
};

// Upstream counts no pods for a selector that says nothing, though the pod itself matches it.
void count_nobody_for_everything(std::vector<SpreadConstraint>& constraints) {
  for (SpreadConstraint& c : constraints) {
    if (c.selector.is_everything()) c.selector = api::LabelSelector::nothing();
  }
}

// A pod of the node came (1) or went (-1).
void recount(const PodInfo& pod, const PodInfo& other, const NodeInfo& node, std::int64_t amount,
             Hard& hard) {
  if (other.ns != pod.ns || other.deleting) return;
  for (size_t i = 0; i < hard.constraints.size(); ++i) {
    const SpreadConstraint& c = hard.constraints[i];
    if (!c.selector.matches(other.labels) || !counts_node(pod, node, c, hard.counts)) continue;
    hard.counts[i].pods[hard.counts[i].key->of(node)] += amount;
    hard.least[i] = hard.counts[i].least(c.min_domains);
  }
}

}  // namespace

std::vector<SpreadConstraint> PodTopologySpread::upstream_defaults() {
  SpreadConstraint host, zone;
  host.topology_key = "kubernetes.io/hostname";
  host.max_skew = 3;
  host.hard = false;
  zone.topology_key = "topology.kubernetes.io/zone";
  zone.max_skew = 5;
  zone.hard = false;
  return {host, zone};
}

std::vector<SpreadConstraint> PodTopologySpread::constraints_of(const PodInfo& pod,
                                                                const Snapshot& world,
                                                                bool hard) const {
  std::vector<SpreadConstraint> chosen;
  const auto& from = pod.own_spread ? pod.spread : defaults_;
  for (const SpreadConstraint& c : from) {
    if (c.hard == hard) chosen.push_back(c);
  }
  if (pod.own_spread || chosen.empty()) return chosen;
  const api::LabelSelector selector = world.workloads.of(pod);
  if (selector.is_nothing()) return {};
  for (SpreadConstraint& c : chosen) c.selector = selector;
  return chosen;
}

Verdict PodTopologySpread::pre_filter(const PodInfo& pod, const Snapshot& world,
                                      StatePtr* state) const {
  auto hard = std::make_unique<Hard>();
  hard->constraints = constraints_of(pod, world, true);
  if (hard->constraints.empty()) return Verdict::skip();
  for (const SpreadConstraint& c : hard->constraints) {
    hard->self.push_back(c.selector.matches(pod.labels));
  }
  count_nobody_for_everything(hard->constraints);
  hard->counts = count_domains(pod, world, hard->constraints);
  for (size_t i = 0; i < hard->constraints.size(); ++i) {
    hard->least.push_back(hard->counts[i].least(hard->constraints[i].min_domains));
  }
  *state = std::move(hard);
  return Verdict::yes();
}

Verdict PodTopologySpread::filter(const PodInfo&, const NodeInfo& node,
                                  const PluginState* state) const {
  const auto& hard = static_cast<const Hard&>(*state);
  for (size_t i = 0; i < hard.constraints.size(); ++i) {
    const SpreadConstraint& c = hard.constraints[i];
    const PodCounts::Domain domain = hard.counts[i].key->of(node);
    if (domain == PodCounts::kNowhere) return Verdict::never(kNoLabel);
    const std::int64_t here = hard.counts[i].pods[domain];
    const std::int64_t self = hard.self[i] ? 1 : 0;
    if (here + self - hard.least[i] > c.max_skew) return Verdict::not_now(kMismatch);
  }
  return Verdict::yes();
}

void PodTopologySpread::add_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                                PluginState* state) const {
  recount(pod, other, node, 1, static_cast<Hard&>(*state));
}

void PodTopologySpread::remove_pod(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                                   PluginState* state) const {
  recount(pod, other, node, -1, static_cast<Hard&>(*state));
}

Verdict PodTopologySpread::pre_score(const PodInfo& pod, const Snapshot& world,
                                     const std::vector<std::uint32_t>& fitting,
                                     StatePtr* state) const {
  auto constraints = constraints_of(pod, world, false);
  if (constraints.empty()) return Verdict::skip();
  count_nobody_for_everything(constraints);
  const bool need_all_keys = pod.own_spread || !system_defaults_;
  *state = make_soft_spread(pod, world, fitting, constraints, need_all_keys);
  return Verdict::yes();
}

std::int64_t PodTopologySpread::score(const PodInfo&, const NodeInfo& node,
                                      const PluginState* state) const {
  return static_cast<const SoftSpread&>(*state).score(node);
}

void PodTopologySpread::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  std::int64_t least = -1, most = 0;
  for (const std::int64_t score : scores) {
    if (score == kOutsideSpread) continue;
    least = least < 0 ? score : std::min(least, score);
    most = std::max(most, score);
  }
  for (std::int64_t& score : scores) {
    if (score == kOutsideSpread) {
      score = 0;
    } else if (most == 0) {
      score = kScoreMax;
    } else {
      score = kScoreMax * (most + least - score) / most;
    }
  }
}

// Pods that count, before or after; nodes that are, or were, in a domain of each constraint.
bool PodTopologySpread::helps(const PodInfo& pod, const Change& change) const {
  if (!pod.own_spread) return change.pod == nullptr || change.pod->ns == pod.ns;
  const auto hard_one = [&pod](const auto& says) {
    return std::any_of(pod.spread.begin(), pod.spread.end(),
                       [&](const SpreadConstraint& c) { return c.hard && says(c); });
  };
  if (change.pod != nullptr) {
    return change.pod->ns == pod.ns && hard_one([&](const SpreadConstraint& c) {
             return c.selector.matches(change.pod->labels) ||
                    (change.pod_before != nullptr && c.selector.matches(change.pod_before->labels));
           });
  }
  if (change.node == nullptr && change.node_before == nullptr) return true;
  const NodeFacts* now = change.node == nullptr ? nullptr : &change.node->facts();
  const NodeFacts* before = change.node_before.get();
  const auto in_all = [&](const NodeFacts* facts) {
    return facts != nullptr && !hard_one([&](const SpreadConstraint& c) {
             return !facts->topology(c.topology_key).has_value();
           });
  };
  if (!in_all(now) && !in_all(before)) return false;
  if (now == nullptr || before == nullptr || (change.events & event::kNodeTaints) != 0) return true;
  return hard_one([&](const SpreadConstraint& c) {
    return now->topology(c.topology_key) != before->topology(c.topology_key) ||
           (c.honor_node_affinity && !pod.required_nodes.anywhere());
  });
}

}  // namespace coracle::scheduler
