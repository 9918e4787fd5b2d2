// SelectorSpread: the older way to spread: few pods of the same service or controller on a node
// (one third) and in its zone (two thirds). Off by default; PodTopologySpread does it.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class SelectorSpread final : public Plugin {
 public:
  std::string_view name() const override { return "SelectorSpread"; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
};

}  // namespace coracle::scheduler
