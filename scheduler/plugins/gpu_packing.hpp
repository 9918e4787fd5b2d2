// GpuPacking: first devices that are in use, the fuller the better; then free devices of a node
// that is in use, the fewer the better; then a node that is not, the smaller the better. After Weng
// et al., "MLaaS in the Wild", NSDI'22, as the paper of FGD compares it.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuPacking final : public Plugin {
 public:
  std::string_view name() const override { return "GpuPacking"; }
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
};

}  // namespace coracle::scheduler
