// Scenario files, good and bad: what is wrong is told by line and path, all of it at once.
#include <catch2/catch.hpp>

#include "base/strings.hpp"
#include "scenario/scenario.hpp"

namespace coracle::sim {
namespace {

const std::string kGood = R"(apiVersion: sim.coracle.dev/v1alpha1
kind: Scenario
metadata: {name: good}
engine: placement
duration: 1h
cluster:
  nodes:
  - {class: m, count: 3, zones: [a, b], capacity: {cpu: 4, memory: 8Gi}}
workload:
  generators:
  - name: job
    owner: {choice: [{value: Pod, weight: 2}, {value: Job}]}
    arrivals: {process: poisson, perMinute: 2}
    requests: {cpu: {uniform: {from: 100m, to: 1}}, lab.coracle.dev/gpu: 1}
    usage: {cpu: 0.5}
    lifetime: {exponential: {mean: 5m, min: 1s}}
faults:
- {kind: node-down, zone: a, at: 10m, for: 5m}
assertions: ["p99(pod.wait) < 30s", "unscheduled == 0"]
)";

Result<std::string> no_files(const std::string& path) { return not_found(path + ": not here"); }

std::string problems_of(const std::string& text) {
  const auto scenario = read_scenario(text, "s.yaml", no_files);
  return scenario.ok() ? "" : scenario.status().message();
}

// kGood with one text replaced.
std::string with(const std::string& from, const std::string& to) {
  REQUIRE(kGood.find(from) != std::string::npos);
  return replace_all(kGood, from, to);
}

TEST_CASE("a good scenario is read whole") {
  const auto scenario = read_scenario(kGood, "s.yaml", no_files);
  REQUIRE(scenario.status().message() == "");
  REQUIRE(scenario->name == "good");
  REQUIRE(scenario->duration == std::chrono::hours(1));
  REQUIRE(scenario->cluster.nodes.at(0).zones == std::vector<std::string>{"a", "b"});
  REQUIRE(get_string(scenario->cluster.nodes[0].capacity, "pods") == "110");
  REQUIRE(scenario->generators.at(0).arrivals.per_second == Approx(2.0 / 60));
  REQUIRE(scenario->generators[0].lifetime->min == 1.0);
  REQUIRE(scenario->faults.at(0).zone == "a");
  REQUIRE(scenario->assertions.size() == 2);
  REQUIRE(scenario->policies.at(0).name == "default");
}

TEST_CASE("devices of a node are counted whole, or in parts for GpuShare") {
  const auto capacity = [](const std::string& gpus) {
    const auto scenario = read_scenario(
        with("memory: 8Gi}}", "memory: 8Gi}, gpus: {" + gpus + "}}"), "s.yaml", no_files);
    REQUIRE(scenario.status().message() == "");
    return scenario->cluster.nodes.at(0).capacity;
  };
  const auto whole = capacity("count: 4, model: T4");
  REQUIRE(whole.at("lab.coracle.dev/gpu") == "4");
  REQUIRE_FALSE(whole.contains("lab.coracle.dev/gpu-milli"));
  const auto parts = capacity("count: 4, resource: lab.coracle.dev/gpu-milli");
  REQUIRE(parts.at("lab.coracle.dev/gpu-milli") == "4000");
}

TEST_CASE("what is wrong is named by line and path") {
  struct Case {
    const char* name;
    std::string text, problem;
  };
  const std::vector<Case> cases = {
      {"unknown field", with("count: 3", "count: 3, cout: 3"),
       "s.yaml:8: cluster.nodes[0].cout: unknown field (known here: capacity, class, count, gpus, "
       "labels, taints, zones)"},
      {"no nodes at all", with("count: 3", "count: 0"),
       "s.yaml:8: cluster.nodes[0].count: want a whole number from 1 to 200000, not 0"},
      {"a quantity that is none", with("memory: 8Gi", "memory: 8Gib"),
       "s.yaml:8: cluster.nodes[0].capacity.memory: want a quantity like 4, 500m or 16Gi, not "
       "\"8Gib\""},
      {"more cores than can be counted", with("cpu: 4,", "cpu: 9223372036854775808,"),
       "s.yaml:8: cluster.nodes[0].capacity.cpu: 9223372036854775808 is too much: at most 1000000"},
      {"more memory than can be counted", with("memory: 8Gi", "memory: 16Ei"),
       "s.yaml:8: cluster.nodes[0].capacity.memory: \"16Ei\" is too much: at most "
       "1000000000000000"},
      {"more of something than can be counted",
       with("memory: 8Gi", "memory: 8Gi, example.com/a: 1e30"),
       "s.yaml:8: cluster.nodes[0].capacity.example.com/a: "},
      {"nodes that have more together than can be counted",
       with("count: 3, zones: [a, b], capacity: {cpu: 4, memory: 8Gi}",
            "count: 200000, zones: [a, b], capacity: {cpu: 4, memory: 100T}"),
       "s.yaml:7: cluster.nodes: 2e+19 of memory in all; at most 4e+18"},
      {"a count of 1e12 nodes", with("count: 3", "count: 1000000000000"),
       "s.yaml:8: cluster.nodes[0].count: want a whole number from 1 to 200000, not 1000000000000"},
      {"a request of 1e12 cores", with("to: 1}", "to: 1000000000000}"),
       "s.yaml:14: workload.generators[0].requests.cpu.uniform.to: 1000000000000 is too much: at "
       "most 1000000"},
      {"a request beyond any number", with("gpu: 1}", "gpu: 9223372036854775808}"),
       "s.yaml:14: workload.generators[0].requests.lab.coracle.dev/gpu: 9223372036854775808 is too "
       "much: at most 1000000000000000"},
      {"a usage beyond any node", with("usage: {cpu: 0.5}", "usage: {cpu: 1e9}"),
       "s.yaml:15: workload.generators[0].usage.cpu: "},
      {"1e12 replicas", with("    usage:", "    replicas: 1000000000000\n    usage:"),
       "s.yaml:15: workload.generators[0].replicas: 1000000000000 is too much: at most 10000000"},
      {"bursts of 1e12",
       with("process: poisson, perMinute: 2",
            "process: burst, every: 1m, size: {uniform: {from: 1, to: 1000000000000}}"),
       "s.yaml:13: workload.generators[0].arrivals.size.uniform.to: 1000000000000 is too much: at "
       "most 10000000"},
      {"at most 1e12 arrivals", with("perMinute: 2", "perMinute: 2, count: 1000000000000"),
       "s.yaml:13: workload.generators[0].arrivals.count: want a whole number from 1 to 10000000, "
       "not 1000000000000"},
      {"more arrivals than memory",
       with("process: poisson, perMinute: 2", "process: constant, every: 10us"),
       "s.yaml:13: workload.generators[0].arrivals: makes about 360000000 objects; at most "
       "10000000 (say count, or until)"},
      {"bursts that are more than memory",
       with("process: poisson, perMinute: 2", "process: burst, every: 1s, size: 1000000"),
       "s.yaml:13: workload.generators[0].arrivals: makes about 3600000000 objects; at most "
       "10000000 (say count, or until)"},
      {"a priority that is none", with("    usage:", "    priority: 2147483648\n    usage:"),
       "s.yaml:15: workload.generators[0].priority: 2147483648 is too much: at most 2147483647"},
      {"a lifetime of 200 years", with("mean: 5m", "mean: 73000d"),
       "s.yaml:16: workload.generators[0].lifetime.exponential.mean: want a duration"},
      {"a lifetime of 114 years", with("mean: 5m", "mean: 1000000h"),
       "s.yaml:16: workload.generators[0].lifetime.exponential.mean: \"1000000h\" is too much: at "
       "most 3153600000s"},
      {"an experiment of 114 years", with("duration: 1h", "duration: 1000000h"),
       "s.yaml:5: duration: \"1000000h\" is more than 100 years"},
      {"a duration whose parts do not add up", with("duration: 1h", "duration: 36500d2500000h"),
       "s.yaml:5: duration: want a duration like 90s, 1h30m or 2d, not \"36500d2500000h\""},
      {"a negative time", with("duration: 1h", "duration: -1h"),
       "s.yaml:5: duration: want a duration like 90s, 1h30m or 2d, not \"-1h\""},
      {"a distribution that does not exist", with("exponential: {mean", "exponential: {meen"),
       "s.yaml:16: workload.generators[0].lifetime.exponential.meen: unknown field (known here: "
       "max, mean, min)"},
      {"from above to", with("from: 100m, to: 1", "from: 2, to: 1"),
       "s.yaml:14: workload.generators[0].requests.cpu.uniform.to: is less than from"},
      {"a distribution of nothing but 0", with("mean: 5m", "mean: 0s"),
       "s.yaml:16: workload.generators[0].lifetime.exponential.mean: want more than 0"},
      {"a fault of no nodes", with("zone: a, at", "at"),
       "s.yaml:18: faults[0]: on which nodes? want nodes, zone, class or count"},
      {"a zone that is not there", with("zone: a, at", "zone: c, at"),
       "s.yaml:18: faults[0].zone: no node is in a zone \"c\""},
      {"a fault of another engine", with("kind: node-down, zone: a", "kind: store-kill"),
       "s.yaml:18: faults[0].kind: the placement engine has no store; want engine: cluster"},
      {"a fault after the end", with("at: 10m", "at: 10h"),
       "s.yaml:18: faults[0].at: is not before the end of the experiment"},
      {"an assertion that is no truth", with("unscheduled == 0", "unscheduled"),
       "s.yaml:19: assertions[1]: column 1: this is a number; want a comparison, like "
       "\"unscheduled == 0\""},
      {"a metric that does not exist", with("unscheduled == 0", "unschedled == 0"),
       "s.yaml:19: assertions[1]: there is no metric \"unschedled\""},
      {"a series without a function", with("unscheduled == 0", "pod.wait < 1"),
       "\"pod.wait\" has many values; want a function of it, like mean(pod.wait)"},
      {"usage of nothing requested", with("usage: {cpu", "usage: {memory"),
       "s.yaml:15: workload.generators[0].usage.memory: is a share of a request that is not there"},
      {"an engine that does not exist", with("engine: placement", "engine: warp"),
       "s.yaml:4: engine: want placement or cluster, not \"warp\""},
      {"a field twice", with("duration: 1h", "duration: 1h\nduration: 2h"),
       "s.yaml: yaml: line 6: key \"duration\" already set in map"},
      {"text that is no YAML", "a: [1", "s.yaml: yaml: line"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name, problems_of(one.text));
    REQUIRE(problems_of(one.text).find(one.problem) != std::string::npos);
  }
}

TEST_CASE("what the whole cluster has not is named") {
  const std::string good = replace_all(kGood, "engine: placement", "engine: cluster");
  REQUIRE(problems_of(good) == "");
  const auto fault = [&](const std::string& kind) {
    return replace_all(good, "kind: node-down, zone: a", kind);
  };
  const auto cluster = [&](const std::string& fields) {
    return replace_all(good, "cluster:\n", "cluster:\n" + fields);
  };
  struct Case {
    const char* name;
    std::string text, problem;
  };
  const std::vector<Case> cases = {
      {"a machine that is not there", fault("kind: store-kill, machine: store-9"),
       "s.yaml:18: faults[0].machine: there is no store \"store-9\" (there is store-1, store-2 or "
       "store-3)"},
      {"a machine of another kind", fault("kind: scheduler-kill, machine: store-1"),
       "faults[0].machine: there is no scheduler \"store-1\" (there is scheduler-1)"},
      {"any machine that is not there", fault("kind: clock-shift, by: 1s, machine: moon"),
       "faults[0].machine: there is no machine \"moon\" (nodes, and apiserver-1, "},
      {"a store that cannot fail",
       replace_all(fault("kind: store-cut"), "cluster:\n", "cluster:\n  storeMembers: 0\n"),
       "s.yaml:19: faults[0].kind: storeMembers is 0: that store never fails"},
      {"a network that loses all", fault("kind: network-slow, machine: store-1, loss: 1"),
       "faults[0].loss: want a number from 0 to 0.9, not 1"},
      {"parts of seconds", cluster("  evictAfter: 1500ms\n"),
       "s.yaml:7: cluster.evictAfter: want whole seconds"},
      {"a node that is called as the store is", replace_all(good, "class: m,", "class: store,"),
       "s.yaml:8: cluster.nodes[0]: node store-1: another machine of the simulated cluster"},
      {"more pods than addresses", replace_all(good, "cpu: 4,", "cpu: 4, pods: 1001,"),
       "s.yaml:8: cluster.nodes[0]: node m-1 takes 1001 pods; a simulated kubelet has addresses "
       "for 255"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name, problems_of(one.text));
    REQUIRE(problems_of(one.text).find(one.problem) != std::string::npos);
  }
}

TEST_CASE("everything that is wrong is told at once, in the order of the file") {
  const std::string problems = problems_of(
      replace_all(with("engine: placement", "engine: warp"), "count: 3", "count: many"));
  const auto lines = split(problems, '\n');
  REQUIRE(lines.size() == 2);
  REQUIRE(lines[0].starts_with("s.yaml:4: engine"));
  REQUIRE(lines[1].starts_with("s.yaml:8: cluster.nodes[0].count"));
}

TEST_CASE("what the apiserver would refuse is refused with its words") {
  const std::string bad = with("    usage: {cpu: 0.5}", "    spec: {nodeSelectr: {a: b}}");
  REQUIRE(problems_of(bad).find("unknown field \"spec.nodeSelectr\"") != std::string::npos);
  const std::string wrong = with("    usage: {cpu: 0.5}", "    labels: {\"a b\": c}");
  REQUIRE(problems_of(wrong).find("is refused: metadata.labels: Invalid value") !=
          std::string::npos);
}

TEST_CASE("manifests make no more pods than this machine can hold") {
  const auto problem = [](const std::string& kind, const std::string& spec,
                          const std::string& policy) {
    return problems_of(with(
        "workload:\n",
        "workload:\n  manifests:\n  - objects:\n    - {" + kind + ", metadata: {name: d}, spec: {" +
            spec + ", template: {metadata: {labels: {a: b}}, spec: {restartPolicy: " + policy +
            ", containers: [{name: c, image: i}]}}}}\n"));
  };
  const std::string deployment = "apiVersion: apps/v1, kind: Deployment";
  const std::string selector = ", selector: {matchLabels: {a: b}}";
  REQUIRE(problem(deployment, "replicas: 100" + selector, "Always") == "");
  REQUIRE(problem(deployment, "replicas: 2147483647" + selector, "Always") ==
          "s.yaml:12: workload.manifests[0].objects[0]: spec.replicas: 2147483647 is too much: at "
          "most 10000000");
  REQUIRE(problem("apiVersion: batch/v1, kind: Job", "parallelism: 10000001, completions: 1",
                  "Never") ==
          "s.yaml:12: workload.manifests[0].objects[0]: spec.parallelism: 10000001 is too much: at "
          "most 10000000");
}

TEST_CASE("policies are checked as the scheduler checks them") {
  const std::string policy = R"(policies:
- name: a
  config:
    apiVersion: kubescheduler.config.k8s.io/v1
    kind: KubeSchedulerConfiguration
    profiles:
    - schedulerName: default-scheduler
      plugins: {score: {enabled: [{name: Nope}]}}
)";
  REQUIRE(
      problems_of(kGood + policy).find("s.yaml:22: policies[0].config: initializing profiles") !=
      std::string::npos);
}

}  // namespace
}  // namespace coracle::sim
