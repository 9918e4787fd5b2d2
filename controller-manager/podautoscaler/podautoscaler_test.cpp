#include "podautoscaler/podautoscaler.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controller_testing/cluster.hpp"
#include "controllers/pods.hpp"
#include "podautoscaler/scaling.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Strings = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

class FakeMetrics final : public MetricsSource {
 public:
  bool answered() const override { return known; }
  Result<PodUsages> pods(const std::string&) const override {
    if (!error.empty()) return unavailable(error);
    return usages;
  }
  std::optional<Result<MetricValues>> values(const MetricQuery& query) const override {
    asked.push_back((query.external ? "external " : "custom ") + query.path);
    return others;
  }
  PodUsages usages;
  std::optional<Result<MetricValues>> others =
      unavailable("no custom metrics API (custom.metrics.k8s.io) registered");
  mutable Strings asked;
  std::string error;
  bool known = true;
};

struct Scaling {
  FakeMetrics metrics;
  PodAutoscalerController controller{metrics};
  testing::Cluster c{controller};

  explicit Scaling(int replicas, const std::string& spec = "{}") {
    c.put(gvr::kAutoscalers, R"(
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, uid: hpa-uid, generation: 1}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 10
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
)");
    const json::value changes = *parse_yaml_one(spec);
    for (const auto& [key, value] : changes.get_object()) {
      set_path(hpa(), "spec." + std::string(key), value);
    }
    c.put(gvr::kDeployments,
          "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: d}, spec: "
          "{selector: {matchLabels: {app: web}}}}");
    resize(replicas);
  }
  json::value& hpa() { return c.at("horizontalpodautoscalers/web"); }
  void resize(int replicas) {
    set_path(c.at("deployments/web"), "spec.replicas", json::value(replicas));
    std::erase_if(c.objects, [](const auto& o) { return o.first.starts_with("pods/"); });
    for (int i = 0; i < replicas; ++i) {
      c.put(gvr::kPods, "{metadata: {name: web-" + std::to_string(i) +
                            ", uid: u, labels: {app: web}}, spec: {containers: [{name: c, "
                            "resources: {requests: {cpu: 100m, memory: 100Mi}}}]}, status: "
                            "{phase: Running, startTime: 2026-01-01T11:00:00Z, conditions: "
                            "[{type: Ready, status: 'True', lastTransitionTime: "
                            "2026-01-01T11:00:00Z}]}}");
    }
  }
  // Of every pod: thousandths of a core.
  void usage(std::int64_t milli) {
    metrics.usages.clear();
    for (const std::string& name : c.names("pods")) {
      metrics.usages[name] = {c.wall, 15s, {{"c", {{"cpu", milli}, {"memory", 1000}}}}};
    }
  }
  // Looks once; the size it asks for, or -1 when it leaves it.
  std::int64_t look() {
    c.step("ns/web");
    for (const Write& w : c.last.writes) {
      if (w.subresource == "scale") return get_int(w.body, "spec.replicas");
    }
    return -1;
  }
  // "True ReadyForNewScale"
  std::string condition_of(const char* type) {
    const json::value* found = condition(hpa(), type);
    return found == nullptr ? ""
                            : std::string(get_string(*found, "status")) + " " +
                                  std::string(get_string(*found, "reason"));
  }
  std::string message_of(const char* type) {
    return std::string(get_string(*condition(hpa(), type), "message"));
  }
};

}  // namespace

TEST_CASE("so many that the usage is at its target") {
  struct Case {
    const char* name;
    int replicas, milli;
    std::int64_t asked;
  };
  const std::vector<Case> cases = {
      {"at the target", 2, 50, -1},
      {"within a tenth above", 2, 55, -1},
      {"within a tenth below", 2, 45, -1},
      {"twice as busy", 2, 100, 4},
      {"a bit more", 3, 60, 4},
      {"idle", 4, 10, 1},
      {"no work at all", 4, 0, 1},
      {"at most twice as many at once", 3, 500, 6},
      {"or four", 1, 500, 4},
      {"not more than the most", 8, 500, 10},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    Scaling s(k.replicas);
    s.usage(k.milli);
    if (k.asked >= 0 && k.asked < k.replicas) {
      // Down only when the size it had is no longer among the wishes of five minutes.
      CHECK(s.look() == -1);
      CHECK(s.condition_of("AbleToScale") == "True ScaleDownStabilized");
      s.c.wall += 5min + 1s;
      s.usage(k.milli);
    }
    CHECK(s.look() == k.asked);
  }
}

