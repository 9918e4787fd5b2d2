#include "config/config.hpp"

#include <catch2/catch.hpp>

#include "config/plugin_args_reader.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const std::string kHead =
    "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

Config config_of(const std::string& text) {
  Config config;
  const Status status = parse_config(kHead + text, &config);
  CHECK(status.message() == "");
  return config;
}

Names names(const Profile& profile, Point point) {
  Names all;
  for (const Plugin* plugin : profile.at(point)) all.emplace_back(plugin->name());
  return all;
}

std::int64_t weight(const Profile& profile, std::string_view plugin) {
  for (const auto& scorer : profile.scorers) {
    if (scorer.plugin->name() == plugin) return scorer.weight;
  }
  return 0;
}

TEST_CASE("an empty file is upstream's default profile") {
  const Config config = config_of("");
  REQUIRE(config.profiles.size() == 1);
  const Profile& profile = config.profiles[0];
  CHECK(profile.name == "default-scheduler");
  CHECK(names(profile, Point::kFilter) ==
        Names{"NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts",
              "NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding",
              "VolumeZone", "PodTopologySpread", "InterPodAffinity", "DynamicResources",
              "NodeDeclaredFeatures"});
  CHECK(names(profile, Point::kScore) == Names{"TaintToleration", "NodeAffinity",
                                               "NodeResourcesFit", "PodTopologySpread",
                                               "InterPodAffinity", "DynamicResources",
                                               "NodeResourcesBalancedAllocation", "ImageLocality"});
  CHECK(names(profile, Point::kPreEnqueue) ==
        Names{"SchedulingGates", "DynamicResources", "GangScheduling"});
  CHECK(names(profile, Point::kQueueSort) == Names{"PrioritySort"});
  CHECK(names(profile, Point::kPostFilter) == Names{"DynamicResources", "DefaultPreemption"});
  CHECK(names(profile, Point::kPreBind) == Names{"VolumeBinding", "DynamicResources"});
  CHECK(names(profile, Point::kBind) == Names{"DefaultBinder"});
  CHECK(weight(profile, "TaintToleration") == 3);
  CHECK(weight(profile, "ImageLocality") == 1);
  CHECK(weight(profile, "DynamicResources") == 2);
}

TEST_CASE("points and multiPoint choose plugins, their order and weights") {
  const Profile profile = config_of(R"(
profiles:
- schedulerName: mine
  percentageOfNodesToScore: 30
  plugins:
    multiPoint:
      enabled: [{name: SelectorSpread, weight: 4}, {name: ImageLocality, weight: 9}]
      disabled: [{name: NodePorts}]
    filter:
      enabled: [{name: VolumeZone}, {name: NodeName}]
    score:
      disabled: [{name: TaintToleration}]
      enabled: [{name: NodeResourcesFit, weight: 7}]
    postFilter: {disabled: [{name: '*'}]}
percentageOfNodesToScore: 20
)")
                              .profiles.at(0);
  CHECK(profile.name == "mine");
  CHECK(profile.percentage_of_nodes == 30);
  CHECK(names(profile, Point::kFilter) ==
        Names{"VolumeZone", "NodeName", "NodeUnschedulable", "TaintToleration", "NodeAffinity",
              "NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding",
              "PodTopologySpread", "InterPodAffinity", "DynamicResources", "NodeDeclaredFeatures"});
  CHECK(names(profile, Point::kScore) ==
        Names{"NodeResourcesFit", "NodeAffinity", "PodTopologySpread", "InterPodAffinity",
              "DynamicResources", "NodeResourcesBalancedAllocation", "ImageLocality",
              "SelectorSpread"});
  CHECK(weight(profile, "NodeResourcesFit") == 7);
  CHECK(weight(profile, "ImageLocality") == 9);
  CHECK(weight(profile, "SelectorSpread") == 4);
  CHECK(profile.at(Point::kPostFilter).empty());
}

