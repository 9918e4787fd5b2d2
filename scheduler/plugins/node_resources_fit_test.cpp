#include "plugins/node_resources_fit.hpp"

#include <algorithm>

#include "base/rng.hpp"
#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::check_all;
using testing::FilterCase;
using testing::ScoreCase;

const char* const kGpu = "example.com/gpu";

FitArgs strategy(ScoringStrategy::Type type, std::vector<ResourceWeight> resources) {
  FitArgs args;
  args.strategy.type = type;
  args.strategy.resources = std::move(resources);
  return args;
}

// Nodes of the builders have 4 cpu, 8Gi, 110 pods, 100Gi of storage.
TEST_CASE("NodeResourcesFit filters") {
  const auto not_now = [](std::vector<std::string> reasons) {
    return Verdict::no(Verdict::Kind::kNotNow, std::move(reasons));
  };
  const auto never = [](std::vector<std::string> reasons) {
    return Verdict::no(Verdict::Kind::kNever, std::move(reasons));
  };
  check_all(
      NodeResourcesFit(),
      std::vector<FilterCase>{
          {"all of it", {a_node("n")}, {}, a_pod("p").cpu("4").memory("8Gi"), {Verdict::yes()}},
          {"a milli too much while others are there",
           {a_node("n")},
           {a_pod("a").cpu("1").on("n")},
           a_pod("p").cpu("3001m"),
           {not_now({"Insufficient cpu"})}},
          {"to the last milli",
           {a_node("n")},
           {a_pod("a").cpu("1").on("n")},
           a_pod("p").cpu("3000m"),
           {Verdict::yes()}},
          {"more than the node has",
           {a_node("n")},
           {},
           a_pod("p").cpu("4001m"),
           {never({"Insufficient cpu"})}},
          {"every shortage is named, in order",
           {a_node("n").has("pods", "1").has(kGpu, "1")},
           {a_pod("a")
                .cpu("4")
                .memory("8Gi")
                .request("ephemeral-storage", "100Gi")
                .request(kGpu, "1")
                .on("n")},
           a_pod("p").cpu("1").memory("1").request("ephemeral-storage", "1").request(kGpu, "1"),
           {not_now({"Too many pods", "Insufficient cpu", "Insufficient memory",
                     "Insufficient ephemeral-storage", "Insufficient example.com/gpu"})}},
          {"one shortage that nothing helps makes it never",
           {a_node("n")},
           {a_pod("a").cpu("4").on("n")},
           a_pod("p").cpu("1").memory("9Gi"),
           {never({"Insufficient cpu", "Insufficient memory"})}},
          {"containers that ask for more than can be counted",
           {a_node("n")},
           {},
           a_pod("p").set("spec.containers", R"([{"resources":{"requests":{"memory":"5E"}}},
                                                {"resources":{"requests":{"memory":"5E"}}}])"),
           {never({"Insufficient memory"})}},
          {"nodes without the extended resource",
           {a_node("n"), a_node("m").has(kGpu, "2")},
           {},
           a_pod("p").request(kGpu, "2"),
           {never({"Insufficient example.com/gpu"}), Verdict::yes()}},
          {"who requests nothing fits an overfull node",
           {a_node("n")},
           {a_pod("a").cpu("9").memory("20Gi").on("n")},
           a_pod("p"),
           {Verdict::yes()}},
          {"no place among the pods",
           {a_node("n").has("pods", "0")},
           {},
           a_pod("p"),
           {not_now({"Too many pods"})}},
      });
}

