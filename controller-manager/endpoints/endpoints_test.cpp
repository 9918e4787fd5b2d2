#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "endpoints/backends.hpp"
#include "endpoints/endpoints.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const Instant kNow{TimePoint(std::chrono::hours(1)), *parse_time("2026-01-01T12:00:00Z")};

json::value service(const std::string& extra = "") {
  return *parse_yaml_one(
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns, uid: su, labels: {l: "
      "x}}, "
      "spec: {clusterIP: 127.96.0.5, selector: {app: a}, ports: [{name: http, port: 80, "
      "targetPort: web, protocol: TCP}]" +
      extra + "}}");
}

json::value pod(const std::string& name, bool ready, const std::string& extra = "") {
  return *parse_yaml_one("{metadata: {name: " + name + ", namespace: ns, uid: u" + name +
                         ", labels: {app: a}" + extra +
                         "}, spec: {nodeName: n1, containers: [{name: c, ports: [{name: web, "
                         "containerPort: 8080}]}]}, "
                         "status: {phase: Running, podIP: 127.128.0." +
                         std::string(1, name[0] - 'a' + '1') +
                         ", conditions: [{type: Ready, status: '" + (ready ? "True" : "False") +
                         "'}]}}");
}

}  // namespace

TEST_CASE("endpoints hold ready and unready addresses by their named port") {
  FixedWorld world;
  world.put(gvr::kServices, service());
  world.put(gvr::kPods, pod("a", true));
  world.put(gvr::kPods, pod("b", false));
  world.put(gvr::kPods, pod("c", true, ", deletionTimestamp: '2026-01-01T12:00:00Z'"));
  const Plan plan = EndpointsController().reconcile(world.view(), "ns/s", kNow);
  REQUIRE(plan.writes.size() == 1);
  CHECK(
      to_json(*find(plan.writes[0].body, "subsets")) ==
      R"([{"addresses":[{"ip":"127.128.0.1","nodeName":"n1","targetRef":{"kind":"Pod","name":"a","namespace":"ns","uid":"ua"}}],)"
      R"("notReadyAddresses":[{"ip":"127.128.0.2","nodeName":"n1","targetRef":{"kind":"Pod","name":"b","namespace":"ns","uid":"ub"}}],)"
      R"("ports":[{"name":"http","port":8080,"protocol":"TCP"}]}])");
  world.put(gvr::kEndpoints, plan.writes[0].body);
  CHECK(EndpointsController().reconcile(world.view(), "ns/s", kNow).writes.empty());
}

TEST_CASE("slices tell ready, serving and terminating, and settle") {
  FixedWorld world;
  world.put(gvr::kServices, service());
  world.put(gvr::kPods, pod("a", true));
  world.put(gvr::kPods, pod("c", true, ", deletionTimestamp: '2026-01-01T12:00:00Z'"));
  const Plan plan = EndpointSliceController().reconcile(world.view(), "ns/s", kNow);
  REQUIRE(plan.writes.size() == 1);
  const json::value& slice = plan.writes[0].body;
  CHECK(get_array(slice, "endpoints").size() == 2);
  CHECK(to_json(*find(get_array(slice, "endpoints").at(1), "conditions")) ==
        R"({"ready":false,"serving":true,"terminating":true})");
  CHECK(
      to_json(*find(slice, "metadata.labels")) ==
      R"({"l":"x","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"s"})");
  json::value stored = slice;
  set_path(stored, "metadata.name", json::value("s-abc"));
  set_path(stored, "metadata.uid", json::value("slice"));
  world.put(gvr::kEndpointSlices, stored);
  CHECK(EndpointSliceController().reconcile(world.view(), "ns/s", kNow).writes.empty());
  world.put(gvr::kPods, pod("b", true));
  const Plan more = EndpointSliceController().reconcile(world.view(), "ns/s", kNow);
  REQUIRE(more.writes.size() == 1);
  CHECK(more.writes[0].verb == Write::Verb::kUpdate);
}

