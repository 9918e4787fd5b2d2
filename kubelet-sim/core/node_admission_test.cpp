#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "kubelet/node_admission.hpp"

using namespace coracle;
using namespace coracle::kubelet;

namespace {

json::value pod(const std::string& spec) { return *parse_yaml_one("{spec: " + spec + "}"); }

}  // namespace

TEST_CASE("what a node refuses") {
  const NodeFacts facts{.name = "n", .cpu = "2", .memory = "1Gi", .pods = 3};
  const json::value labels = *parse_yaml_one("{disk: ssd}");
  NodeLoad load;
  load.add("a",
           pod("{containers: [{name: c, resources: {requests: {cpu: 1500m}}, ports: [{hostPort: "
               "80}]}]}"));
  struct Case {
    const char* name;
    const char* spec;
    const char* reason;
    const char* message;
  };
  auto c = GENERATE(values<Case>({
      {"a safe sysctl", "{securityContext: {sysctls: [{name: net/ipv4/tcp_syncookies}]}}", "", ""},
      {"a sysctl of the whole node", "{securityContext: {sysctls: [{name: kernel.msgmax}]}}",
       "SysctlForbidden", "forbidden sysctl: \"kernel.msgmax\" not allowlisted"},
      {"a sysctl of the node's network",
       "{hostNetwork: true, securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}}",
       "SysctlForbidden",
       "forbidden sysctl: \"net.ipv4.tcp_rmem\" not allowed with host net enabled"},
      {"fits", "{containers: [{name: c, resources: {requests: {cpu: 500m}}}]}", "", ""},
      {"too much cpu", "{containers: [{name: c, resources: {limits: {cpu: 501m}}}]}", "OutOfcpu",
       "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000"},
      {"too much memory", "{containers: [{name: c, resources: {requests: {memory: 2Gi}}}]}",
       "OutOfmemory",
       "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: "
       "1073741824"},
      {"a large init container",
       "{containers: [{name: c, resources: {requests: {cpu: 1m}}}], initContainers: [{name: i, "
       "resources: {requests: {cpu: 1}}}]}",
       "OutOfcpu",
       "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"},
      {"another port", "{containers: [{name: c, ports: [{hostPort: 81}]}]}", "", ""},
      {"a port in use", "{containers: [{name: c, ports: [{hostPort: 80, hostIP: 127.0.0.1}]}]}",
       "NodePorts",
       "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"},
      {"its label", "{nodeSelector: {disk: ssd}, containers: [{name: c}]}", "", ""},
      {"an affinity it does not meet",
       "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: NotIn, values: "
       "[ssd]}]}]}}}, "
       "containers: [{name: c}]}",
       "NodeAffinity",
       "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
      {"another label", "{nodeSelector: {disk: hdd}, containers: [{name: c}]}", "NodeAffinity",
       "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
  }));
  CAPTURE(c.name);
  const auto refused = Admission{facts, &labels.get_object(), load}.refuse(pod(c.spec));
  CHECK((refused ? refused->reason : "") == c.reason);
  CHECK((refused ? refused->message : "") == c.message);
}

TEST_CASE("a full node, and one that has room again") {
  const NodeFacts facts{.name = "n", .pods = 2};
  const json::object labels;
  const json::value p = pod("{containers: [{name: c}]}");
  NodeLoad load;
  load.add("a", p);
  load.add("a", p);
  load.add("b", p);
  CHECK(load.pods() == 2);
  CHECK(Admission{facts, &labels, load}.refuse(p)->reason == "OutOfpods");
  load.remove("a");
  CHECK_FALSE(Admission{facts, &labels, load}.refuse(p).has_value());
}
