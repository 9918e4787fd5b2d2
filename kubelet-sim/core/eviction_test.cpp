#include "kubelet/eviction.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kMi = 1 << 20;

Instant at(Duration t) { return {TimePoint(1h + t), WallTime(Duration(1'700'000'000s) + t)}; }

NodeFill memory(std::int64_t used_mi) { return {used_mi * kMi, 1000 * kMi, 0, 1000 * kMi}; }

struct World {
  void add(const std::string& name, std::int64_t used_mi, const std::string& request = "",
           int priority = 0, const std::string& more = "") {
    const std::string resources =
        request.empty() ? "" : ", resources: {requests: {memory: " + request + "}}";
    pods.push_back(*parse_yaml_one("metadata: {name: " + name + more +
                                   "}\nspec: {priority: " + std::to_string(priority) +
                                   ", containers: [{name: c" + resources + "}]}\n"));
    PodUse use{"ns", name, name, at(0s).wall, {{"c", at(0s).wall, 0, used_mi * kMi}}};
    use.memory_bytes = used_mi * kMi;
    uses.push_back(use);
  }
  std::string first(const NodeFill& fill) const {
    std::vector<EvictionCandidate> all;
    for (size_t i = 0; i < pods.size(); ++i) all.push_back({&pods[i], &uses[i]});
    const auto chosen = choose_eviction(fill, all);
    return chosen ? chosen->uid + ": " + chosen->message : "nobody";
  }
  std::string name(const NodeFill& fill) const {
    const std::string text = first(fill);
    return text.substr(0, text.find(':'));
  }
  std::vector<json::value> pods;
  std::vector<PodUse> uses;
};

}  // namespace

TEST_CASE("nobody goes while there is enough left") {
  World w;
  w.add("a", 500);
  CHECK(w.first(memory(900)) == "nobody");
  CHECK(w.name(memory(901)) == "a");
}

TEST_CASE("who is over its request goes before who is not, whatever they use") {
  World w;
  w.add("within", 600, "700Mi");
  w.add("over", 100, "50Mi", 1000);
  CHECK(w.name(memory(950)) == "over");
}

TEST_CASE("then the less important, then the one most over its request") {
  World w;
  w.add("important", 600, "", 100);
  w.add("small", 100);
  w.add("large", 200);
  CHECK(w.name(memory(950)) == "large");
}

TEST_CASE("critical and static pods stay") {
  World w;
  w.add("critical", 600, "", 2'000'000'000);
  w.add("static", 600, "", 0, ", annotations: {kubernetes.io/config.source: file}");
  CHECK(w.first(memory(990)) == "nobody");
  w.add("other", 1, "500Mi", 1000);
  CHECK(w.name(memory(990)) == "other");
}

TEST_CASE("the message says what was short and who used much") {
  World w;
  w.add("a", 500, "100Mi");
  CHECK(w.first(memory(950)) ==
        "a: The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
        "Container c was using 500Mi, request is 100Mi, has larger consumption of memory. ");
  World d;
  d.add("b", 0);
  d.uses[0].disk_bytes = d.uses[0].containers[0].disk_bytes = 950 * kMi;
  CHECK(d.first({0, 1000 * kMi, 950 * kMi, 1000 * kMi}) ==
        "b: The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: "
        "50Mi. Container c was using 950Mi, request is 0, has larger consumption of "
        "ephemeral-storage. ");
}

TEST_CASE("pressure is told at once and stays five minutes after it was seen last") {
  NodePressure p;
  CHECK_FALSE(p.see(memory(100), at(0s)));
  CHECK(p.see(memory(950), at(10s)));
  CHECK(p.memory());
  CHECK_FALSE(p.disk());
  CHECK(p.memory_since() == at(10s).wall);
  CHECK_FALSE(p.see(memory(100), at(20s)));
  CHECK_FALSE(p.see(memory(100), at(5min)));
  CHECK(p.memory());
  CHECK(p.see(memory(100), at(5min + 10s)));
  CHECK_FALSE(p.memory());
}

TEST_CASE("what a node under pressure refuses") {
  NodePressure p;
  const auto pod = [](const std::string& spec) { return *parse_yaml_one("spec: " + spec); };
  const auto nothing = pod("{containers: [{name: c}]}");
  CHECK(refuse_under_pressure(nothing, p) == "");
  p.see(memory(950), at(0s));
  CHECK(refuse_under_pressure(nothing, p) == "The node had condition: [MemoryPressure]. ");
  CHECK(refuse_under_pressure(
            pod("{containers: [{name: c, resources: {requests: {memory: 1Mi}}}]}"), p) == "");
  CHECK(refuse_under_pressure(pod("{containers: [{name: c}], tolerations: [{key: "
                                  "node.kubernetes.io/memory-pressure, operator: Exists}]}"),
                              p) == "");
  CHECK(refuse_under_pressure(pod("{priority: 2000000000, containers: [{name: c}]}"), p) == "");
  p.see({0, 1000 * kMi, 950 * kMi, 1000 * kMi}, at(10min));
  CHECK(refuse_under_pressure(
            pod("{containers: [{name: c, resources: {requests: {memory: 1Mi}}}]}"), p) ==
        "The node had condition: [DiskPressure]. ");
}
