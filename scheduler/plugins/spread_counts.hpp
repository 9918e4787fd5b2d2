// The arithmetic of PodTopologySpread: how many like pods each domain has. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

using DomainCounts = std::map<std::string, std::int64_t, std::less<>>;

// The score of a node that lacks a key, before normalize.
inline constexpr std::int64_t kOutsideSpread = -1;

// Pods of the namespace that the selector matches and that are not being deleted.
std::int64_t like_pods(const NodeInfo& node, const std::string& ns,
                       const api::LabelSelector& selector);
// Whether a node's pods count: it has every key, and the policies of `c` let it.
bool counts_node(const PodInfo& pod, const NodeInfo& node, const SpreadConstraint& c,
                 const std::vector<SpreadConstraint>& all);
// For each constraint: like pods by domain; a domain without any is there with 0.
std::vector<DomainCounts> count_domains(const PodInfo& pod, const Snapshot& world,
                                        const std::vector<SpreadConstraint>& constraints);
// 0 when there are fewer domains than demanded.
std::int64_t least_count(const DomainCounts& counts, std::int64_t min_domains);

struct SoftSpread final : PluginState {
  struct Part {
    SpreadConstraint constraint;
    bool by_host = false;  // counted node by node, when scored
    double weight = 0;     // of a pod: more domains, more weight
    DomainCounts counts;
  };
  std::vector<Part> parts;
  bool need_all_keys = true;
  // Less is better; kOutsideSpread.
  std::int64_t score(const PodInfo& pod, const NodeInfo& node) const;
};
StatePtr make_soft_spread(const PodInfo& pod, const Snapshot& world,
                          const std::vector<std::uint32_t>& fitting,
                          const std::vector<SpreadConstraint>& constraints, bool need_all_keys);

}  // namespace coracle::scheduler