TEST_CASE("what is told and written down") {
  Scaling s(2);
  s.usage(100);
  CHECK(s.look() == 4);
  CHECK(s.c.told ==
        Strings{"SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of "
                "request) above target"});
  CHECK(s.condition_of("AbleToScale") == "True SucceededRescale");
  CHECK(s.condition_of("ScalingActive") == "True ValidMetricFound");
  CHECK(s.condition_of("ScalingLimited") == "False DesiredWithinRange");
  json::value status = get_object(s.hpa(), "status");
  erase_key(status.get_object(), "conditions");
  CHECK(to_json(sorted_keys(status)) ==
        R"({"currentMetrics":[{"resource":{"current":{"averageUtilization":100,)"
        R"("averageValue":"100m"},"name":"cpu"},"type":"Resource"}],"currentReplicas":2,)"
        R"("desiredReplicas":4,"lastScaleTime":"2026-01-01T12:00:00Z","observedGeneration":1})");
  CHECK(*s.c.last.again_after == 15s);
}

TEST_CASE("outside of its bounds the size is set without asking") {
  Scaling high(12), low(1, "{minReplicas: 3}"), off(0);
  CHECK(high.look() == 10);
  CHECK(
      high.c.told[0] ==
      "SuccessfulRescale: New size: 10; reason: Current number of replicas above Spec.MaxReplicas");
  CHECK(low.look() == 3);
  CHECK(
      low.c.told[0] ==
      "SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas");
  CHECK(off.look() == -1);
  CHECK(off.condition_of("ScalingActive") == "False ScalingDisabled");
}

TEST_CASE("what cannot be known changes nothing, and is told") {
  Scaling s(2);
  s.metrics.error = "the server could not find the requested resource (get pods.metrics.k8s.io)";
  CHECK(s.look() == -1);
  CHECK(s.condition_of("ScalingActive") == "False FailedGetResourceMetric");
  const std::string why =
      "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch "
      "metrics from resource metrics API: the server could not find the requested resource (get "
      "pods.metrics.k8s.io)";
  CHECK(s.message_of("ScalingActive") == "the HPA was unable to compute the replica count: " + why);
  CHECK(s.c.told == Strings{"FailedGetResourceMetric: " + why,
                            "FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), "
                            "first error is: failed to get cpu resource metric value: " +
                                why});
  s.metrics.error.clear();
  CHECK(s.look() == -1);
  CHECK(s.message_of("ScalingActive").ends_with("no metrics returned from resource metrics API"));
  s.usage(100);
  set_path(s.c.pod("web-1"), "spec.containers", *parse_yaml_one("[{name: c}]"));
  CHECK(s.look() == -1);
  CHECK(s.message_of("ScalingActive")
            .ends_with("missing request for cpu in container c of Pod web-1"));
  s.c.objects.erase("deployments/web");
  CHECK(s.look() == -1);
  CHECK(s.condition_of("AbleToScale") == "False FailedGetScale");
  CHECK(s.message_of("AbleToScale").ends_with("deployments/scale.apps \"web\" not found"));
}

TEST_CASE("several metrics: the most counts; one unknown holds back what is less") {
  const char* kTwo =
      "{metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, "
      "averageUtilization: 50}}}, {type: Pods, pods: {metric: {name: rate}, target: {type: "
      "AverageValue, averageValue: '1'}}}]}";
  Scaling up(2, kTwo), down(4, kTwo);
  up.usage(100);
  CHECK(up.look() == 4);  // up goes without it
  CHECK(up.c.told[0].starts_with("FailedGetPodsMetric: unable to get metric rate"));
  down.usage(10);
  CHECK(down.look() == -1);
  CHECK(down.condition_of("ScalingActive") == "False FailedGetPodsMetric");
}

TEST_CASE("of one container; as a value") {
  Scaling one(2,
              "{metrics: [{type: ContainerResource, containerResource: {name: cpu, container: c, "
              "target: {type: Utilization, averageUtilization: 50}}}]}");
  one.usage(100);
  for (auto& [name, usage] : one.metrics.usages) usage.containers["other"]["cpu"] = 900;
  CHECK(one.look() == 4);
  CHECK(one.c.told[0].ends_with(
      "cpu container resource utilization (percentage of request) above target"));
  Scaling value(2,
                "{metrics: [{type: Resource, resource: {name: cpu, target: {type: AverageValue, "
                "averageValue: 25m}}}]}");
  value.usage(50);
  CHECK(value.look() == 4);
}

