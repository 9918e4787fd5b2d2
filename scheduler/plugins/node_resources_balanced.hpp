// NodeResourcesBalancedAllocation: prefers nodes whose cpu and memory (or the resources
// it is told) are taken in like shares.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class NodeResourcesBalancedAllocation final : public Plugin {
 public:
  explicit NodeResourcesBalancedAllocation(
      std::vector<ResourceWeight> resources = PluginArgs().balanced)
      : resources_(std::move(resources)) {}
  std::string_view name() const override { return "NodeResourcesBalancedAllocation"; }
  bool sees_one_node() const override { return true; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;

 private:
  const std::vector<ResourceWeight> resources_;
};

}  // namespace coracle::scheduler
