// The arithmetic of PodTopologySpread: how many like pods each domain has. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

// The score of a node that lacks a key, before normalize.
inline constexpr std::int64_t kOutsideSpread = -1;

// Pods of the namespace that the selector matches and that are not being deleted, by the domains of
// a label (empty: node by node).
PodCounts::CounterPtr like_pods(const Snapshot& world, const std::string& ns,
                                const api::LabelSelector& selector, const std::string& label);

// Like pods of one constraint by domain, of the nodes that count.
struct DomainCounts {
  PodCounts::KeyPtr key;
  std::vector<std::int64_t> pods;   // by domain
  std::vector<std::int32_t> nodes;  // that count; 0: the domain is not there
  // 0 when there are fewer domains than demanded.
  std::int64_t least(std::int64_t min_domains) const;
};
// Whether a node's pods count: it has every key, and the policies of `c` let it.
bool counts_node(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c,
                 const std::vector<DomainCounts>& all);
// For each constraint.
std::vector<DomainCounts> count_domains(const PodInfo& pod, const Snapshot& world,
                                        const std::vector<SpreadConstraint>& constraints);

struct SoftSpread final : PluginState {
  struct Part {
    PodCounts::KeyPtr key;
    std::int64_t max_skew = 1;
    double weight = 0;              // of a pod: more domains, more weight
    PodCounts::CounterPtr counter;  // null: `pods` has them
    bool by_host = false;           // the counter counts node by node
    std::vector<std::int64_t> pods;
  };
  std::vector<Part> parts;
  bool need_all_keys = true;
  // Less is better; kOutsideSpread.
  std::int64_t score(const NodeInfo& node) const;
};
StatePtr make_soft_spread(const PodInfo& pod, const Snapshot& world,
                          const std::vector<std::uint32_t>& fitting,
                          const std::vector<SpreadConstraint>& constraints, bool need_all_keys);

}  // namespace coracle::scheduler
