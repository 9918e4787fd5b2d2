#include <catch2/catch.hpp>

#include "api/columns/columns.hpp"

namespace coracle::api {
namespace {

const WallTime kNow = *parse_time("2026-11-21T06:10:00Z");

json::value object_of(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

// All cells of a list, by hook order: "a|b|c".
std::string row(std::span<const ColumnHook> hooks, std::initializer_list<std::string_view> names,
                const json::value& object) {
  std::string out;
  for (const std::string_view name : names) {
    const ColumnHook* found = nullptr;
    for (const ColumnHook& hook : hooks) {
      found = hook.name == name ? &hook : found;
    }
    REQUIRE(found != nullptr);
    const json::value cell = found->cell(object, kNow);
    out += out.empty() ? "" : "|";
    out += cell.is_string() ? std::string(std::string_view(cell.get_string())) : to_json(cell);
  }
  return out;
}

std::string pod_row(std::string_view text) {
  return row(pod_columns(),
             {"pod.ready", "pod.status", "pod.restarts", "pod.ip", "pod.node", "pod.nominatedNode",
              "pod.readinessGates"},
             object_of(text));
}

struct Case {
  std::string_view name, object, row;
};

TEST_CASE("pod rows") {
  const Case cases[] = {
      {"nothing known yet", R"({"spec":{"containers":[{}]},"status":{"phase":"Pending"}})",
       "0/1|Pending|0|<none>|<none>|<none>|<none>"},
      {"running with restarts",
       R"({"spec":{"nodeName":"n1","containers":[{}]},"status":{"phase":"Running",
           "podIPs":[{"ip":"10.0.0.7"}],"containerStatuses":[{"ready":true,"restartCount":2,
           "state":{"running":{}},
           "lastState":{"terminated":{"finishedAt":"2026-11-21T06:05:00Z"}}}]}})",
       "1/1|Running|2 (5m ago)|10.0.0.7|n1|<none>|<none>"},
      {"image cannot be pulled",
       R"({"spec":{"containers":[{}]},"status":{"phase":"Pending","containerStatuses":[
           {"state":{"waiting":{"reason":"ImagePullBackOff"}}}]}})",
       "0/1|ImagePullBackOff|0|<none>|<none>|<none>|<none>"},
      {"completed",
       R"({"spec":{"containers":[{}]},"status":{"phase":"Succeeded","containerStatuses":[
           {"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}})",
       "0/1|Completed|0|<none>|<none>|<none>|<none>"},
      {"one of two completed, the other runs and the pod is ready",
       R"({"spec":{"containers":[{},{}]},"status":{"phase":"Running",
           "conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[
           {"state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
           {"ready":true,"state":{"running":{}}}]}})",
       "1/2|Running|0|<none>|<none>|<none>|<none>"},
      {"killed by a signal",
       R"({"spec":{"containers":[{}]},"status":{"phase":"Failed","containerStatuses":[
           {"state":{"terminated":{"exitCode":137,"signal":9}}}]}})",
       "0/1|Signal:9|0|<none>|<none>|<none>|<none>"},
      {"second init container runs",
       R"({"spec":{"initContainers":[{"name":"a"},{"name":"b"}],"containers":[{}]},
           "status":{"phase":"Pending","initContainerStatuses":[
           {"name":"a","state":{"terminated":{"exitCode":0}}},
           {"name":"b","state":{"running":{}}}],
           "containerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}]}})",
       "0/1|Init:1/2|0|<none>|<none>|<none>|<none>"},
      {"init container failed",
       R"({"spec":{"initContainers":[{"name":"a"}],"containers":[{}]},"status":{"phase":"Pending",
           "initContainerStatuses":[{"name":"a","restartCount":3,
           "state":{"terminated":{"exitCode":1}}}]}})",
       "0/1|Init:ExitCode:1|3|<none>|<none>|<none>|<none>"},
      {"side-car counts as a container",
       R"({"spec":{"initContainers":[{"name":"s","restartPolicy":"Always"}],"containers":[{}]},
           "status":{"phase":"Running","initContainerStatuses":[{"name":"s","started":true,
           "ready":true,"state":{"running":{}}}],
           "containerStatuses":[{"ready":true,"state":{"running":{}}}]}})",
       "2/2|Running|0|<none>|<none>|<none>|<none>"},
      {"terminating",
       R"({"metadata":{"deletionTimestamp":"2026-11-21T06:09:00Z"},"spec":{"containers":[{}]},
           "status":{"phase":"Running","containerStatuses":[{"ready":true,
           "state":{"running":{}}}]}})",
       "1/1|Terminating|0|<none>|<none>|<none>|<none>"},
      {"terminating on a lost node",
       R"({"metadata":{"deletionTimestamp":"2026-11-21T06:09:00Z"},"spec":{"containers":[{}]},
           "status":{"phase":"Running","reason":"NodeLost"}})",
       "0/1|Unknown|0|<none>|<none>|<none>|<none>"},
      {"gated",
       R"({"spec":{"containers":[{}],"readinessGates":[{"conditionType":"x/a"},
           {"conditionType":"x/b"}]},"status":{"phase":"Pending","nominatedNodeName":"n2",
           "conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"},
           {"type":"x/a","status":"True"}]}})",
       "0/1|SchedulingGated|0|<none>|<none>|n2|1/2"},
      {"evicted", R"({"spec":{"containers":[{}]},"status":{"phase":"Failed","reason":"Evicted"}})",
       "0/1|Evicted|0|<none>|<none>|<none>|<none>"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(pod_row(c.object) == c.row);
  }
}

