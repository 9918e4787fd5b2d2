// Scenario: an experiment as a person wrote it (docs/formats/scenario.md): cluster, workload,
// faults, policies, seeds, what is measured and what is asserted. A value, read and checked.
//
// Times are since the experiment's beginning.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenario/assertion.hpp"
#include "scenario/distribution.hpp"
#include "trace/trace.hpp"

namespace coracle::sim {

inline constexpr const char* kScenarioVersion = "sim.coracle.dev/v1alpha1";
inline constexpr const char* kGpuResource = "lab.coracle.dev/gpu";
inline constexpr const char* kGpuModelLabel = "lab.coracle.dev/gpu-model";
inline constexpr const char* kZoneLabel = "topology.kubernetes.io/zone";

enum class EngineKind : std::uint8_t {
  kPlacement,  // the scheduler's core alone: queue, decisions, cache
  kCluster,    // store, apiservers, controllers, scheduler and kubelets
};

struct NodeClass {
  std::string name;
  std::int64_t count = 0;
  std::vector<std::string> zones;  // the nodes take turns; empty: no zone
  json::object labels, capacity;   // resource -> quantity
  json::array taints;
};

struct ClusterSpec {
  std::int64_t store_members = 3, apiservers = 1, schedulers = 1;
  Duration lease = std::chrono::seconds(40);              // of kubelets; a node is lost after it
  Duration toleration = std::chrono::seconds(300);        // until pods of a lost node are given up
  Duration decision_time = std::chrono::milliseconds(1);  // of the placement engine
  std::vector<NodeClass> nodes;
  std::string images;  // more of the image catalog, as YAML
};

struct ManifestSpec {
  Duration at{0};
  std::optional<Duration> until;  // deleted then
  std::string source;             // a file, or its path in the scenario
  std::vector<json::object> objects;
};

struct ArrivalSpec {
  enum class Process : std::uint8_t { kPoisson, kConstant, kUniform, kBurst };
  Process process = Process::kPoisson;
  double per_second = 0;   // of kPoisson
  Duration every{0};       // of kConstant and kBurst
  std::int64_t count = 0;  // of kUniform; of others: at most, 0: no end
  Distribution size;       // of kBurst: how many at once
  Duration from{0};
  std::optional<Duration> until;  // the experiment's end
  double daily_swing = 0;         // of kPoisson: 0..1, how much the rate swings over a day
  Duration daily_peak = std::chrono::hours(14);
};

struct GeneratorSpec {
  std::string name, ns = "default";
  ArrivalSpec arrivals;
  WordChoice owner;                                            // Pod, Deployment, Job
  Distribution replicas;                                       // of Deployments and Jobs
  std::vector<std::pair<std::string, Distribution>> requests;  // by resource
  std::vector<std::pair<std::string, Distribution>> usage;     // as a share of the request
  std::optional<Distribution> lifetime;  // of Pods and Jobs: seconds a pod runs; of Deployments:
                                         // until they are deleted
  std::optional<Distribution> priority;
  json::object labels, annotations, spec;  // more of the pods
};

struct TraceSpec {
  std::string name, file;
  Duration offset{0};
  double speed = 1;   // 2: everything happens in half the time
  bool nodes = true;  // its nodes join
  std::shared_ptr<const Trace> trace;
};

struct FaultSpec {
  std::string kind;  // fault_kinds()
  Duration at{0};
  std::optional<Duration> span;    // until it is mended; none: never
  std::vector<std::string> nodes;  // by name
  std::string zone, node_class, machine;
  std::int64_t count = 0;     // so many of them, drawn; 0: all
  std::string disk = "slow";  // of disk: torn, full, slow
  Duration delay{0};          // of network-slow, disk
  double loss = 0;            // of network-slow
  Duration by{0};             // of clock
  // At random: the first after one `every`, each for one `lasts`.
  std::optional<Distribution> every, lasts;
  std::optional<Duration> until;
};
struct FaultKind {
  std::string name;
  bool of_nodes;   // takes nodes, zone, class, count; else a machine
  bool placement;  // the placement engine has it
};
const std::vector<FaultKind>& fault_kinds();

struct PolicySpec {
  std::string name;
  std::string config;  // KubeSchedulerConfiguration as YAML; empty: the defaults
};

struct AssertionSpec {
  std::string text;
  Assertion assertion;
};

struct Scenario {
  std::string name, text;
  EngineKind engine = EngineKind::kPlacement;
  Duration duration{0};
  std::vector<std::uint64_t> seeds{1};
  bool skip_failed_policies = false;  // onPluginFailure: skip
  ClusterSpec cluster;
  std::vector<ManifestSpec> manifests;
  std::vector<GeneratorSpec> generators;
  std::vector<TraceSpec> traces;
  std::vector<TraceSpec> sweep_traces;  // one of them at a time, in a sweep
  std::vector<FaultSpec> faults;
  std::vector<PolicySpec> policies;  // at least one
  Duration sample_every = std::chrono::minutes(1);
  Duration node_sample_every = std::chrono::hours(1);
  std::int64_t explained_nodes = 3;  // of each decision
  std::vector<std::string> series;   // which the report draws; empty: all
  std::vector<AssertionSpec> assertions;

  const PolicySpec* policy(std::string_view policy_name) const;
};

// How a file the scenario names is read; the path is relative to the scenario's.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// InvalidArgument: every problem, one a line: "FILE:LINE: PATH: WHAT".
Result<Scenario> read_scenario(const std::string& text, const std::string& file,
                               const ReadFile& read_file);

}  // namespace coracle::sim
