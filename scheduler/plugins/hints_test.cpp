// Queueing hints: which changes are worth another look for a pod that a plugin rejected.
#include "plugins/inter_pod_affinity.hpp"
#include "plugins/node_affinity.hpp"
#include "plugins/node_name.hpp"
#include "plugins/node_ports.hpp"
#include "plugins/node_resources_fit.hpp"
#include "plugins/node_unschedulable.hpp"
#include "plugins/node_volume_limits.hpp"
#include "plugins/pod_topology_spread.hpp"
#include "plugins/taint_toleration.hpp"
#include "plugins/testing.hpp"
#include "plugins/volume_binding.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;

struct NodeCase {
  const char* name;
  const Plugin* plugin;
  a_pod pod;
  std::optional<a_node> before;
  a_node now;
  bool helps;
  Events events = event::kNodeLabels;
};

TEST_CASE("nodes help where they turn a no into a yes") {
  const NodeAffinity affinity;
  const TaintToleration taints;
  const NodeUnschedulable cordon;
  const NodeName by_name;
  const NodeResourcesFit fit;
  const InterPodAffinity near;
  const PodTopologySpread spread({}, false);
  const a_pod ssd = a_pod("p").set("spec.nodeSelector", R"({"disk":"ssd"})");
  const a_pod big = a_pod("p").cpu("5");
  const a_pod apart = a_pod("p").set("spec.affinity.podAntiAffinity", R"({
    "requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{}}]})");
  const a_pod nearby = a_pod("p").set("spec.affinity.podAffinity", R"({
    "requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{}}]})");
  const a_pod even = a_pod("p").set("spec.topologySpreadConstraints", R"([{"maxSkew":1,
    "topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{}}])");
  const auto in = [](const char* zone) { return a_node("n").label("zone", zone); };
  const a_node plain("n");
  const std::vector<NodeCase> cases{
      {"a label that was missing", &affinity, ssd, plain, a_node("n").label("disk", "ssd"), true},
      {"another label", &affinity, ssd, plain, a_node("n").label("disk", "hdd"), false},
      {"it fitted already", &affinity, ssd, a_node("n").label("disk", "ssd"),
       a_node("n").label("disk", "ssd").label("x", "y"), false},
      {"a new node that fits", &affinity, ssd, {}, a_node("n").label("disk", "ssd"), true},
      {"a taint that goes", &taints, a_pod("p"), a_node("n").taint("t", "", "NoSchedule"), plain,
       true},
      {"a taint of several", &taints, a_pod("p"),
       a_node("n").taint("t", "", "NoSchedule").taint("u", "", "NoSchedule"),
       a_node("n").taint("t", "", "NoSchedule"), false},
      {"uncordoned", &cordon, a_pod("p"), a_node("n").set("spec.unschedulable", "true"), plain,
       true},
      {"not the node it names", &by_name, a_pod("p").on("m"), {}, plain, false},
      {"more of what it wants", &fit, big, plain, a_node("n").has("cpu", "8"), true},
      {"more of something else", &fit, a_pod("p").cpu("1"), plain, a_node("n").has("memory", "9Gi"),
       false},
      {"more, and still too little", &fit, a_pod("p").cpu("9"), plain, a_node("n").has("cpu", "8"),
       false},
      {"into a domain of those it wants near", &near, nearby, plain, in("a"), true},
      {"into another one", &near, nearby, in("b"), in("a"), true},
      {"out of it", &near, nearby, in("a"), plain, false},
      {"out of a domain of those it shuns", &near, apart, in("a"), plain, true},
      {"into another one of those", &near, apart, in("a"), in("b"), true},
      {"into the only one", &near, apart, plain, in("a"), false},
      {"no domain of its terms", &near, apart, plain, a_node("n").label("rack", "a"), false},
      {"a new node in a domain it wants", &near, nearby, {}, in("a"), true},
      {"a new node in none", &near, nearby, {}, plain, false},
      {"a new node, where it shuns some", &near, apart, {}, plain, true},
      {"a new node, where others shun it", &near, a_pod("p"), {}, plain, true},
      {"a node of another zone", &spread, even, in("a"), in("b"), true},
      {"the zone stays", &spread, even, in("a"), in("a").label("x", "y"), false},
      {"no zone before and after", &spread, even, plain, a_node("n").label("x", "y"), false},
  };
  for (const NodeCase& c : cases) {
    CAPTURE(c.name);
    const Snapshot world = a_world({c.now});
    Change change{.events = c.before ? c.events : event::kNodeAdded, .node = &world.nodes[0]};
    if (c.before) change.node_before = parse_node(c.before->object());
    change.world = &world;
    CHECK(c.plugin->helps(*c.pod.info(), change) == c.helps);
  }
}