TEST_CASE("NodeResourcesFit scores what is left") {
  check_all(NodeResourcesFit(),
            std::vector<ScoreCase>{
                // (4000-1000)/4000 = 75; (8-2)/8 = 75.
                {"even", {a_node("n")}, {}, a_pod("p").cpu("1").memory("2Gi"), {75}},
                // Taken for 100m and 200Mi: 3900/4000 = 97.5, 7992/8192 = 97.6, each cut.
                {"requests nothing", {a_node("n")}, {}, a_pod("p"), {97}},
                // cpu 50; memory (8192-4096-200)/8192 = 47.6; (50+47)/2 = 48.5.
                {"beside another",
                 {a_node("n")},
                 {a_pod("a").cpu("1").memory("4Gi").on("n")},
                 a_pod("p").cpu("1"),
                 {48}},
                // Half of memory, 97.5 % of cpu.
                {"a node of exabytes",
                 {a_node("n").has("memory", "8E")},
                 {},
                 a_pod("p").memory("4E"),
                 {73}},
                // cpu 0, memory 97.
                {"over-full", {a_node("n")}, {}, a_pod("p").cpu("5"), {48}},
            });
}

TEST_CASE("NodeResourcesFit scores by the strategy") {
  using Type = ScoringStrategy::Type;
  const std::vector<ScoreCase> packed{
      {"a quarter", {a_node("n")}, {}, a_pod("p").cpu("1").memory("2Gi"), {25}},
      // cpu 100, memory 200/8192 = 2.4.
      {"over-full", {a_node("n")}, {}, a_pod("p").cpu("5"), {51}},
  };
  check_all(NodeResourcesFit(strategy(Type::kMostAllocated, {{"cpu", 1}, {"memory", 1}})), packed);
  const std::vector<ScoreCase> weighed{
      // (3*75 + 1*50) / 4 = 68.75.
      {"cpu counts thrice", {a_node("n")}, {}, a_pod("p").cpu("1").memory("4Gi"), {68}},
  };
  check_all(NodeResourcesFit(strategy(Type::kLeastAllocated, {{"cpu", 3}, {"memory", 1}})),
            weighed);
  const std::vector<ScoreCase> with_gpu{
      {"a node without it is judged by the rest",
       {a_node("n"), a_node("m").has(kGpu, "4")},
       {},
       a_pod("p").cpu("2").request(kGpu, "1"),
       {50, 62}},
      {"an extended resource that is not asked for does not count",
       {a_node("n"), a_node("m").has(kGpu, "4")},
       {},
       a_pod("p").cpu("2"),
       {50, 50}},
  };
  check_all(NodeResourcesFit(strategy(Type::kLeastAllocated, {{"cpu", 1}, {kGpu, 1}})), with_gpu);
}

TEST_CASE("NodeResourcesFit is helped by a node on which the pod now fits") {
  const NodeResourcesFit plugin({});
  const auto world = a_world({a_node("small"), a_node("large").has("cpu", "8")});
  const PodPtr pod = a_pod("p").cpu("5").info();
  CHECK_FALSE(plugin.helps(*pod, {event::kNodeAdded, &world.nodes[0], nullptr}));
  CHECK(plugin.helps(*pod, {event::kNodeGrew, &world.nodes[1], nullptr}));
}

// The naive twin: adds up every pod of the node each time.
Verdict naive_fit(const PodInfo& pod, const NodeInfo& node) {
  std::vector<std::string> reasons;
  bool hopeless = false;
  if (static_cast<std::int64_t>(node.pods().size()) >= node.facts().pods_max) {
    reasons.emplace_back("Too many pods");
  }
  for (const char* name : {"cpu", "memory", "ephemeral-storage", kGpu}) {
    const std::int64_t wanted = pod.requests.amount(name);
    const std::int64_t has = node.facts().allocatable.amount(name);
    std::int64_t sum = wanted;
    for (const PodPtr& other : node.pods()) sum += other->requests.amount(name);
    if (wanted == 0 || sum <= has) continue;
    reasons.push_back("Insufficient " + std::string(name));
    if (wanted > has) hopeless = true;
  }
  if (reasons.empty()) return Verdict::yes();
  return Verdict::no(hopeless ? Verdict::Kind::kNever : Verdict::Kind::kNotNow, reasons);
}