TEST_CASE("a pod whose subdomain is the Service has a name there") {
  FixedWorld world;
  world.put(gvr::kServices, service());
  json::value here = pod("a", true), elsewhere = pod("b", true);
  for (auto* one : {&here, &elsewhere}) set_path(*one, "spec.hostname", json::value("host"));
  set_path(here, "spec.subdomain", json::value("s"));
  set_path(elsewhere, "spec.subdomain", json::value("other"));
  world.put(gvr::kPods, here);
  world.put(gvr::kPods, elsewhere);
  const Plan slices = EndpointSliceController().reconcile(world.view(), "ns/s", kNow);
  const Plan endpoints = EndpointsController().reconcile(world.view(), "ns/s", kNow);
  REQUIRE((slices.writes.size() == 1 && endpoints.writes.size() == 1));
  const json::array& list = get_array(slices.writes[0].body, "endpoints");
  CHECK(get_string(list.at(0), "hostname") == "host");
  CHECK(find(list.at(1), "hostname") == nullptr);
  const json::array& addresses =
      get_array(get_array(endpoints.writes[0].body, "subsets").at(0), "addresses");
  CHECK(get_string(addresses.at(0), "hostname") == "host");
  CHECK(find(addresses.at(1), "hostname") == nullptr);
}

TEST_CASE("101 pods need two slices") {
  FixedWorld world;
  world.put(gvr::kServices, service());
  for (int i = 0; i < 101; ++i) {
    json::value p = pod("a", true);
    set_path(p, "metadata.name", json::value("a" + std::to_string(i)));
    world.put(gvr::kPods, p);
  }
  CHECK(EndpointSliceController().reconcile(world.view(), "ns/s", kNow).writes.size() == 2);
}

TEST_CASE("services without a selector, of ExternalName, or gone") {
  FixedWorld world;
  json::value s = service();
  make_object(s, "spec").erase("selector");
  world.put(gvr::kServices, s);
  CHECK(EndpointsController().reconcile(world.view(), "ns/s", kNow).writes.empty());
  CHECK(EndpointSliceController().reconcile(world.view(), "ns/s", kNow).writes.empty());
  world.put(gvr::kServices, service(", type: ExternalName"));
  CHECK(EndpointSliceController().reconcile(world.view(), "ns/s", kNow).writes.empty());
  FixedWorld gone;
  gone.put(gvr::kEndpoints,
           *parse_yaml_one("{metadata: {name: s, namespace: ns, uid: e, labels: "
                           "{endpoints.kubernetes.io/managed-by: endpoint-controller}}}"));
  CHECK(EndpointsController().reconcile(gone.view(), "ns/s", kNow).writes.size() == 1);
  gone.put(gvr::kEndpoints, *parse_yaml_one("{metadata: {name: s, namespace: ns, uid: e}}"));
  CHECK(EndpointsController().reconcile(gone.view(), "ns/s", kNow).writes.empty());
}

TEST_CASE("slices tell the zone of an endpoint's node, and whom it is near where that is wanted") {
  FixedWorld world;
  world.put(gvr::kNodes, *parse_yaml_one("{metadata: {name: n1, labels: "
                                         "{topology.kubernetes.io/zone: east}}}"));
  world.put(gvr::kPods, pod("a", true));
  world.put(gvr::kPods, pod("b", false));
  const auto endpoints = [&](const std::string& distribution) {
    world.put(gvr::kServices,
              service(distribution.empty() ? "" : ", trafficDistribution: " + distribution));
    const Plan plan = EndpointSliceController().reconcile(world.view(), "ns/s", kNow);
    return get_array(plan.writes.at(0).body, "endpoints");
  };
  CHECK(get_string(endpoints("")[0], "zone") == "east");
  CHECK(find(endpoints("")[0], "hints") == nullptr);
  CHECK(to_json(*find(endpoints("PreferClose")[0], "hints")) ==
        R"({"forZones":[{"name":"east"}]})");
  CHECK(to_json(*find(endpoints("PreferSameNode")[0], "hints")) ==
        R"({"forNodes":[{"name":"n1"}],"forZones":[{"name":"east"}]})");
  CHECK(find(endpoints("PreferClose")[1], "hints") == nullptr);  // it is not ready
}

TEST_CASE("a node that moves to another zone wakes the Services of its pods") {
  FixedWorld world;
  world.put(gvr::kServices, service());
  world.put(gvr::kPods, pod("a", true));
  const json::value before = *parse_yaml_one("{metadata: {name: n1}}");
  const json::value after =
      *parse_yaml_one("{metadata: {name: n1, labels: {topology.kubernetes.io/zone: west}}}");
  std::vector<std::string> keys;
  const auto note = [&](const std::string& key) { keys.push_back(key); };
  EndpointSliceController().touched(world.view(), gvr::kNodes, &before, &before, note);
  CHECK(keys.empty());
  EndpointSliceController().touched(world.view(), gvr::kNodes, &before, &after, note);
  CHECK(keys == std::vector<std::string>{"ns/s"});
}
