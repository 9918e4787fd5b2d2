#include "plugins/inter_pod_affinity.hpp"

#include <algorithm>

#include "plugins/tally.hpp"

namespace coracle::scheduler {
namespace {

using Role = PodCounts::Role;

struct Needs final : PluginState {
  // Pods with an anti-affinity term that matches us, by distinct term.
  struct Refusal {
    const PodTerm* term;
    Tally pods;
  };
  std::vector<Tally> wanted;    // pods that match all affinity terms, by each term's key
  std::vector<Tally> unwanted;  // pods that match an anti-affinity term of ours, by term
  std::vector<Refusal> refused_by;
  const Snapshot* world = nullptr;
  bool likes_itself = false;  // matches all its own affinity terms

  bool nobody_refuses() const {
    return std::all_of(refused_by.begin(), refused_by.end(),
                       [](const Refusal& refusal) { return refusal.pods.empty(); });
  }
  bool nobody_is_wanted() const {
    return std::all_of(wanted.begin(), wanted.end(), [](const Tally& t) { return t.empty(); });
  }
};

struct Likes final : PluginState {
  struct Part {
    PodCounts::CounterPtr pods;
    std::int64_t weight;
  };
  std::vector<Part> parts;
  // Whether any domain has a weight, liked and disliked pods set off.
  bool any() const;
};

bool matches_all(const std::vector<PodTerm>& terms, const PodInfo& pod, const Snapshot& world) {
  return std::all_of(terms.begin(), terms.end(),
                     [&](const PodTerm& term) { return world.matches(term, pod); });
}

Needs count_all(const PodInfo& pod, const Snapshot& world) {
  Needs needs;
  needs.world = &world;
  PodCounts& counts = world.counts();
  for (const PodTerm& term : pod.affinity) {
    needs.wanted.emplace_back(counts.matching(world, pod.affinity, term.topology_key));
  }
  for (const PodTerm& term : pod.anti_affinity) {
    needs.unwanted.emplace_back(counts.matching(world, {&term, 1}, term.topology_key));
  }
  for (const auto& [term, demand] : counts.demands(Role::kRefuses)) {
    if (world.matches(term, pod)) needs.refused_by.push_back({&term, Tally(demand.pods)});
  }
  return needs;
}

// One pod of a node came (1) or went (-1).
void count_refusals(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                    std::int64_t amount, Needs& needs) {
  for (const PodTerm& term : other.anti_affinity) {
    if (!needs.world->matches(term, pod)) continue;
    auto& all = needs.refused_by;
    auto known = std::find_if(all.begin(), all.end(),
                              [&](const Needs::Refusal& refusal) { return *refusal.term == term; });
    if (known == all.end()) {
      const auto key = needs.world->counts().key(needs.world->nodes, term.topology_key);
      known = all.insert(all.end(), {&term, Tally(key)});
    }
    known->pods.add(node, amount);
  }
}

void count_needs(const PodInfo& pod, const PodInfo& other, const NodeInfo& node,
                 std::int64_t amount, Needs& needs) {
  if (!pod.affinity.empty() && matches_all(pod.affinity, other, *needs.world)) {
    for (Tally& wanted : needs.wanted) wanted.add(node, amount);
  }
  for (size_t i = 0; i < pod.anti_affinity.size(); ++i) {
    if (needs.world->matches(pod.anti_affinity[i], other)) needs.unwanted[i].add(node, amount);
  }
}

// The first pod of a group that wants to be near itself may go anywhere with the labels.
bool near_wanted(const NodeInfo& node, const Needs& needs) {
  bool all = true;
  for (const Tally& wanted : needs.wanted) {
    if (wanted.key().of(node) == PodCounts::kNowhere) return false;
    all = all && wanted.at(node) > 0;
  }
  return all || (needs.likes_itself && needs.nobody_is_wanted());
}

}  // namespace

Verdict InterPodAffinity::pre_filter(const PodInfo& pod, const Snapshot& world,
                                     StatePtr* state) const {
  Needs needs = count_all(pod, world);
  if (pod.affinity.empty() && pod.anti_affinity.empty() && needs.nobody_refuses()) {
    return Verdict::skip();
  }
  needs.likes_itself = matches_all(pod.affinity, pod, world);
  *state = std::make_unique<Needs>(std::move(needs));
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

Verdict InterPodAffinity::filter(const PodInfo&, const NodeInfo& node,
                                 const PluginState* state) const {
  const auto& needs = static_cast<const Needs&>(*state);
  if (!near_wanted(node, needs)) {
    return Verdict::never("node(s) didn't match pod affinity rules");
  }
  for (const Tally& unwanted : needs.unwanted) {
    if (unwanted.at(node) > 0) {
      return Verdict::not_now("node(s) didn't match pod anti-affinity rules");
    }
  }
  for (const Needs::Refusal& refusal : needs.refused_by) {
    if (refusal.pods.at(node) > 0) {
      return Verdict::not_now("node(s) didn't satisfy existing pods anti-affinity rules");
    }
  }
  return Verdict::yes();
}

bool Likes::any() const {
  bool liked = false, disliked = false;
  for (const Part& part : parts) {
    if (part.pods->sum() == 0) continue;
    (part.weight > 0 ? liked : disliked) = true;
  }
  if (!liked || !disliked) return liked || disliked;
  for (const Part& first : parts) {
    const PodCounts::Key& key = first.pods->key();
    for (PodCounts::Domain domain = 0; domain < key.domains_end(); ++domain) {
      std::int64_t sum = 0;
      for (const Part& part : parts) {
        if (&part.pods->key() == &key) sum += part.weight * part.pods->in(domain);
      }
      if (sum != 0) return true;
    }
  }
  return false;
}

Verdict InterPodAffinity::pre_score(const PodInfo& pod, const Snapshot& world,
                                    const std::vector<std::uint32_t>&, StatePtr* state) const {
  const bool prefers = !pod.preferred_affinity.empty() || !pod.preferred_anti_affinity.empty();
  if (!prefers && args_.ignore_preferred_of_existing) return Verdict::skip();
  PodCounts& counts = world.counts();
  auto likes = std::make_unique<Likes>();
  const auto add = [&](PodCounts::CounterPtr pods, std::int64_t weight) {
    if (weight != 0) likes->parts.push_back({std::move(pods), weight});
  };
  for (const PodTerm& term : pod.preferred_affinity) {
    add(counts.matching(world, {&term, 1}, term.topology_key), term.weight);
  }
  for (const PodTerm& term : pod.preferred_anti_affinity) {
    add(counts.matching(world, {&term, 1}, term.topology_key), -term.weight);
  }
  for (const auto& [term, demand] : counts.demands(Role::kRequires)) {
    if (world.matches(term, pod)) add(demand.pods, args_.hard_weight);
  }
  for (const auto& [term, demand] : counts.demands(Role::kPrefers)) {
    if (world.matches(term, pod)) add(demand.pods, term.weight);
  }
  for (const auto& [term, demand] : counts.demands(Role::kAvoids)) {
    if (world.matches(term, pod)) add(demand.pods, -term.weight);
  }
  if (!likes->any()) return Verdict::skip();
  *state = std::move(likes);
  return Verdict::yes();
}

std::int64_t InterPodAffinity::score(const PodInfo&, const NodeInfo& node,
                                     const PluginState* state) const {
  std::int64_t sum = 0;
  for (const auto& [pods, weight] : static_cast<const Likes&>(*state).parts) {
    sum += weight * pods->at(node);
  }
  return sum;
}

// The least becomes 0, the largest kScoreMax. Reckoned as upstream does: 29 of 100 becomes 28.
void InterPodAffinity::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  if (scores.empty()) return;
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const std::int64_t least = *low, span = *high - *low;
  for (std::int64_t& score : scores) {
    const double share =
        span == 0 ? 0 : static_cast<double>(score - least) / static_cast<double>(span);
    score = static_cast<std::int64_t>(static_cast<double>(kScoreMax) * share);
  }
}

namespace {

bool any_matches(const std::vector<PodTerm>& terms, const PodInfo& pod, const Snapshot& world) {
  return std::any_of(terms.begin(), terms.end(),
                     [&](const PodTerm& term) { return world.matches(term, pod); });
}

// A node that came into a domain where the pod wants to be near others, or left one where it does
// not. A new node is in none that anybody shuns yet, least of all without the label.
bool node_helps(const PodInfo& pod, const Change& change) {
  const bool fresh = change.node_before == nullptr;
  if (fresh && (pod.affinity.empty() || !pod.anti_affinity.empty())) return true;
  const auto moved = [&](const PodTerm& term, bool into) {
    const auto now = change.node->facts().topology(term.topology_key);
    const auto before = fresh ? std::nullopt : change.node_before->topology(term.topology_key);
    return now != before && (into ? now : before).has_value();
  };
  return std::any_of(pod.affinity.begin(), pod.affinity.end(),
                     [&](const PodTerm& term) { return moved(term, true); }) ||
         std::any_of(pod.anti_affinity.begin(), pod.anti_affinity.end(),
                     [&](const PodTerm& term) { return moved(term, false); });
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
