#include "resourcequota/resourcequota.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

struct Bench {
  FixedWorld world;
  ResourceQuotaController controller;

  void quota(const std::string& hard, const std::string& more = "") {
    world.put(gvr::kResourceQuotas,
              *parse_yaml_one("{metadata: {name: q, namespace: ns}, spec: {hard: {" + hard + "}" +
                              more + "}}"));
  }
  void pod(const std::string& name, const std::string& rest, const std::string& ns = "ns") {
    world.put(gvr::kPods, *parse_yaml_one("{metadata: {name: " + name + ", namespace: " + ns +
                                          "}, " + rest + "}"));
  }
  std::string used() {
    const Plan plan = controller.reconcile(world.view(), "ns/q", {});
    if (plan.writes.empty()) return "-";
    world.put(gvr::kResourceQuotas, plan.writes[0].body);
    return to_json(*find(plan.writes[0].body, "status.used"));
  }
};

const char* kSmall =
    "spec: {containers: [{name: c, resources: {requests: {cpu: 100m, memory: 64Mi}}}]}";

}  // namespace

TEST_CASE("a quota shows what is there") {
  Bench b;
  b.quota("pods: '4', requests.cpu: '1', count/configmaps: '3', secrets: '2'");
  CHECK(b.used() == R"({"pods":"0","requests.cpu":"0","count/configmaps":"0","secrets":"0"})");
  CHECK(b.used() == "-");
  b.pod("p1", kSmall);
  b.pod("p2", kSmall);
  b.pod("done", std::string(kSmall) + ", status: {phase: Succeeded}");
  b.pod("elsewhere", kSmall, "other");
  b.world.put(gvr::kConfigMaps, *parse_yaml_one("{metadata: {name: m, namespace: ns}}"));
  CHECK(b.used() == R"({"pods":"2","requests.cpu":"200m","count/configmaps":"1","secrets":"0"})");
}

TEST_CASE("a quota with scopes counts the pods of its scopes") {
  Bench b;
  b.pod("p1", kSmall);
  b.pod("p2", "spec: {containers: [{name: c}]}");
  b.quota("pods: '4'", ", scopes: [BestEffort]");
  CHECK(b.used() == R"({"pods":"1"})");
}

TEST_CASE("custom kinds are counted when a quota names them") {
  Bench b;
  b.quota("count/widgets.example.com: '5'");
  b.world.put(gvr::kCustomResourceDefinitions,
              *parse_yaml_one("{metadata: {name: widgets.example.com}, spec: {group: example.com, "
                              "scope: Namespaced, names: {plural: widgets, kind: Widget}, "
                              "versions: [{name: v1, served: true, storage: true}]}, status: "
                              "{conditions: [{type: Established, status: 'True'}]}}"));
  const client::Gvr widgets{"example.com", "v1", "widgets", true};
  b.world.put(widgets, *parse_yaml_one("{metadata: {name: w, namespace: ns}}"));
  CHECK(b.used() == R"({"count/widgets.example.com":"1"})");
}

TEST_CASE("devices that claims may take, by their class") {
  Bench b;
  const client::Gvr claims{"resource.k8s.io", "v1", "resourceclaims", true};
  int names = 0;
  const auto claim = [&](const std::string& requests) {
    b.world.put(claims, *parse_yaml_one("{metadata: {name: c" + std::to_string(++names) +
                                        ", namespace: ns}, spec: {devices: {requests: [" +
                                        requests + "]}}}"));
  };
  b.quota(
      "gpu.deviceclass.resource.k8s.io/devices: '40', nic.deviceclass.resource.k8s.io/devices: "
      "'1'");
  claim(
      "{name: a, exactly: {deviceClassName: gpu, count: 2}}, "
      "{name: b, exactly: {deviceClassName: gpu}}");
  CHECK(b.used() == R"({"gpu.deviceclass.resource.k8s.io/devices":"3",)"
                    R"("nic.deviceclass.resource.k8s.io/devices":"0"})");
  claim("{name: all, exactly: {deviceClassName: gpu, allocationMode: All}}");
  claim(
      "{name: some, firstAvailable: [{name: x, deviceClassName: gpu, count: 3}, "
      "{name: y, deviceClassName: gpu}, {name: z, deviceClassName: nic}]}");
  CHECK(b.used() == R"({"gpu.deviceclass.resource.k8s.io/devices":"38",)"
                    R"("nic.deviceclass.resource.k8s.io/devices":"1"})");
}

TEST_CASE("which changes make it count again") {
  Bench b;
  b.quota("pods: '4', count/deployments.apps: '1'");
  int woken = 0;
  const auto wake = [&](const client::Gvr& gvr, bool update) {
    woken = 0;
    const json::value object = *parse_yaml_one("{metadata: {name: x, namespace: ns}}");
    b.controller.touched(b.world.view(), gvr, update ? &object : nullptr, &object,
                         [&](const std::string&) { ++woken; });
    return woken;
  };
  CHECK(wake(gvr::kPods, true) == 1);
  CHECK(wake(gvr::kDeployments, false) == 1);
  CHECK(wake(gvr::kDeployments, true) == 0);
  CHECK(wake(gvr::kReplicaSets, false) == 0);
}