TEST_CASE("node rows") {
  const Case cases[] = {
      {"empty", "{}", "Unknown|<none>|<none>|<none>|<unknown>|<unknown>|<unknown>"},
      {"cordoned control plane",
       R"({"metadata":{"labels":{"node-role.kubernetes.io/worker":"","kubernetes.io/role":"edge"}},
           "spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],
           "addresses":[{"type":"InternalIP","address":"127.0.0.3"}],"nodeInfo":{
           "osImage":"Simulated Linux","kernelVersion":"6.1.0","architecture":"amd64",
           "containerRuntimeVersion":"sim://1.0"}}})",
       "Ready,SchedulingDisabled|edge,worker|127.0.0.3|<none>|Simulated Linux|6.1.0 (amd64)|"
       "sim://1.0"},
      {"silent", R"({"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})",
       "NotReady|<none>|<none>|<none>|<unknown>|<unknown>|<unknown>"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(row(node_columns(),
              {"node.status", "node.roles", "node.internalIP", "node.externalIP", "node.osImage",
               "node.kernelVersion", "node.containerRuntime"},
              object_of(c.object)) == c.row);
  }
}

TEST_CASE("service rows") {
  const Case cases[] = {
      {"cluster address",
       R"({"spec":{"type":"ClusterIP","clusterIP":"10.0.0.1","ports":[
           {"port":6379,"protocol":"TCP"}],"selector":{"b":"2","a":"1"}}})",
       "10.0.0.1|<none>|6379/TCP|a=1,b=2"},
      {"balancer that waits",
       R"({"spec":{"type":"LoadBalancer","clusterIP":"10.0.0.1","ports":[
           {"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}})",
       "10.0.0.1|<pending>|80:30080/TCP,53/UDP|<none>"},
      {"balancer with addresses",
       R"({"spec":{"type":"LoadBalancer","externalIPs":["192.0.2.1"]},"status":{"loadBalancer":{
           "ingress":[{"ip":"198.51.100.2"},{"hostname":"a.example"}]}}})",
       "<none>|198.51.100.2,a.example,192.0.2.1|<none>|<none>"},
      {"external name", R"({"spec":{"type":"ExternalName","externalName":"example.com"}})",
       "<none>|example.com|<none>|<none>"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(row(network_columns(),
              {"service.clusterIP", "service.externalIP", "service.ports", "selector.map"},
              object_of(c.object)) == c.row);
  }
}