TEST_CASE("pods that are not what they will be") {
  Scaling s(3);
  s.usage(100);
  // Two are young: they count as idle when more are asked for.
  for (const char* name : {"web-1", "web-2"}) {
    set_path(s.c.pod(name), "status.startTime", json::value("2026-01-01T11:59:00Z"));
    set_path(s.c.pod(name), "status.conditions",
             *parse_yaml_one("[{type: Ready, status: 'False', lastTransitionTime: "
                             "2026-01-01T11:59:00Z}]"));
  }
  CHECK(s.look() == -1);
  // One without metrics counts as busy when fewer are.
  Scaling lost(2);
  lost.usage(20);
  lost.metrics.usages.erase("web-1");
  lost.c.wall += 10min;
  lost.usage(20);
  lost.metrics.usages.erase("web-1");
  CHECK(lost.look() == -1);
}

TEST_CASE("behaviour: rates, windows, tolerance") {
  const char* kSlow =
      "{behavior: {scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: Max, policies: [{type: "
      "Pods, value: 1, periodSeconds: 60}]}, scaleDown: {stabilizationWindowSeconds: 0, "
      "selectPolicy: Min, policies: [{type: Pods, value: 4, periodSeconds: 60}, {type: Percent, "
      "value: 50, periodSeconds: 60}]}}}";
  Scaling s(2, kSlow);
  s.usage(500);
  CHECK(s.look() == 3);
  CHECK(s.condition_of("ScalingLimited") == "True ScaleUpLimit");
  s.resize(3);
  s.usage(500);
  CHECK(s.look() == -1);  // one a minute
  s.c.wall += 61s;
  s.usage(500);
  CHECK(s.look() == 4);
  s.c.wall += 10min;
  s.resize(4);
  s.usage(1);
  CHECK(s.look() == 2);  // the lesser of 4 pods and 50 %
  CHECK(s.condition_of("ScalingLimited") == "True ScaleDownLimit");

  Scaling held(2,
               "{behavior: {scaleUp: {selectPolicy: Disabled, policies: [{type: Pods, value: 4, "
               "periodSeconds: 15}]}, scaleDown: {policies: [{type: Percent, value: 100, "
               "periodSeconds: 15}]}}}");
  held.usage(500);
  CHECK(held.look() == -1);

  Scaling late(2,
               "{behavior: {scaleUp: {stabilizationWindowSeconds: 60, policies: [{type: Pods, "
               "value: 9, periodSeconds: 15}]}, scaleDown: {policies: [{type: Percent, value: "
               "100, periodSeconds: 15}]}}}");
  late.usage(100);
  CHECK(late.look() == -1);
  CHECK(late.condition_of("AbleToScale") == "True ScaleUpStabilized");
  late.c.wall += 61s;
  late.usage(100);
  CHECK(late.look() == 4);

  Scaling exact(10,
                "{maxReplicas: 20, behavior: {scaleUp: {tolerance: '0.01', policies: [{type: "
                "Pods, value: 9, periodSeconds: 15}]}, scaleDown: {policies: [{type: Percent, "
                "value: 100, periodSeconds: 15}]}}}");
  exact.usage(52);
  CHECK(exact.look() == 11);
}

TEST_CASE("before anything was heard it waits") {
  Scaling s(2);
  s.metrics.known = false;
  CHECK(s.look() == -1);
  CHECK(s.c.last.writes.empty());
  CHECK(s.c.told.empty());
  CHECK(*s.c.last.again_after == 1s);
}

TEST_CASE("memory survives being written down") {
  autoscaler::Memory memory;
  memory.recommendations.push_back({3, *parse_time("2026-01-01T12:00:00.5Z")});
  memory.removed.push_back({1, *parse_time("2026-01-01T12:00:00Z")});
  const auto back = autoscaler::Memory::from_json(memory.to_json());
  REQUIRE(back.recommendations.size() == 1);
  CHECK(back.recommendations[0].number == 3);
  CHECK(back.recommendations[0].at == memory.recommendations[0].at);
  CHECK(back.added.empty());
  CHECK(back.removed.size() == 1);
}

namespace {

const std::string kPodsRate =
    "{type: Pods, pods: {metric: {name: rate, selector: {matchLabels: {verb: get}}}, target: "
    "{type: AverageValue, averageValue: 100m}}}";
const std::string kQueue =
    "{type: External, external: {metric: {name: queue, selector: {matchLabels: {q: x}}}, target: ";
const std::string kHits =
    "{type: Object, object: {metric: {name: hits}, describedObject: {apiVersion: "
    "networking.k8s.io/v1, kind: Ingress, name: main}, target: ";

std::string metrics(const std::string& one) { return "{metrics: [" + one + "]}"; }

MetricValue value(const std::string& object, std::int64_t milli) {
  return {object, milli, *parse_time("2026-01-01T12:00:00Z")};
}

}  // namespace

