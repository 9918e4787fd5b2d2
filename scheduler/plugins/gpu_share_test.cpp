#include "plugins/gpu_share.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "cache/cache.hpp"
#include "framework/testing.hpp"
#include "plugins/gpu_choice.hpp"
#include "plugins/queue_plugins.hpp"

using namespace coracle;
using namespace coracle::scheduler;
using scheduler::testing::a_node;
using scheduler::testing::a_pod;
using scheduler::testing::a_world;

namespace {

a_node gpus(const std::string& name, int count, const std::string& model = "T4") {
  return a_node(name)
      .has("lab.coracle.dev/gpu-milli", std::to_string(count * 1000))
      .label("lab.coracle.dev/gpu-model", model);
}

a_pod asks(const std::string& name, int milli) {
  return a_pod(name).request("lab.coracle.dev/gpu-milli", std::to_string(milli));
}

a_pod on_devices(const std::string& name, int milli, const std::string& devices) {
  return asks(name, milli)
      .on("n")
      .set("metadata.annotations", R"({"lab.coracle.dev/gpu-devices":")" + devices + R"("})");
}

Verdict verdict(const a_pod& pod, const Snapshot& world) {
  const PodPtr info = pod.info();
  StatePtr state;
  const GpuShare plugin;
  Verdict before = plugin.pre_filter(*info, world, &state);
  if (!before.is_yes()) return before;
  return plugin.filter(*info, world.nodes[0], nullptr);
}

}  // namespace

TEST_CASE("GpuShare: what a pod asks for is read from its requests and annotations") {
  const auto ask = [](int milli) { return asks("p", milli).info()->gpu; };
  CHECK(a_pod("p").info()->gpu == nullptr);
  CHECK(ask(460)->devices == 1);
  CHECK(ask(460)->milli == 460);
  CHECK(ask(460)->shares());
  CHECK(ask(4000)->devices == 4);
  CHECK(ask(4000)->milli == 1000);
  CHECK_FALSE(ask(1000)->shares());
  CHECK(ask(1500)->wrong.find("lab.coracle.dev/gpu-milli 1500 is neither") == 0);
  const auto full = on_devices("p", 2000, "0,3")
                        .set("metadata.annotations",
                             R"({"lab.coracle.dev/gpu-devices":"0,3",
                                 "lab.coracle.dev/gpu-models":"T4, P100"})")
                        .info()
                        ->gpu;
  CHECK(full->given == std::vector<std::uint8_t>{0, 3});
  CHECK(full->models == std::vector<std::string>{"T4", "P100"});
  CHECK(full->allows("P100"));
  CHECK_FALSE(full->allows("A10"));
  CHECK(parse_devices("0,x").empty());
  CHECK(parse_devices("1,1").empty());
  CHECK(devices_text({0, 3}) == "0,3");
}

