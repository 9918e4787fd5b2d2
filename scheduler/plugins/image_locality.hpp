// ImageLocality: prefers nodes that have the images already, the more the larger they are and the
// more nodes have them (so that one image does not gather all pods on one node).
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class ImageLocality final : public Plugin {
 public:
  std::string_view name() const override { return "ImageLocality"; }
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
};

}  // namespace coracle::scheduler
