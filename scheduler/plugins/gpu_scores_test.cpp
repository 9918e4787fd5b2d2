// Sums by hand beside the formulas of "Beware of Fragmentation" (USENIX ATC'23) and what its
// simulator makes of them.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "framework/testing.hpp"
#include "plugins/gpu_best_fit.hpp"
#include "plugins/gpu_clustering.hpp"
#include "plugins/gpu_dot_product.hpp"
#include "plugins/gpu_fragmentation.hpp"
#include "plugins/gpu_fragmentation_gradient.hpp"
#include "plugins/gpu_packing.hpp"
#include "plugins/gpu_random.hpp"

using namespace coracle;
using namespace coracle::scheduler;
using scheduler::testing::a_node;
using scheduler::testing::a_pod;
using scheduler::testing::a_world;

namespace {

a_node gpus(int count, const std::string& cpu = "64", const std::string& name = "n") {
  return a_node(name)
      .has("cpu", cpu)
      .has("lab.coracle.dev/gpu-milli", std::to_string(count * 1000))
      .label("lab.coracle.dev/gpu-model", "T4");
}

a_pod asks(const std::string& name, int milli, const std::string& cpu = "8") {
  a_pod pod = a_pod(name).cpu(cpu);
  return milli == 0 ? pod : pod.request("lab.coracle.dev/gpu-milli", std::to_string(milli));
}

a_pod placed(const std::string& name, int milli, const std::string& devices) {
  return asks(name, milli)
      .on("n")
      .set("metadata.annotations", R"({"lab.coracle.dev/gpu-devices":")" + devices + R"("})");
}

}  // namespace

TEST_CASE("GpuDotProduct: the larger the product, the lower") {
  // 56 of 128 cores and 3.4 of 8 GPUs are free: 1 - (0.4375 * 0.0625 + 0.425 * 0.125) / 2 = 0.9598
  const Snapshot world = a_world({gpus(4)}, {placed("a", 600, "0")});
  CHECK(GpuDotProduct().score(*asks("p", 1000).info(), world.nodes[0], nullptr) == 95);
  CHECK(GpuDotProduct().score(*asks("p", 0, "32").info(), world.nodes[0], nullptr) == 94);
}

TEST_CASE(
    "GpuClustering: the same kind alone, then among others, then an empty node, then others") {
  const GpuClustering plugin;
  const auto score = [&](const std::vector<a_pod>& there, int milli) {
    return plugin.score(*asks("p", milli).info(), a_world({gpus(4)}, there).nodes[0], nullptr);
  };
  CHECK(score({placed("a", 500, "0")}, 300) == 75 + 25 * 4500 / 8000);
  CHECK(score({placed("a", 500, "0"), placed("b", 1000, "1")}, 300) == 50 + 25 * 5500 / 8000);
  CHECK(score({}, 300) == 25 + 25 * 4000 / 8000);
  CHECK(score({placed("b", 1000, "1")}, 300) == 25 * 5000 / 8000);
  CHECK(score({placed("b", 2000, "1,2")}, 1000) == 25 * 6000 / 8000);
  CHECK(score({placed("b", 1000, "1")}, 0) == 0);
}

TEST_CASE("GpuPacking: used devices, then free ones of a used node, then the smallest free node") {
  const GpuPacking plugin;
  const auto score = [&](const std::vector<a_pod>& there, int milli, int devices = 4) {
    return plugin.score(*asks("p", milli).info(), a_world({gpus(devices)}, there).nodes[0],
                        nullptr);
  };
  CHECK(score({placed("a", 600, "0")}, 300) == 100 - 40 / 10);
  CHECK(score({placed("a", 800, "0")}, 300) == 50 - 1);
  CHECK(score({placed("a", 800, "0")}, 3000) == 50 - 3);
  CHECK(score({}, 300) == 33 - 4);
  CHECK(score({}, 300, 2) == 33 - 2);
  CHECK(score({}, 0) == 0);
}

TEST_CASE("GpuBestFit: what is left, spread over 0..100") {
  const GpuBestFit plugin;
  const auto score = [&](int devices, const std::string& cpu) {
    return plugin.score(*asks("p", 1000).info(), a_world({gpus(devices, cpu)}).nodes[0], nullptr);
  };
  // 56/128 * 0.5 + 3/8 * 0.5 = 0.40625
  CHECK(score(4, "64") == 59);
  CHECK(score(1, "8") == 100);
  std::vector<std::int64_t> scores{59, 100, 80};
  plugin.normalize(nullptr, scores);
  CHECK(scores == std::vector<std::int64_t>{0, 100, 51});
  scores = {7, 7};
  plugin.normalize(nullptr, scores);
  CHECK(scores == std::vector<std::int64_t>{0, 0});
}

