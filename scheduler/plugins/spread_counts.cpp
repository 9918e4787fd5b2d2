#include "plugins/spread_counts.hpp"

#include <algorithm>
#include <cmath>

namespace coracle::scheduler {
namespace {

constexpr const char* kHostKey = "kubernetes.io/hostname";

bool policies_let(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c) {
  if (c.honor_node_affinity && !pod.required_nodes.anywhere() &&
      !pod.required_nodes.matches(node.facts().selectable())) {
    return false;
  }
  const auto& taints = node.facts().taints;
  return !c.honor_taints || std::all_of(taints.begin(), taints.end(), [&](const api::Taint& taint) {
    return taint.effect == api::TaintEffect::kPreferNoSchedule ||
           api::tolerated_by(taint, pod.tolerations);
  });
}

// Every node that has the constraint's key counts: what is known of the whole cluster will do.
bool counts_all(const PodInfo& pod, const Snapshot& world, const SpreadConstraint& c,
                const std::vector<PodCounts::KeyPtr>& needed) {
  if (c.honor_taints || (c.honor_node_affinity && !pod.required_nodes.anywhere())) return false;
  const auto nodes = static_cast<int>(world.nodes.size());
  return needed.size() < 2 || std::all_of(
                                  needed.begin(), needed.end(),
                                  [nodes](const auto& key) { return key->nodes() == nodes; });
}

std::vector<PodCounts::KeyPtr> keys_of(const Snapshot& world,
                                       const std::vector<SpreadConstraint>& constraints) {
  std::vector<PodCounts::KeyPtr> keys;
  for (const SpreadConstraint& c : constraints) {
    keys.push_back(world.counts().key(world.nodes, c.topology_key));
  }
  return keys;
}

bool has_all(const NodeInfo& node, const std::vector<PodCounts::KeyPtr>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const PodCounts::KeyPtr& key) {
    return key->of(node) != PodCounts::kNowhere;
  });
}

// Node by node; `needed`: the keys a node must have for its pods to count.
DomainCounts count_nodes(const PodInfo& pod, const Snapshot& world, const SpreadConstraint& c,
                         const PodCounts::KeyPtr& key,
                         const std::vector<PodCounts::KeyPtr>& needed) {
  DomainCounts counts{key, std::vector<std::int64_t>(key->domains_end()),
                      std::vector<std::int32_t>(key->domains_end())};
  const auto like = like_pods(world, pod.ns, c.selector, "");
  for (const NodeInfo& node : world.nodes) {
    const PodCounts::Domain domain = key->of(node);
    if (domain == PodCounts::kNowhere || !has_all(node, needed) || !policies_let(pod, node, c)) {
      continue;
    }
    counts.pods[domain] += like->at(node);
    ++counts.nodes[domain];
  }
  return counts;
}

}  // namespace

PodCounts::CounterPtr like_pods(const Snapshot& world, const std::string& ns,
                                const api::LabelSelector& selector, const std::string& label) {
  PodTerm like;
  like.selector = selector;
  like.namespaces = {ns};
  return world.counts().matching(world, {&like, 1}, label, false);
}

bool counts_node(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c,
                 const std::vector<DomainCounts>& all) {
  return std::all_of(all.begin(), all.end(),
                     [&](const DomainCounts& counts) {
                       return counts.key->of(node) != PodCounts::kNowhere;
                     }) &&
         policies_let(pod, node, c);
}

std::vector<DomainCounts> count_domains(const PodInfo& pod, const Snapshot& world,
                                        const std::vector<SpreadConstraint>& constraints) {
  const auto keys = keys_of(world, constraints);
  std::vector<DomainCounts> counts;
  for (size_t i = 0; i < constraints.size(); ++i) {
    const SpreadConstraint& c = constraints[i];
    if (!counts_all(pod, world, c, keys)) {
      counts.push_back(count_nodes(pod, world, c, keys[i], keys));
      continue;
    }
    const auto like = like_pods(world, pod.ns, c.selector, c.topology_key);
    DomainCounts& all = counts.emplace_back(DomainCounts{keys[i], {}, {}});
    for (PodCounts::Domain domain = 0; domain < keys[i]->domains_end(); ++domain) {
      all.pods.push_back(like->in(domain));
      all.nodes.push_back(keys[i]->nodes_in(domain));
    }
  }
  return counts;
}

std::int64_t DomainCounts::least(std::int64_t min_domains) const {
  std::int64_t domains = 0, fewest = 0;
  for (size_t domain = 0; domain < pods.size(); ++domain) {
    if (nodes[domain] == 0) continue;
    fewest = domains++ == 0 ? pods[domain] : std::min(fewest, pods[domain]);
  }
  return domains < min_domains ? 0 : fewest;
}

StatePtr make_soft_spread(const PodInfo& pod, const Snapshot& world,
                          const std::vector<std::uint32_t>& fitting,
                          const std::vector<SpreadConstraint>& constraints, bool need_all_keys) {
  auto soft = std::make_unique<SoftSpread>();
  soft->need_all_keys = need_all_keys;
  const auto keys = keys_of(world, constraints);
  const auto needed = need_all_keys ? keys : std::vector<PodCounts::KeyPtr>();
  for (size_t i = 0; i < constraints.size(); ++i) {
    const SpreadConstraint& c = constraints[i];
    SoftSpread::Part part{keys[i], c.max_skew};
    part.by_host = c.topology_key == kHostKey;
    size_t domains = 0;
    // Nodes without the label that count are one domain more.
    std::vector<bool> seen(keys[i]->domains_end() + 1);
    for (const std::uint32_t index : fitting) {
      const NodeInfo& node = world.nodes[index];
      if (!has_all(node, needed)) continue;
      const size_t domain = std::min<size_t>(keys[i]->of(node), seen.size() - 1);
      if (part.by_host || !seen[domain]) ++domains;
      seen[domain] = true;
    }
    part.weight = std::log(static_cast<double>(domains) + 2);
    if (part.by_host) {
      part.counter = like_pods(world, pod.ns, c.selector, "");
    } else if (counts_all(pod, world, c, needed)) {
      part.counter = like_pods(world, pod.ns, c.selector, c.topology_key);
    } else {
      part.pods = count_nodes(pod, world, c, keys[i], needed).pods;
    }
    soft->parts.push_back(std::move(part));
  }
  return soft;
}

std::int64_t SoftSpread::score(const NodeInfo& node) const {
  double sum = 0;
  for (const Part& part : parts) {
    const PodCounts::Domain domain = part.key->of(node);
    if (domain == PodCounts::kNowhere) {
      if (need_all_keys) return kOutsideSpread;
      continue;
    }
    std::int64_t count = 0;
    if (part.counter == nullptr) {
      count = part.pods[domain];
    } else {
      count = part.by_host ? part.counter->at(node) : part.counter->in(domain);
    }
    sum += static_cast<double>(count) * part.weight + static_cast<double>(part.max_skew - 1);
  }
  return static_cast<std::int64_t>(std::lround(sum));
}

}  // namespace coracle::scheduler
