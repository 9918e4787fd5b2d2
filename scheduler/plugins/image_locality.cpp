#include "plugins/image_locality.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr std::int64_t kBytesMin = 23 * kMegabyte;
constexpr std::int64_t kBytesMaxPerContainer = 1000 * kMegabyte;

struct Spread final : PluginState {
  std::vector<double> share;  // of the nodes that have it, by image of the pod
};

}  // namespace

Verdict ImageLocality::pre_score(const PodInfo& pod, const Snapshot& world,
                                 const std::vector<std::uint32_t>&, StatePtr* state) const {
  auto spread = std::make_unique<Spread>();
  bool known = false;
  for (const std::string& image : pod.images) {
    const auto nodes = world.image_nodes.find(image);
    const int count = nodes == world.image_nodes.end() ? 0 : nodes->second;
    known = known || count > 0;
    spread->share.push_back(static_cast<double>(count) /
                            static_cast<double>(std::max<size_t>(1, world.nodes.size())));
  }
  if (!known) return Verdict::skip();
  *state = std::move(spread);
  return Verdict::yes();
}

std::int64_t ImageLocality::score(const PodInfo& pod, const NodeInfo& node,
                                  const PluginState* state) const {
  const auto& spread = static_cast<const Spread&>(*state);
  std::int64_t bytes = 0;
  for (size_t i = 0; i < pod.images.size(); ++i) {
    const auto image = node.facts().images.find(pod.images[i]);
    if (image == node.facts().images.end()) continue;
    bytes += static_cast<std::int64_t>(static_cast<double>(image->second) * spread.share[i]);
  }
  const std::int64_t most = kBytesMaxPerContainer * std::max(1, pod.containers);
  bytes = std::clamp(bytes, kBytesMin, most);
  return kScoreMax * (bytes - kBytesMin) / (most - kBytesMin);
}

}  // namespace coracle::scheduler