TEST_CASE("endpoint cells") {
  const Case cases[] = {
      {"none", "{}", "<none>"},
      {"nothing ready", R"({"subsets":[{"notReadyAddresses":[{"ip":"10.0.0.1"}],
                            "ports":[{"port":80}]}]})",
       ""},
      {"more than three", R"({"subsets":[{"addresses":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"},
                              {"ip":"10.0.0.3"},{"ip":"10.0.0.4"},{"ip":"10.0.0.5"}],
                              "ports":[{"port":80}]}]})",
       "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."},
      {"no ports, and v6", R"({"subsets":[{"addresses":[{"ip":"10.0.0.1"}]},
                               {"addresses":[{"ip":"fd00::1"}],"ports":[{"port":80}]}]})",
       "10.0.0.1,[fd00::1]:80"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(row(network_columns(), {"endpoints.list"}, object_of(c.object)) == c.row);
  }
}

TEST_CASE("slice cells") {
  CHECK(row(network_columns(), {"endpointslice.ports", "endpointslice.endpoints"},
            object_of("{}")) == "<unset>|<unset>");
  CHECK(row(network_columns(), {"endpointslice.ports", "endpointslice.endpoints"},
            object_of(R"({"ports":[{"port":80},{"name":"x"}],
                          "endpoints":[{"addresses":["10.0.0.1"]},
                                       {"addresses":["10.0.0.2"]}]})")) ==
        "80,x|10.0.0.1,10.0.0.2");
}

TEST_CASE("event rows") {
  const Case cases[] = {
      {"counted",
       R"({"involvedObject":{"kind":"Pod","name":"web","fieldPath":"spec"},"message":" hi ",
           "source":{"component":"kubelet","host":"n1"},"count":4,
           "firstTimestamp":"2026-11-21T06:00:00Z","lastTimestamp":"2026-11-21T06:09:30Z"})",
       "30s|pod/web|spec|kubelet, n1|hi|10m|4"},
      {"one of the newer kind",
       R"({"regarding":{"kind":"Node","name":"n1"},"note":"up","reportingController":"x.io/y",
           "eventTime":"2026-11-21T06:09:00.000000Z"})",
       "60s|node/n1||x.io/y|up|60s|1"},
      {"a series",
       R"({"involvedObject":{"kind":"Pod"},"eventTime":"2026-11-21T06:00:00.000000Z",
           "series":{"count":7,"lastObservedTime":"2026-11-21T06:09:50.000000Z"}})",
       "10s|pod||||10m|7"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(row(event_columns(),
              {"event.lastSeen", "event.object", "event.subobject", "event.source", "event.message",
               "event.firstSeen", "event.count"},
              object_of(c.object)) == c.row);
  }
}

TEST_CASE("workload rows") {
  const json::value deployment = object_of(
      R"({"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"spec":{
          "containers":[{"name":"a","image":"nginx"},{"name":"b","image":"redis"}]}}},
          "status":{"readyReplicas":2,"updatedReplicas":1}})");
  CHECK(row(workload_columns(),
            {"deployment.ready", "deployment.upToDate", "deployment.available",
             "template.containers", "template.images", "selector.query"},
            deployment) == "2/3|1|0|a,b|nginx,redis|app=web");
  const Case jobs[] = {
      {"running", R"({"spec":{"completions":5},"status":{"succeeded":2,
                      "startTime":"2026-11-21T06:09:00Z"}})",
       "Running|2/5|60s"},
      {"complete", R"({"spec":{"completions":1},"status":{"succeeded":1,
                       "startTime":"2026-11-21T06:09:00Z","completionTime":"2026-11-21T06:09:05Z",
                       "conditions":[{"type":"Complete","status":"True"}]}})",
       "Complete|1/1|5s"},
      {"work queue", R"({"spec":{"parallelism":3}})", "Running|0/1 of 3|"},
  };
  for (const Case& c : jobs) {
    INFO(c.name);
    CHECK(row(batch_columns(), {"job.status", "job.completions", "job.duration"},
              object_of(c.object)) == c.row);
  }
}

}  // namespace
}  // namespace coracle::api