TEST_CASE("only what is enabled, when all is disabled") {
  const Profile profile = config_of(R"(
profiles:
- plugins:
    multiPoint:
      disabled: [{name: '*'}]
      enabled: [{name: PrioritySort}, {name: DefaultBinder}, {name: NodeResourcesFit}]
)")
                              .profiles.at(0);
  CHECK(names(profile, Point::kFilter) == Names{"NodeResourcesFit"});
  CHECK(names(profile, Point::kScore) == Names{"NodeResourcesFit"});
  CHECK(names(profile, Point::kPreEnqueue).empty());
}

TEST_CASE("several profiles, and what concerns the process") {
  const Config config = config_of(R"(
leaderElection: {leaderElect: false, leaseDuration: 30s}
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 20
parallelism: 8
clientConnection: {kubeconfig: /etc/k, qps: 100, burst: 200}
profiles: [{schedulerName: a}, {schedulerName: b, percentageOfNodesToScore: 0}]
percentageOfNodesToScore: 40
)");
  CHECK_FALSE(config.leader_elect);
  CHECK(config.election.lease_duration == 30s);
  CHECK(config.backoff_first_seconds == 2);
  CHECK(config.backoff_max_seconds == 20);
  CHECK(config.kubeconfig == "/etc/k");
  REQUIRE(config.profiles.size() == 2);
  CHECK(config.profiles[0].percentage_of_nodes == 40);
  CHECK(config.profiles[1].percentage_of_nodes == 0);
}

TEST_CASE("GPU plugins are off until they are named, and share their arguments") {
  const auto has = [](const Profile& profile, Point point, const std::string& plugin) {
    const Names all = names(profile, point);
    return std::find(all.begin(), all.end(), plugin) != all.end();
  };
  CHECK_FALSE(has(default_profile(), Point::kFilter, "GpuShare"));
  const Profile profile = config_of(R"(
profiles:
- plugins:
    multiPoint:
      enabled:
      - name: GpuShare
      - {name: GpuFragmentation, weight: 100}
  pluginConfig:
  - name: GpuShare
    args:
      deviceChoice: Fragmentation
      seed: 7
      largestNode: {cpu: "96", devices: 4}
      typicalPods:
      - {cpu: "8", gpuMilli: 1000, share: 6}
      - {cpu: "4", gpuMilli: 500, gpuModels: [T4], share: 3}
      - {cpu: "2", gpuMilli: 0, share: 1}
)")
                              .profiles.at(0);
  CHECK(has(profile, Point::kFilter, "GpuShare"));
  CHECK(has(profile, Point::kReserve, "GpuShare"));
  CHECK(has(profile, Point::kPreScore, "GpuFragmentation"));
  CHECK(profile.scorers.back().plugin->name() == "GpuFragmentation");
  CHECK(profile.scorers.back().weight == 100);
}

// Arguments show in what the plugins then say.
TEST_CASE("arguments reach the plugins") {
  const Profile profile = config_of(R"(
profiles:
- pluginConfig:
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [a]}]}]
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      ignoredResources: [example.com/gpu]
      scoringStrategy:
        type: RequestedToCapacityRatio
        resources: [{name: cpu, weight: 3}]
        requestedToCapacityRatio: {shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]}
  - name: VolumeBinding
    args: {bindTimeoutSeconds: 30}
)")
                              .profiles.at(0);
  CHECK(profile.bind_timeout == 30s);
  const auto world =
      testing::a_world({testing::a_node("n"), testing::a_node("m").label("pool", "a")});
  const PodPtr pod = testing::a_pod("p").request("example.com/gpu", "1").cpu("2").info();
  const auto find = [&](Point point, std::string_view name) {
    for (const Plugin* plugin : profile.at(point)) {
      if (plugin->name() == name) return plugin;
    }
    CHECK_MSG(false, "no plugin " << name);
    return profile.at(point).front();
  };
  const Plugin* affinity = find(Point::kFilter, "NodeAffinity");
  CHECK(affinity->filter(*pod, world.nodes[0], nullptr) ==
        Verdict::never("node(s) didn't match scheduler-enforced node affinity"));
  CHECK(affinity->filter(*pod, world.nodes[1], nullptr).is_yes());
  const Plugin* fit = find(Point::kScore, "NodeResourcesFit");
  CHECK(fit->filter(*pod, world.nodes[0], nullptr).is_yes());
  CHECK(fit->score(*pod, world.nodes[0], nullptr) == 50);
}

