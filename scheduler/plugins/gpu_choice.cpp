#include "plugins/gpu_choice.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/rng.hpp"
#include "plugins/gpu_fragmentation.hpp"

namespace coracle::scheduler {
namespace {

constexpr std::uint64_t kForDevice = 1;

// Of those that fit, the first of the best; the smaller the better.
template <class Rank>
std::vector<std::uint8_t> best_of(const GpuUse& gpus, int milli, Rank rank) {
  std::vector<std::uint8_t> best;
  int least = 0;
  for (size_t i = 0; i < gpus.free().size(); ++i) {
    const int free = gpus.free()[i];
    if (free < milli) continue;
    const int ranked = rank(free);
    if (!best.empty() && ranked >= least) continue;
    least = ranked;
    best = {static_cast<std::uint8_t>(i)};
  }
  return best;
}

std::vector<std::uint8_t> whole_devices(const GpuUse& gpus, int count) {
  std::vector<std::uint8_t> devices;
  for (size_t i = 0; i < gpus.free().size(); ++i) {
    if (static_cast<int>(devices.size()) == count) break;
    if (gpus.free()[i] == kDeviceMilli) devices.push_back(static_cast<std::uint8_t>(i));
  }
  return static_cast<int>(devices.size()) == count ? devices : std::vector<std::uint8_t>();
}

std::vector<std::uint8_t> device_by_chance(const PodInfo& pod, const GpuUse& gpus,
                                           std::uint64_t seed) {
  std::vector<std::uint8_t> fitting;
  for (size_t i = 0; i < gpus.free().size(); ++i) {
    if (gpus.free()[i] >= pod.gpu->milli) fitting.push_back(static_cast<std::uint8_t>(i));
  }
  if (fitting.empty()) return {};
  return {fitting[drawn_for(pod, seed, kForDevice, fitting.size())]};
}

}  // namespace

std::vector<std::uint8_t> choose_devices(const GpuArgs& args, const PodInfo& pod,
                                         const NodeInfo& node) {
  const GpuAsk& ask = *pod.gpu;
  const GpuUse& gpus = node.gpus();
  if (!ask.shares()) return whole_devices(gpus, ask.devices);
  switch (args.choice) {
    case GpuArgs::Choice::kBestFit:
      return best_of(gpus, ask.milli, [](int free) { return free; });
    case GpuArgs::Choice::kWorstFit:
      return best_of(gpus, ask.milli, [](int free) { return -free; });
    case GpuArgs::Choice::kRandom:
      return device_by_chance(pod, gpus, args.seed);
    case GpuArgs::Choice::kFragmentation: {
      const FragmentationStep step = best_step(pod, node, args.typical);
      if (step.device < 0) return {};
      return {static_cast<std::uint8_t>(step.device)};
    }
  }
  return {};
}

std::uint64_t drawn_for(const PodInfo& pod, std::uint64_t seed, std::uint64_t purpose,
                        std::uint64_t bound) {
  return Rng(seed ^ (purpose << 32) ^ fnv32a(pod.key)).below(bound);
}

}  // namespace coracle::scheduler