TEST_CASE("GpuShare: a node must have the devices, free enough, and of a model that is allowed") {
  struct Case {
    const char* name;
    a_pod pod;
    Verdict verdict;
  };
  const auto only = [](const char* model) {
    return asks("p", 500).set("metadata.annotations",
                              std::string(R"({"lab.coracle.dev/gpu-models":")") + model + R"("})");
  };
  const Snapshot world =
      a_world({gpus("n", 2)}, {on_devices("a", 700, "0"), on_devices("b", 200, "1")});
  const auto c = GENERATE_COPY(values<Case>({
      {"none asked", a_pod("p"), Verdict::skip()},
      {"a part", asks("p", 800), Verdict::yes()},
      {"too much of one", asks("p", 801),
       Verdict::not_now("node(s) had no GPU with enough of it free")},
      {"a whole one", asks("p", 1000), Verdict::not_now("node(s) had too few free GPUs")},
      {"more than there are", asks("p", 3000), Verdict::never("node(s) had too few GPUs")},
      {"its model", only("A10,T4"), Verdict::yes()},
      {"another model", only("A10"),
       Verdict::never("node(s) had GPUs of a model the pod does not allow")},
  }));
  CAPTURE(c.name);
  CHECK(verdict(c.pod, world) == c.verdict);
  CHECK(verdict(asks("p", 500), a_world({a_node("n")})) == Verdict::never("node(s) had no GPU"));
  CHECK(verdict(asks("p", 2500), world).kind() == Verdict::Kind::kNever);
}

TEST_CASE("GpuShare: devices are counted by who was given them, then by who was given none") {
  const Snapshot world = a_world({gpus("n", 3)}, {asks("c", 300).on("n"), on_devices("a", 700, "1"),
                                                  on_devices("b", 1000, "2")});
  const GpuUse& use = world.nodes[0].gpus();
  CHECK(use.free() == std::vector<int>{1000, 0, 0});  // c counts on the tightest: device 1
  CHECK(use.free_total() == 1000);
  CHECK(use.free_whole() == 1);
  CHECK(use.kinds() == std::vector<std::pair<int, int>>{{0, 2}, {1, 1}});
  NodeInfo node = world.nodes[0];
  node.remove("default/a");
  CHECK(node.gpus().free() == std::vector<int>{700, 1000, 0});
}

TEST_CASE("GpuShare: the device is chosen as the arguments say") {
  const Snapshot world =
      a_world({gpus("n", 4)},
              {on_devices("a", 700, "1"), on_devices("b", 400, "2"), on_devices("c", 950, "3")});
  const auto chosen = [&](GpuArgs::Choice choice, const a_pod& pod) {
    GpuArgs args;
    args.choice = choice;
    args.typical = {{1000, 1, 300, {}, 0.5}, {1000, 1, 1000, {}, 0.5}};
    return choose_devices(args, *pod.info(), world.nodes[0]);
  };
  using Devices = std::vector<std::uint8_t>;
  CHECK(chosen(GpuArgs::Choice::kBestFit, asks("p", 300)) == Devices{1});
  CHECK(chosen(GpuArgs::Choice::kWorstFit, asks("p", 300)) == Devices{0});
  CHECK(chosen(GpuArgs::Choice::kFragmentation, asks("p", 300)) == Devices{1});
  CHECK(chosen(GpuArgs::Choice::kBestFit, asks("p", 1000)) == Devices{0});
  CHECK(chosen(GpuArgs::Choice::kBestFit, asks("p", 2000)).empty());
  std::set<int> random;
  for (int i = 0; i < 50; ++i) {
    const Devices devices = chosen(GpuArgs::Choice::kRandom, asks("p" + std::to_string(i), 300));
    REQUIRE(devices.size() == 1);
    random.insert(devices[0]);
  }
  CHECK(random == std::set<int>{0, 1, 2});
}

TEST_CASE("GpuShare: reserved devices count with the assumed pod, and its Binding tells them") {
  Cache cache;
  cache.set_node(parse_node(gpus("n", 2).object()));
  const GpuShare plugin;
  const PodPtr pod = asks("p", 600).info();
  auto& reservations = cache.surroundings().reservations;
  REQUIRE(plugin.reserve(*pod, "n", cache.snapshot(), reservations).is_yes());
  cache.assume(*pod, "n");
  const auto binding = DefaultBinder().bind(**cache.find_pod(pod->key), "n");
  REQUIRE(binding.has_value());
  CHECK(get_object(*binding, "metadata.annotations") ==
        json::object{{"lab.coracle.dev/gpu-devices", "0"}});
  CHECK(cache.find_node("n")->gpus().free() == std::vector<int>{400, 1000});
  cache.forget(pod->key, pod->uid);
  CHECK(reservations.empty());
  CHECK(cache.find_node("n")->gpus().free() == std::vector<int>{1000, 1000});

  REQUIRE(plugin.reserve(*pod, "n", cache.snapshot(), reservations).is_yes());
  plugin.unreserve(*pod, "n", reservations);
  CHECK(reservations.empty());
}