TEST_CASE("metrics of pods: the average over those selected") {
  Scaling s(2, metrics(kPodsRate));
  s.metrics.others = MetricValues{value("web-0", 300), value("web-1", 100), value("else", 9000)};
  CHECK(s.look() == 4);
  CHECK(s.metrics.asked.back() ==
        "custom namespaces/ns/pods/*/rate?metricLabelSelector=verb%3Dget&labelSelector=app%3Dweb");
  CHECK(s.c.told ==
        Strings{"SuccessfulRescale: New size: 4; reason: pods metric rate above target"});
  CHECK(to_json(get_array(s.hpa(), "status.currentMetrics")) ==
        R"([{"type":"Pods","pods":{"metric":{"name":"rate","selector":{"matchLabels":)"
        R"({"verb":"get"}}},"current":{"averageValue":"200m"}}}])");
}

TEST_CASE("metrics of an object: its value, or a share of it for each pod") {
  Scaling all(2, metrics(kHits + "{type: Value, value: '10'}}}"));
  all.metrics.others = MetricValues{value("main", 15'000)};
  CHECK(all.look() == 3);
  CHECK(all.metrics.asked.back() == "custom namespaces/ns/ingresses.networking.k8s.io/main/hits");
  CHECK(all.c.told[0] ==
        "SuccessfulRescale: New size: 3; reason: Ingress metric hits above target");
  CHECK(get_string(get_array(all.hpa(), "status.currentMetrics").at(0), "object.current.value") ==
        "15");
  Scaling each(2, metrics(kHits + "{type: AverageValue, averageValue: '10'}}}"));
  set_path(each.c.at("deployments/web"), "status.replicas", json::value(2));
  each.metrics.others = MetricValues{value("main", 35'000)};
  CHECK(each.look() == 4);
  CHECK(get_string(get_array(each.hpa(), "status.currentMetrics").at(0),
                   "object.current.averageValue") == "17500m");
}

TEST_CASE("metrics from outside are added up") {
  Scaling s(2, metrics(kQueue + "{type: AverageValue, averageValue: '30'}}}"));
  set_path(s.c.at("deployments/web"), "status.replicas", json::value(2));
  s.metrics.others = MetricValues{value("", 60'000), value("", 50'000)};
  CHECK(s.look() == 4);
  CHECK(s.metrics.asked.back() == "external namespaces/ns/queue?labelSelector=q%3Dx");
  CHECK(s.c.told[0] ==
        "SuccessfulRescale: New size: 4; reason: external metric queue(&LabelSelector{MatchLabels:"
        "map[string]string{q: x,},MatchExpressions:[]LabelSelectorRequirement{},}) above target");
  Scaling value_target(4, metrics(kQueue + "{type: Value, value: '30'}}}"));
  value_target.metrics.others = MetricValues{value("", 33'000)};
  CHECK(value_target.look() == -1);  // within the tolerance
}

TEST_CASE("other metrics that nobody serves, in upstream's words") {
  Scaling pods(2, metrics(kPodsRate));
  CHECK(pods.look() == -1);
  const std::string why =
      "unable to get metric rate: unable to fetch metrics from custom metrics API: no custom "
      "metrics API (custom.metrics.k8s.io) registered";
  CHECK(pods.message_of("ScalingActive") ==
        "the HPA was unable to compute the replica count: " + why);
  CHECK(pods.c.told ==
        Strings{"FailedGetPodsMetric: " + why,
                "FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error "
                "is: failed to get pods metric value: " +
                    why});
  Scaling external(2, metrics(kQueue + "{type: Value, value: '30'}}}"));
  external.metrics.others = MetricValues{};
  CHECK(external.look() == -1);
  CHECK(external.message_of("ScalingActive") ==
        "the HPA was unable to compute the replica count: unable to get external metric "
        "ns/queue/&LabelSelector{MatchLabels:map[string]string{q: x,},MatchExpressions:[]"
        "LabelSelectorRequirement{},}: no metrics returned from external metrics API");
  Scaling waiting(2, metrics(kPodsRate));
  waiting.metrics.others.reset();
  CHECK(waiting.look() == -1);
  CHECK(waiting.c.last.writes.empty());
  CHECK(*waiting.c.last.again_after == 1s);
}
