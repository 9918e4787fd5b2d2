#include "plugins/gpu_random.hpp"

#include "plugins/gpu_choice.hpp"

namespace coracle::scheduler {
namespace {

constexpr std::uint64_t kForNode = 2;

struct Drawn final : PluginState {
  std::string node;
};

}  // namespace

Verdict GpuRandom::pre_score(const PodInfo& pod, const Snapshot& world,
                             const std::vector<std::uint32_t>& fitting, StatePtr* out) const {
  auto state = std::make_unique<Drawn>();
  state->node = world.nodes[fitting[drawn_for(pod, args_.seed, kForNode, fitting.size())]].name();
  *out = std::move(state);
  return Verdict::yes();
}

std::int64_t GpuRandom::score(const PodInfo&, const NodeInfo& node,
                              const PluginState* state) const {
  return static_cast<const Drawn*>(state)->node == node.name() ? kScoreMax : 0;
}

}  // namespace coracle::scheduler
