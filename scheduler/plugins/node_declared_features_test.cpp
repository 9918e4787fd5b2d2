#include "plugins/node_declared_features.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;

const char* const kRestartAll = R"([{"name":"c","restartPolicyRules":[{"action":"Restart"},
    {"action":"RestartAllContainers","exitCodes":{"operator":"In","values":[1]}}]}])";

a_pod with_own_users(bool on_host_network) {
  a_pod pod("p");
  pod.set("spec.hostUsers", "false");
  if (on_host_network) pod.set("spec.hostNetwork", "true");
  return pod;
}

a_node with(const char* features, const char* name = "n") {
  return a_node(name).set("status.declaredFeatures", features);
}

TEST_CASE("NodeDeclaredFeatures filters") {
  const std::vector<a_node> nodes{
      with("[]"), with(R"(["RestartAllContainersOnContainerExits"])", "m"),
      with(R"(["UserNamespacesHostNetworkSupport","GuaranteedQoSPodCPUResize"])", "o")};
  const Verdict yes = Verdict::yes();
  const Verdict no = Verdict::never("node(s) didn't match Pod's required features");
  a_pod both = with_own_users(true);
  both.set("spec.containers", kRestartAll);
  check_all(NodeDeclaredFeatures(), std::vector<FilterCase>{
                                        {"a container may restart all",
                                         nodes,
                                         {},
                                         a_pod("p").set("spec.containers", kRestartAll),
                                         {no, yes, no}},
                                        {"an init container may",
                                         nodes,
                                         {},
                                         a_pod("p").set("spec.initContainers", kRestartAll),
                                         {no, yes, no}},
                                        {"users of its own on the host's network",
                                         nodes,
                                         {},
                                         with_own_users(true),
                                         {no, no, yes}},
                                        {"both", nodes, {}, both, {no, no, no}},
                                    });
}

TEST_CASE("NodeDeclaredFeatures has no say about pods that need none") {
  const Snapshot world = testing::a_world({with("[]")});
  StatePtr state;
  for (const a_pod& pod : {a_pod("p"), with_own_users(false)}) {
    CHECK(NodeDeclaredFeatures().pre_filter(*pod.info(), world, &state).is_skip());
  }
}

}  // namespace
}  // namespace coracle::scheduler