TEST_CASE("extenders") {
  const Config config = config_of(R"(
extenders:
- urlPrefix: https://127.0.0.1:8888/sched/
  filterVerb: filter
  prioritizeVerb: prioritize
  weight: 5
  enableHTTPS: true
  httpTimeout: 2s
  nodeCacheCapable: true
  ignorable: true
  tlsConfig: {insecure: false, caData: Q0E=}
  managedResources: [{name: example.com/gpu, ignoredByScheduler: true}]
)");
  REQUIRE(config.extenders.size() == 1);
  const ExtenderConfig& one = config.extenders[0];
  CHECK(one.filter_verb == "filter");
  CHECK(one.weight == 5);
  CHECK(one.timeout == 2s);
  CHECK(one.ca_pem == "CA");
  CHECK(one.node_cache_capable);
  CHECK(one.ignorable);
  CHECK(one.is_interested(*testing::a_pod("p").request("example.com/gpu", "1").info()));
  CHECK_FALSE(one.is_interested(*testing::a_pod("p").cpu("1").info()));
}

TEST_CASE("what is said to be nothing is the default") {
  const Config config = config_of(R"(
leaderElection: {leaseDuration: 0s, renewDeadline: "", resourceLock: "", resourceNamespace: ""}
profiles:
- percentageOfNodesToScore: null
  pluginConfig:
  - {name: PodTopologySpread, args: {defaultingType: ""}}
  - {name: DynamicResources, args: {filterTimeout: 10s, bindingTimeout: 10m0s}}
  - {name: NodeResourcesBalancedAllocation, args: {resources: [{name: cpu, weight: 0}]}}
)");
  CHECK(config.election.lease_duration == 15s);
  CHECK(config.election.renew_deadline == 10s);
  CHECK(config.election.namespace_name == "kube-system");
  CHECK(config.profiles.at(0).name == "default-scheduler");
}

TEST_CASE("how long devices are searched for") {
  const auto timeout_of = [](const std::string& said) {
    PluginArgs args;
    api::FieldErrors errors;
    CHECK(read_plugin_args("DynamicResources", testing::parsed(said), api::FieldPath("args"),
                           errors, &args)
              .ok());
    CHECK(errors.empty());
    return args.filter_timeout;
  };
  CHECK(timeout_of("{}") == 10s);
  CHECK(timeout_of(R"({"filterTimeout":"0s"})") == 0s);
  CHECK(timeout_of(R"({"filterTimeout":"1m30s","bindingTimeout":"1m"})") == 90s);
}

const std::string kArgs = "profiles: [{pluginConfig: [{name: ";

