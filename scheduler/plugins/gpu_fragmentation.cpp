#include "plugins/gpu_fragmentation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "framework/plugin.hpp"

namespace coracle::scheduler {
namespace {

auto size_of(const TypicalPod& pod) {
  return std::tie(pod.cpu_milli, pod.milli, pod.devices, pod.models);
}

std::int64_t score_of_growth(double before, double after) {
  const double gained = (before - after) / kDeviceMilli;
  return static_cast<std::int64_t>(1.0 / (1.0 + std::exp(-gained)) * kScoreMax);
}

}  // namespace

double fragmentation(std::int64_t cpu_free_milli, const std::vector<int>& gpu_free,
                     std::string_view model, const std::vector<TypicalPod>& typical) {
  const int total = std::accumulate(gpu_free.begin(), gpu_free.end(), 0);
  if (total == 0) return 0;
  double sum = 0;
  for (const TypicalPod& pod : typical) {
    int lost = total;
    if (pod.devices > 0 && cpu_free_milli >= pod.cpu_milli && allows_model(pod.models, model)) {
      int too_small = 0, large_enough = 0;
      for (const int free : gpu_free) {
        if (free < pod.milli) {
          too_small += free;
        } else {
          ++large_enough;
        }
      }
      if (large_enough >= pod.devices) lost = too_small;
    }
    sum += pod.share * lost;
  }
  return sum;
}

double fragmentation(const NodeInfo& node, const std::vector<TypicalPod>& typical) {
  return fragmentation(node.cpu_free(), node.gpus().free(), node.facts().gpu_model, typical);
}

FragmentationStep best_step(const PodInfo& pod, const NodeInfo& node,
                            const std::vector<TypicalPod>& typical) {
  const std::string& model = node.facts().gpu_model;
  const double before = fragmentation(node, typical);
  const std::int64_t cpu_after = node.cpu_free() - pod.scoring_requests.cpu_milli;
  std::vector<int> after = node.gpus().free();
  if (pod.gpu == nullptr || !pod.gpu->shares()) {
    int wanted = pod.gpu == nullptr ? 0 : pod.gpu->devices;
    for (int& free : after) {
      if (wanted == 0) break;
      if (free < kDeviceMilli) continue;
      free = 0;
      --wanted;
    }
    return {score_of_growth(before, fragmentation(cpu_after, after, model, typical)), -1};
  }
  FragmentationStep best;
  const int milli = pod.gpu->milli;
  for (size_t i = 0; i < after.size(); ++i) {
    if (after[i] < milli) continue;
    // Devices with as much free are alike: the first of them stands for all.
    if (std::find(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(i), after[i]) !=
        after.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    after[i] -= milli;
    const auto score = score_of_growth(before, fragmentation(cpu_after, after, model, typical));
    after[i] += milli;
    if (best.device < 0 || score > best.score) best = {score, static_cast<int>(i)};
  }
  return best;
}

std::vector<TypicalPod> typical_of(const std::vector<TypicalPod>& pods, double popularity) {
  std::map<std::tuple<std::int64_t, int, int, std::vector<std::string>>, double> counts;
  double total = 0;
  for (const TypicalPod& pod : pods) {
    counts[size_of(pod)] += pod.share;
    total += pod.share;
  }
  std::vector<TypicalPod> kinds;
  for (const auto& [size, count] : counts) {
    const auto& [cpu, milli, devices, models] = size;
    kinds.push_back({cpu, devices, milli, models, count});
  }
  std::sort(kinds.begin(), kinds.end(), [](const TypicalPod& a, const TypicalPod& b) {
    return a.share != b.share ? a.share > b.share : size_of(a) > size_of(b);
  });
  double kept = 0;
  size_t count = 0;
  while (count < kinds.size() && kept < popularity * total) kept += kinds[count++].share;
  kinds.resize(count);
  for (TypicalPod& kind : kinds) kind.share /= kept;
  return kinds;
}

TypicalPod kind_of_pod(const PodInfo& pod) {
  TypicalPod kind{pod.scoring_requests.cpu_milli, 0, 0, {}, 1};
  if (pod.gpu == nullptr) return kind;
  kind.devices = pod.gpu->devices;
  kind.milli = pod.gpu->milli;
  kind.models = pod.gpu->models;
  return kind;
}

}  // namespace coracle::scheduler