TEST_CASE("GpuRandom: one of the nodes, the same for the same pod and seed, all in the long run") {
  const Snapshot world = a_world({gpus(1, "8", "a"), gpus(1, "8", "b"), gpus(1, "8", "c")});
  std::map<std::string, int> counts;
  for (int i = 0; i < 300; ++i) {
    const PodPtr pod = asks("p" + std::to_string(i), 500).info();
    StatePtr state, again;
    GpuArgs args;
    args.seed = 9;
    const GpuRandom plugin(args);
    REQUIRE(plugin.pre_score(*pod, world, {0, 1, 2}, &state).is_yes());
    REQUIRE(plugin.pre_score(*pod, world, {0, 1, 2}, &again).is_yes());
    for (const NodeInfo& node : world.nodes) {
      const auto score = plugin.score(*pod, node, state.get());
      CHECK(score == plugin.score(*pod, node, again.get()));
      if (score == 100) ++counts[node.name()];
    }
  }
  CHECK(counts.size() == 3);
  for (const auto& [node, count] : counts) CHECK(count > 60);
  CHECK(counts["a"] + counts["b"] + counts["c"] == 300);
}

TEST_CASE("fragmentation: what the typical pod cannot use") {
  struct Case {
    const char* name;
    std::int64_t cpu;
    TypicalPod pod;
    double lost;
  };
  // Devices with 500, 200 and 1000 milli free, of model T4.
  const auto c = GENERATE(values<Case>({
      {"uses two of three", 8000, {4000, 1, 300, {}, 1}, 200},
      {"only the whole one", 8000, {4000, 1, 1000, {}, 1}, 700},
      {"two whole ones", 8000, {4000, 2, 1000, {}, 1}, 1700},
      {"too little CPU", 3000, {4000, 1, 300, {}, 1}, 1700},
      {"another model", 8000, {4000, 1, 300, {"A10"}, 1}, 1700},
      {"its model", 8000, {4000, 1, 300, {"A10", "T4"}, 1}, 200},
      {"wants no GPU", 8000, {4000, 0, 0, {}, 1}, 1700},
      {"half of the pods", 8000, {4000, 1, 1000, {}, 0.5}, 350},
  }));
  CAPTURE(c.name);
  CHECK(fragmentation(c.cpu, {500, 200, 1000}, "T4", {c.pod}) == Approx(c.lost));
}

TEST_CASE("GpuFragmentation: the device where it grows least, and a sigmoid of how much") {
  GpuArgs args;
  args.typical = {{1000, 1, 500, {}, 1}};
  const Snapshot world = a_world({gpus(2)}, {placed("a", 300, "0")});
  // 700 and 1000 are free; nothing is lost. 400 on device 0 leaves 300 there, lost; on device 1
  // 600.
  const PodPtr pod = asks("p", 400).info();
  const FragmentationStep step = best_step(*pod, world.nodes[0], args.typical);
  CHECK(step.device == 1);
  CHECK(step.score == 50);
  // 700 leaves 0 on device 0 or 300 on device 1.
  CHECK(best_step(*asks("p", 700).info(), world.nodes[0], args.typical).device == 0);
  // 900 only fits device 1 and leaves 100 lost: 100 / (1 + e^0.1) = 47.5
  const FragmentationStep worse = best_step(*asks("p", 900).info(), world.nodes[0], args.typical);
  CHECK(worse.device == 1);
  CHECK(worse.score == 47);
  CHECK(GpuFragmentation(args).score(*pod, world.nodes[0], nullptr) == 50);
  StatePtr state;
  CHECK(GpuFragmentation().pre_score(*pod, world, {0}, &state).kind() == Verdict::Kind::kBroken);
}

TEST_CASE("typical pods: the commonest kinds, as many as it takes; of equals the larger") {
  std::vector<TypicalPod> pods;
  const auto add = [&pods](std::int64_t cpu, int devices, int milli, int times) {
    for (int i = 0; i < times; ++i) pods.push_back({cpu, devices, milli, {}, 1});
  };
  add(1000, 1, 500, 6);
  add(2000, 1, 1000, 2);
  add(4000, 1, 1000, 2);
  const auto typical = typical_of(pods, 0.8);
  REQUIRE(typical.size() == 2);
  CHECK(typical[0].milli == 500);
  CHECK(typical[0].share == Approx(0.75));
  CHECK(typical[1].cpu_milli == 4000);
  CHECK(typical[1].share == Approx(0.25));
  CHECK(typical_of(pods, 1).size() == 3);
  const TypicalPod kind = kind_of_pod(*asks("p", 3000, "2").info());
  CHECK(kind.cpu_milli == 2000);
  CHECK(kind.devices == 3);
  CHECK(kind.milli == 1000);
}