TEST_CASE("what is wrong is named as upstream names it") {
  struct Case {
    const char* name;
    std::string text, message;
  };
  const std::string creating =
      "initializing profiles: creating profile for scheduler name default-scheduler: ";
  const std::vector<Case>
      cases{
          {"unknown fields", "profile: []\nprofiles: [{plugin: {}}]\n",
           R"(strict decoding error: unknown field "profiles[0].plugin", unknown field "profile")"},
          {"wrong type", "profiles: [{schedulerName: 7}]",
           "profiles[0].schedulerName: want a string"},
          {"unknown plugin", "profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]",
           creating + R"(FilterPlugin "Nope" does not exist)"},
          {"unknown plugin everywhere",
           "profiles: [{plugins: {multiPoint: {enabled: [{name: Nope}]}}}]",
           creating + R"(PreEnqueuePlugin "Nope" does not exist)"},
          {"upstream's, but not built",
           "profiles: [{plugins: {multiPoint: {enabled: [{name: PodGroupPodsCount, weight: 1}]}}}]",
           creating +
               R"(PreEnqueuePlugin "PodGroupPodsCount" is not built here: upstream has it for topologies of whole pod groups, behind the feature gate TopologyAwareWorkloadScheduling)"},
          {"twice everywhere",
           "profiles: [{plugins: {multiPoint: {enabled: [{name: SelectorSpread}, {name: "
           "SelectorSpread}]}}}]",
           creating + R"(plugin "SelectorSpread" already registered as "PreScorePlugin")"},
          {"a filter is no score", "profiles: [{plugins: {score: {enabled: [{name: NodePorts}]}}}]",
           creating + R"(plugin "NodePorts" does not extend ScorePlugin plugin)"},
          {"twice",
           "profiles: [{plugins: {filter: {enabled: [{name: NodeName}, {name: NodeName}]}}}]",
           creating + R"(plugin "NodeName" already registered as "FilterPlugin")"},
          {"no sort", "profiles: [{plugins: {queueSort: {disabled: [{name: '*'}]}}}]",
           creating +
               R"(only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0)"},
          {"no bind", "profiles: [{plugins: {bind: {disabled: [{name: '*'}]}}}]",
           creating +
               R"(at least one bind plugin is needed for profile with scheduler name "default-scheduler")"},
          {"a filter without the step it needs",
           "profiles: [{plugins: {preFilter: {disabled: [{name: VolumeZone}]}}}]",
           creating +
               R"(plugin "VolumeZone" is enabled at filter but not at preFilter, whose state it reads)"},
          {"removed plugin", "profiles: [{plugins: {filter: {enabled: [{name: EBSLimits}]}}}]",
           R"(profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1"))"},
          {"weights of plugins",
           "profiles: [{plugins: {multiPoint: {enabled: [{name: ImageLocality, weight: "
           "2147483648}]}, "
           "score: {enabled: [{name: NodeAffinity}, {name: TaintToleration, weight: -1}]}}}]",
           "[profiles[0].plugins.multiPoint.enabled[0].weight: Invalid value: 2147483648: not in "
           "valid "
           "range [0, 2147483647], profiles[0].plugins.score.enabled[1].weight: Invalid value: -1: "
           "not "
           "in valid range [0, 2147483647]]"},
          {"names", "profiles: [{schedulerName: a}, {schedulerName: a}, {}]",
           R"([profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName", profiles[2].schedulerName: Required value])"},
          {"percentages",
           "percentageOfNodesToScore: 101\nprofiles: [{percentageOfNodesToScore: -1}]",
           "[profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100], "
           "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]]"},
          {"a third profile of the same name",
           "profiles: [{schedulerName: a}, {schedulerName: a}, "
           "{schedulerName: a}]",
           R"([profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName", profiles[2].schedulerName: Duplicate value: "profiles[1].schedulerName"])"},
          {"the only profile, with an empty name", "profiles: [{schedulerName: ''}]",
           "profiles[0].schedulerName: Required value"},
          {"other queue sorts in another profile",
           "profiles: [{schedulerName: a}, {schedulerName: b, plugins: {queueSort: {enabled: "
           "[{name: "
           "PrioritySort}], disabled: [{name: '*'}]}}}]",
           R"(profiles[1].plugins.queueSort: Invalid value: {"Enabled":[{"Name":"PrioritySort","Weight":0}],"Disabled":[{"Name":"*","Weight":0}]}: must be the same for all profiles)"},
          {"two queue sorts",
           "profiles: [{plugins: {queueSort: {enabled: [{name: PrioritySort}, {name: Other}]}}}]",
           "profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin "
           "can be "
           "enabled"},
          {"all at once, in the order of upstream's checks",
           "extenders: [{urlPrefix: http://x, prioritizeVerb: p}]\npodInitialBackoffSeconds: 0\n"
           "percentageOfNodesToScore: 101\nprofiles: [{percentageOfNodesToScore: -1}, "
           "{schedulerName: "
           "b}]\nparallelism: 0\nleaderElection: {leaseDuration: -1s}\nclientConnection: {burst: "
           "-1}",
           "[clientConnection.burst: Invalid value: -1: must be non-negative, "
           "leaderElection.leaseDuration: Invalid value: \"-1s\": must be greater than zero, "
           "leaderElection.leaseDuration: Invalid value: \"10s\": LeaseDuration must be greater "
           "than "
           "RenewDeadline, "
           "parallelism: Invalid value: 0: should be an integer value greater than zero, "
           "profiles[0].schedulerName: Required value, "
           "profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100], "
           "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100], "
           "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0, "
           "extenders[0].weight: Invalid value: 0: must have a positive weight applied to it]"},
          {"arguments given twice, the second time wrong",
           kArgs +
               "VolumeBinding, args: {}}, {name: VolumeBinding, args: {bindTimeoutSeconds: -1}}]}]",
           R"([profiles[0].pluginConfig[1]: Duplicate value: "VolumeBinding", profiles[0].pluginConfig[1].args.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value])"},
          {"a score that is too much, however it is multiplied",
           kArgs +
               "NodeResourcesFit, args: {scoringStrategy: {type: RequestedToCapacityRatio, "
               "requestedToCapacityRatio: {shape: [{utilization: 0, score: 1844674407370955162}, "
               "{utilization: 100, score: 10}]}}}}]}]",
           "profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[0]."
           "score: "
           "Invalid value: 1844674407370955162: not in valid range [0, 10]"},
          {"an extender that outweighs every number",
           "extenders: [{urlPrefix: http://x, prioritizeVerb: p, weight: 9223372036854775807}]",
           "extenders[0].weight: Invalid value: 9223372036854775807: not in valid range [1, "
           "2147483647]"},
          {"a back-off of centuries", "podMaxBackoffSeconds: 9223372036854775807",
           "podMaxBackoffSeconds: Invalid value: 9223372036854775807: must not be greater than "
           "1000000000"},
          {"a bind of centuries",
           kArgs + "VolumeBinding, args: {bindTimeoutSeconds: 9000000000}}]}]",
           "profiles[0].pluginConfig[0].args.bindTimeoutSeconds: Invalid value: 9000000000: must "
           "not "
           "be greater than 1000000000"},
          {"back-off", "podInitialBackoffSeconds: 20",
           "podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to "
           "PodInitialBackoffSeconds"},
          {"parallelism", "parallelism: 0",
           "parallelism: Invalid value: 0: should be an integer value greater than zero"},
          {"election", "leaderElection: {leaseDuration: 5s}",
           R"(leaderElection.leaseDuration: Invalid value: "10s": LeaseDuration must be greater than RenewDeadline)"},
          {"addresses, which v1 has no more",
           "healthzBindAddress: 0.0.0.0:1\nmetricsBindAddress: 0.0.0.0:2",
           R"(strict decoding error: unknown field "healthzBindAddress", unknown field "metricsBindAddress")"},
          {"a weight below 0", kArgs + "InterPodAffinity, args: {hardPodAffinityWeight: -1}}]}]",
           "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: -1: not in "
           "valid "
           "range [0, 100]"},
          {"weights", kArgs + "InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]",
           "profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in "
           "valid "
           "range [0, 100]"},
          {"strategy", kArgs + "NodeResourcesFit, args: {scoringStrategy: {type: Some}}}]}]",
           R"(profiles[0].pluginConfig[0].args.scoringStrategy.type: Unsupported value: "Some": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")"},
          {"curve",
           kArgs +
               "NodeResourcesFit, args: {scoringStrategy: {type: RequestedToCapacityRatio, "
               "requestedToCapacityRatio: {shape: [{utilization: 50, score: 11}, {utilization: 50, "
               "score: 1}]}}}}]}]",
           "[profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[1]."
           "utilization: Invalid value: 50: values must be sorted in increasing order, "
           "profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[0]."
           "score: "
           "Invalid value: 11: not in valid range [0, 10]]"},
          {"preemption",
           kArgs + "DefaultPreemption, args: {minCandidateNodesPercentage: 0, "
                   "minCandidateNodesAbsolute: 0}}]}]",
           "[profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 0: "
           "cannot be "
           "zero at the same time as minCandidateNodesAbsolute, "
           "profiles[0].pluginConfig[0].args.minCandidateNodesAbsolute: Invalid value: 0: cannot "
           "be "
           "zero at the same time as minCandidateNodesPercentage]"},
          {"spread",
           kArgs + "PodTopologySpread, args: {defaultConstraints: [{maxSkew: 1, topologyKey: zone, "
                   "whenUnsatisfiable: ScheduleAnyway}]}}]}]",
           R"(profiles[0].pluginConfig[0].args.defaultingType: Invalid value: "System": when .defaultConstraints are not empty)"},
          {"a way to choose spread defaults that does not exist",
           kArgs + "PodTopologySpread, args: {defaultingType: Some}}]}]",
           R"(profiles[0].pluginConfig[0].args.defaultingType: Unsupported value: "Some": supported values: "System", "List")"},
          {"spread defaults",
           kArgs +
               "PodTopologySpread, args: {defaultingType: List, defaultConstraints: [{maxSkew: 0, "
               "topologyKey: a/b/c, whenUnsatisfiable: Never}, {maxSkew: 1, topologyKey: '', "
               "whenUnsatisfiable: ''}, {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "
               "DoNotSchedule, labelSelector: {}}, {maxSkew: 2, topologyKey: zone, "
               "whenUnsatisfiable: DoNotSchedule}]}}]}]",
           R"([profiles[0].pluginConfig[0].args.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf), )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[0].topologyKey: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName'), )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway", )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[1].topologyKey: Required value: can not be empty, )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[1].whenUnsatisfiable: Required value: can not be empty, )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[2].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod, )"
           R"(profiles[0].pluginConfig[0].args.defaultConstraints[3]: Duplicate value: "{zone, DoNotSchedule}"])"},
          {"rules of an added affinity",
           kArgs +
               "NodeAffinity, args: {addedAffinity: {"
               "requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{"
               "matchExpressions: [{key: pool, operator: In}, {key: pool, operator: Exists, "
               "values: "
               "[a]}, {key: pool, operator: Gt, values: [many]}, {key: pool, operator: Is}]}]}, "
               "preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {"
               "matchFields: [{key: metadata.name, operator: In, values: [a, b]}, {key: "
               "metadata.name, operator: Exists}]}}, {weight: 0, preference: {matchFields: [{key: "
               "metadata.name, operator: In}]}}]}}}]}]",
           R"([profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty, )"
           R"(profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Invalid value: ["a"]: values set must be empty for exists and does not exist, )"
           R"(profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].values[0]: Invalid value: "many": for 'Gt', 'Lt' operators, the value must be an integer, )"
           R"(profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[3].operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", )"
           R"(profiles[0].pluginConfig[0].args.addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].matchFields[0].values: Invalid value: ["a","b"]: must have one element, )"
           R"(profiles[0].pluginConfig[0].args.addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].matchFields[1].operator: Unsupported value: "Exists": supported values: "In", "NotIn"])"},
          {"a field of an added affinity that does not exist",
           kArgs + "NodeAffinity, args: {addedAffinity: {required: {}}}}]}]",
           R"(decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeAffinity: strict decoding error: unknown field "addedAffinity.required")"},
          {"times of device claims",
           kArgs + "DynamicResources, args: {filterTimeout: -1s, bindingTimeout: 10ms}}]}]",
           R"([profiles[0].pluginConfig[0].args.filterTimeout: Invalid value: "-1s": must be zero or positive, profiles[0].pluginConfig[0].args.bindingTimeout: Invalid value: "10ms": must be at least 1 second])"},
          {"resources that are not scored or ignored so",
           kArgs +
               "NodeResourcesFit, args: {ignoredResources: [a/b/c], ignoredResourceGroups: [a/b], "
               "scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 101}], "
               "requestedToCapacityRatio: {}}}}]}]",
           R"([profiles[0].pluginConfig[0].args.ignoredResources[0]: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName'), )"
           R"(profiles[0].pluginConfig[0].args.ignoredResourceGroups[0]: Invalid value: "a/b": resource group name can't contain '/', )"
           R"(profiles[0].pluginConfig[0].args.scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100], )"
           R"(profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio: Forbidden: must be nil when type is not RequestedToCapacityRatio])"},
          {"balanced",
           kArgs +
               "NodeResourcesBalancedAllocation, args: {resources: [{name: cpu, weight: 2}]}}]}]",
           "profiles[0].pluginConfig[0].args.resources[0].weight: Invalid value: 2: must be 1"},
          {"how a device is chosen", kArgs + "GpuShare, args: {deviceChoice: Best}}]}]",
           R"(profiles[0].pluginConfig[0].args.deviceChoice: Unsupported value: "Best": supported values: "BestFit", "Fragmentation", "Random", "WorstFit")"},
          {"fragmentation without typical pods",
           kArgs + "GpuShare, args: {deviceChoice: Fragmentation}}]}]",
           "profiles[0].pluginConfig[0].args.typicalPods: Required value: Fragmentation is about "
           "typical pods"},
          {"a typical pod of one and a half devices",
           kArgs + "GpuShare, args: {typicalPods: [{cpu: '1', gpuMilli: 1500, share: 1}]}}]}]",
           "profiles[0].pluginConfig[0].args.typicalPods[0].gpuMilli: Invalid value: 1500: must be "
           "0 "
           "to 1000, or a multiple of 1000"},
          {"timeout", kArgs + "VolumeBinding, args: {bindTimeoutSeconds: -1}}]}]",
           "profiles[0].pluginConfig[0].args.bindTimeoutSeconds: Invalid value: -1: invalid "
           "BindTimeoutSeconds, should not be a negative value"},
          {"unknown argument", kArgs + "VolumeBinding, args: {bindTimeout: 1}}]}]",
           R"(decoding .profiles[0].pluginConfig[0]: decoding args for plugin VolumeBinding: strict decoding error: unknown field "bindTimeout")"},
          {"other plugin's arguments", kArgs + "VolumeBinding, args: {kind: NodeAffinityArgs}}]}]",
           "decoding .profiles[0].pluginConfig[0]: args for plugin VolumeBinding were not of type "
           "VolumeBindingArgs.kubescheduler.config.k8s.io, got "
           "NodeAffinityArgs.kubescheduler.config.k8s.io"},
          {"arguments of no plugin", kArgs + "Nope, args: {}}]}]",
           R"(profiles[0].pluginConfig[0].name: Invalid value: "Nope": plugin does not exist)"},
          {"a resource that two extenders manage",
           "extenders: [{urlPrefix: http://x, managedResources: [{name: a.b/c}]}, {urlPrefix: "
           "http://y, "
           "managedResources: [{name: a.b/c}]}]",
           R"(extenders[1].managedResources[0].name: Invalid value: "a.b/c": duplicate extender managed resource name)"},
          {"extender",
           "extenders: [{urlPrefix: http://x, prioritizeVerb: p, bindVerb: b}, {urlPrefix: "
           "http://y, "
           "bindVerb: b, managedResources: [{name: cpu}]}]",
           R"([extenders[0].weight: Invalid value: 0: must have a positive weight applied to it, extenders[1].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name, extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind])"},
      };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Config config;
    CHECK(parse_config(kHead + c.text, &config).message() == c.message);
  }
  Config config;
  CHECK(
      parse_config("apiVersion: v1\nkind: Pod\n", &config).message() ==
      R"(no kind "Pod" is registered for version "v1"; want apiVersion kubescheduler.config.k8s.io/v1, kind KubeSchedulerConfiguration)");
}

}  // namespace
}  // namespace coracle::scheduler