TEST_CASE("a node that goes helps to spread") {
  const PodTopologySpread spread({}, false);
  const PodPtr pod = a_pod("p")
                         .set("spec.topologySpreadConstraints", R"([{"maxSkew":1,
    "topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{}}])")
                         .info();
  Change change{.events = event::kNodeGone};
  change.node_before = parse_node(a_node("n").label("zone", "a").object());
  CHECK(spread.helps(*pod, change));
  change.node_before = parse_node(a_node("n").object());
  CHECK_FALSE(spread.helps(*pod, change));
}

struct PodCase {
  const char* name;
  const Plugin* plugin;
  a_pod pod;
  Events events;
  a_pod other;
  bool helps;
  std::optional<a_pod> before = {};
};

TEST_CASE("pods help where they were in the way, or are wanted") {
  const NodePorts ports;
  const InterPodAffinity near;
  const PodTopologySpread spread({}, false);
  const NodeVolumeLimits limits;
  const auto with = [](const char* kind) {
    return a_pod("p").set(std::string("spec.affinity.") + kind, R"({
      "requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone",
      "labelSelector":{"matchLabels":{"app":"web"}}}]})");
  };
  const a_pod nearby = with("podAffinity"), apart = with("podAntiAffinity");
  const a_pod even = a_pod("p").set("spec.topologySpreadConstraints", R"([{"maxSkew":1,
    "topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule",
    "labelSelector":{"matchLabels":{"app":"web"}}}])");
  const a_pod web = a_pod("w").label("app", "web"), db = a_pod("d").label("app", "db");
  const a_pod refusing = with("podAntiAffinity").label("app", "db");
  const std::vector<PodCase> cases{
      {"its port is free", &ports, a_pod("p").host_port(80), event::kPodGone,
       a_pod("w").host_port(80), true},
      {"another port is", &ports, a_pod("p").host_port(80), event::kPodGone,
       a_pod("w").host_port(81), false},
      {"who is wanted comes", &near, nearby, event::kPodPlaced, web, true},
      {"another comes", &near, nearby, event::kPodPlaced, db, false},
      {"who is unwanted leaves", &near, apart, event::kPodGone, web, true},
      {"another leaves", &near, apart, event::kPodGone, db, false},
      {"who is unwanted comes", &near, apart, event::kPodPlaced, web, false},
      {"who refused it leaves", &near, a_pod("p").label("app", "web"), event::kPodGone, refusing,
       true},
      {"a label makes one wanted", &near, nearby, event::kPodLabels, web, true, db},
      {"a label makes one harmless", &near, apart, event::kPodLabels, db, true, web},
      {"a label of no matter", &near, apart, event::kPodLabels, db, false, db},
      {"one that counts", &spread, even, event::kPodPlaced, web, true},
      {"one that does not count", &spread, even, event::kPodGone, db, false},
      {"one that counted", &spread, even, event::kPodLabels, db, true, web},
      {"of another namespace", &spread, even, event::kPodGone,
       a_pod("w", "other").label("app", "web"), false},
      {"disks are freed", &limits, a_pod("p").claim("c"), event::kPodGone, a_pod("w").claim("d"),
       true},
      {"none are", &limits, a_pod("p").claim("c"), event::kPodGone, a_pod("w"), false},
  };
  const Snapshot world = a_world({a_node("n")});
  for (const PodCase& c : cases) {
    CAPTURE(c.name);
    const PodPtr other = c.other.info(), before = c.before ? c.before->info() : nullptr;
    Change change{.events = c.events, .pod = other, .pod_before = before};
    change.world = &world;
    CHECK(c.plugin->helps(*c.pod.info(), change) == c.helps);
  }
}

TEST_CASE("of claims, a pod's own help, also one that is made for it") {
  const VolumeBinding plugin;
  const PodPtr pod = a_pod("p").claim("c").info();
  const auto helps = [&](const PodPtr& who, const char* claim) {
    return plugin.helps(*who, {.events = event::kClaim, .claim = claim});
  };
  CHECK(helps(pod, "default/c"));
  CHECK_FALSE(helps(pod, "default/d"));
  CHECK_FALSE(helps(pod, "other/c"));
  const PodPtr own = a_pod("p").set("spec.volumes", R"([{"name":"v","ephemeral":{}}])").info();
  CHECK(helps(own, "default/p-v"));
}

}  // namespace
}  // namespace coracle::scheduler
