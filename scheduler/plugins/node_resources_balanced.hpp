// NodeResourcesBalancedAllocation: prefers nodes whose cpu and memory are taken in like shares.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class NodeResourcesBalancedAllocation final : public Plugin {
 public:
  std::string_view name() const override { return "NodeResourcesBalancedAllocation"; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
};

}  // namespace coracle::scheduler
