#include "plugins/spread_counts.hpp"

#include <algorithm>
#include <cmath>

namespace coracle::scheduler {
namespace {

constexpr const char* kHostKey = "kubernetes.io/hostname";

bool has_all_keys(const NodeInfo& node, const std::vector<SpreadConstraint>& constraints) {
  return std::all_of(constraints.begin(), constraints.end(), [&](const SpreadConstraint& c) {
    return node.facts().topology(c.topology_key).has_value();
  });
}

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

}  // namespace

std::int64_t like_pods(const NodeInfo& node, const std::string& ns,
                       const api::LabelSelector& selector) {
  if (selector.is_nothing()) return 0;
  return std::count_if(node.pods().begin(), node.pods().end(), [&](const PodPtr& pod) {
    return !pod->deleting && pod->ns == ns && selector.matches(pod->labels);
  });
}

bool counts_node(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c,
                 const std::vector<SpreadConstraint>& all) {
  return node.known() && has_all_keys(node, all) && policies_let(pod, node, c);
}

std::vector<DomainCounts> count_domains(const PodInfo& pod, const Snapshot& world,
                                        const std::vector<SpreadConstraint>& constraints) {
  std::vector<DomainCounts> counts(constraints.size());
  for (const NodeInfo& node : world.nodes) {
    for (size_t i = 0; i < constraints.size(); ++i) {
      const SpreadConstraint& c = constraints[i];
      if (!counts_node(pod, node, c, constraints)) continue;
      const std::int64_t pods = like_pods(node, pod.ns, c.selector);
      counts[i][std::string(*node.facts().topology(c.topology_key))] += pods;
    }
  }
  return counts;
}

std::int64_t least_count(const DomainCounts& counts, std::int64_t min_domains) {
  if (counts.empty() || static_cast<std::int64_t>(counts.size()) < min_domains) return 0;
  return std::min_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->second;
}

StatePtr make_soft_spread(const PodInfo& pod, const Snapshot& world,
                          const std::vector<std::uint32_t>& fitting,
                          const std::vector<SpreadConstraint>& constraints, bool need_all_keys) {
  auto soft = std::make_unique<SoftSpread>();
  soft->need_all_keys = need_all_keys;
  for (const SpreadConstraint& c : constraints) {
    SoftSpread::Part part{c, c.topology_key == kHostKey, 0, {}};
    size_t domains = 0;
    for (const std::uint32_t index : fitting) {
      const NodeInfo& node = world.nodes[index];
      if (need_all_keys && !has_all_keys(node, constraints)) continue;
      const auto domain = node.facts().topology(c.topology_key);
      if (part.by_host) ++domains;
      if (domain && !part.by_host) part.counts.try_emplace(std::string(*domain), 0);
    }
    if (!part.by_host) domains = part.counts.size();
    part.weight = std::log(static_cast<double>(domains) + 2);
    soft->parts.push_back(std::move(part));
  }
  for (SoftSpread::Part& part : soft->parts) {
    if (part.counts.empty()) continue;
    for (const NodeInfo& node : world.nodes) {
      if (!node.known() || !policies_let(pod, node, part.constraint)) continue;
      if (need_all_keys && !has_all_keys(node, constraints)) continue;
      const auto domain = node.facts().topology(part.constraint.topology_key);
      const auto count = domain ? part.counts.find(*domain) : part.counts.end();
      if (count == part.counts.end()) continue;
      count->second += like_pods(node, pod.ns, part.constraint.selector);
    }
  }
  return soft;
}

std::int64_t SoftSpread::score(const PodInfo& pod, const NodeInfo& node) const {
  double sum = 0;
  for (const Part& part : parts) {
    const auto domain = node.facts().topology(part.constraint.topology_key);
    if (!domain) {
      if (need_all_keys) return kOutsideSpread;
      continue;
    }
    std::int64_t count = 0;
    if (part.by_host) {
      count = like_pods(node, pod.ns, part.constraint.selector);
    } else if (const auto at = part.counts.find(*domain); at != part.counts.end()) {
      count = at->second;
    }
    sum += static_cast<double>(count) * part.weight +
           static_cast<double>(part.constraint.max_skew - 1);
  }
  return static_cast<std::int64_t>(std::lround(sum));
}

}  // namespace coracle::scheduler