a_pod random_pod(Rng& rng, const std::string& name) {
  a_pod pod(name);
  if (rng.below(4) != 0) pod.cpu(std::to_string(rng.below(3000)) + "m");
  if (rng.below(2) != 0) pod.memory(std::to_string(rng.below(5000)) + "Mi");
  if (rng.below(4) == 0) pod.request("ephemeral-storage", std::to_string(rng.below(120)) + "Gi");
  if (rng.below(4) == 0) pod.request(kGpu, std::to_string(rng.below(4)));
  return pod;
}

TEST_CASE("NodeResourcesFit agrees with its naive twin while pods come and go") {
  const NodeResourcesFit plugin({});
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    a_node node("n");
    node.has("pods", std::to_string(1 + rng.below(6)));
    if (rng.below(2) != 0) node.has(kGpu, std::to_string(rng.below(5)));
    Snapshot world = a_world({node});
    const NodeInfo& n = world.nodes[0];
    for (int step = 0; step < 30; ++step) {
      CAPTURE(step);
      const PodPtr pod = random_pod(rng, "p" + std::to_string(step)).info();
      const Verdict verdict = plugin.filter(*pod, n, nullptr);
      REQUIRE(verdict == naive_fit(*pod, n));
      if (verdict.is_yes()) {
        world.add_pod(0, placed_on(*pod, "n"));
      } else if (!n.pods().empty()) {
        const std::string leaves = n.pods()[rng.below(n.pods().size())]->key;
        world.remove_pod(0, leaves);
      }
    }
  }
}

TEST_CASE("NodeResourcesFit scores along a curve") {
  FitArgs args = strategy(ScoringStrategy::Type::kRequestedToCapacityRatio, {{"cpu", 1}});
  args.strategy.shape = {{0, 0}, {50, 100}, {100, 20}};
  const auto with = [](const char* name, const char* used) {
    return std::vector<a_pod>{a_pod(name).cpu(used).on("n")};
  };
  check_all(NodeResourcesFit(args),
            std::vector<ScoreCase>{
                {"rising", {a_node("n")}, with("a", "500m"), a_pod("p").cpu("500m"), {50}},
                {"at a point", {a_node("n")}, with("a", "1"), a_pod("p").cpu("1"), {100}},
                {"falling", {a_node("n")}, with("a", "2"), a_pod("p").cpu("1"), {60}},
                {"over-full is full", {a_node("n")}, with("a", "4"), a_pod("p").cpu("1"), {20}},
            });
}

TEST_CASE("NodeResourcesFit leaves some resources to others") {
  FitArgs args;
  args.ignored = {"example.com/gpu", "hugepages-2Mi"};
  args.ignored_groups = {"example.org", "hugepages-1Gi", "sub.kubernetes.io"};
  const NodeResourcesFit plugin(args);
  const Verdict no = Verdict::no(Verdict::Kind::kNever, {"Insufficient example.net/gpu"});
  check_all(plugin,
            std::vector<FilterCase>{
                {"by name", {a_node("n")}, {}, a_pod("p").request(kGpu, "1"), {Verdict::yes()}},
                {"by group",
                 {a_node("n")},
                 {},
                 a_pod("p").request("example.org/x", "1"),
                 {Verdict::yes()}},
                {"no other", {a_node("n")}, {}, a_pod("p").request("example.net/gpu", "1"), {no}},
                {"no huge pages, which are no vendor's",
                 {a_node("n")},
                 {},
                 a_pod("p").request("hugepages-2Mi", "2Mi"),
                 {Verdict::never("Insufficient hugepages-2Mi")}},
                {"nor by what looks like a group",
                 {a_node("n")},
                 {},
                 a_pod("p").request("hugepages-1Gi", "1Gi"),
                 {Verdict::never("Insufficient hugepages-1Gi")}},
                {"nor what is of Kubernetes itself",
                 {a_node("n")},
                 {},
                 a_pod("p").request("sub.kubernetes.io/x", "1"),
                 {Verdict::never("Insufficient sub.kubernetes.io/x")}},
            });
}

}  // namespace
}  // namespace coracle::scheduler
