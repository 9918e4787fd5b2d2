// Tables of bad input for pods, quotas, limit ranges, claims and volumes. The expectations follow
// from kube-apiserver 1.36 (pkg/apis/core/validation) and are worded as its answers are.
#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

TEST_CASE("environment of a container") {
  run(
      {
          {"key of a config map without a name",
           R"({"spec":{"containers":[{"name":"a","image":"x","env":[{"name":"A","valueFrom":{
               "configMapKeyRef":{"name":"c","key":""}}}]}]}})",
           {"spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"}},
          {"no source, two sources, a value beside a source",
           R"({"spec":{"containers":[{"name":"a","image":"x","env":[
               {"name":"A","valueFrom":{}},
               {"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"},
                                        "configMapKeyRef":{"name":"s","key":"k"}}},
               {"name":"C","value":"1","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}]}})",
           {R"(spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: )"
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
            R"(spec.containers[0].env[1].valueFrom: Invalid value: "": may not have more than )"
            "one field specified at a time",
            R"(spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified )"
            "when `value` is not empty"}},
          {"fields that a variable cannot show",
           R"({"spec":{"containers":[{"name":"a","image":"x","env":[
               {"name":"A","valueFrom":{"fieldRef":{"fieldPath":"spec.nothing"}}},
               {"name":"B","valueFrom":{"fieldRef":{"fieldPath":"status.phase"}}},
               {"name":"C","valueFrom":{"fieldRef":{"fieldPath":"metadata.name['a']"}}},
               {"name":"D","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu",
                                                            "divisor":"2"}}}]}]}})",
           {R"(spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: )"
            R"("spec.nothing": error converting fieldPath: field label not supported: )"
            "spec.nothing",
            R"(spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported value: )"
            R"("status.phase": supported values: "metadata.name", "metadata.namespace", )"
            R"("metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", )"
            R"("status.hostIPs", "status.podIP", "status.podIPs")",
            R"(spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid value: )"
            R"("metadata.name['a']": error converting fieldPath: field label does not support )"
            "subscript: metadata.name['a']",
            R"(spec.containers[0].env[3].valueFrom.resourceFieldRef.divisor: Invalid value: )"
            R"("limits.cpu": only divisor's values 1m and 1 are supported with the cpu )"
            "resource"}},
          {"envFrom of nothing",
           R"({"spec":{"containers":[{"name":"a","image":"x","envFrom":[{"prefix":"A"}]}]}})",
           {R"(spec.containers[0].envFrom: Invalid value: "": must specify one of: )"
            "`configMapRef` or `secretRef`"}},
      },
      pod, defaults::set_pod);
}

TEST_CASE("mounts, devices and ids of a container") {
  run(
      {
          {"mounts",
           R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}],
               "containers":[{"name":"a","image":"x","volumeMounts":[
               {"name":"v","mountPath":"/a","subPath":"../b"},
               {"name":"v","mountPath":"/a","subPath":"/b","subPathExpr":"c"},
               {"name":"v","mountPath":"/c","recursiveReadOnly":"Enabled"},
               {"name":"v","mountPath":"/d","mountPropagation":"Bidirectional"}]}]}})",
           {R"(spec.containers[0].volumeMounts.subPath: Invalid value: "../b": must not contain )"
            "'..'",
            R"(spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique)",
            R"(spec.containers[0].volumeMounts.subPath: Invalid value: "/b": must be a relative )"
            "path",
            R"(spec.containers[0].volumeMounts[1].subPathExpr: Invalid value: "c": subPathExpr )"
            "and subPath are mutually exclusive",
            "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified "
            "when readOnly is true",
            "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount "
            "propagation is available only to privileged containers"}},
          {"device of a volume that is no claim",
           R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a",
               "image":"x","volumeDevices":[{"name":"v","devicePath":"/dev/x"}]}]}})",
           {R"(spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use )"
            "volume source type of PersistentVolumeClaim or Ephemeral for block mode"}},
          {"ids",
           R"({"spec":{"securityContext":{"runAsUser":-1,"supplementalGroups":[1,2147483648]},
               "containers":[{"name":"a","image":"x","securityContext":{"runAsGroup":-5}}]}})",
           {"spec.containers[0].securityContext.runAsGroup: Invalid value: -5: must be between 0 "
            "and 2147483647, inclusive",
            "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, "
            "inclusive",
            "spec.securityContext.supplementalGroups[1]: Invalid value: 2147483648: must be "
            "between 0 and 2147483647, inclusive"}},
          {"seccomp",
           R"({"spec":{"securityContext":{"seccompProfile":{"type":"Localhost"}},
               "containers":[{"name":"a","image":"x",
                              "securityContext":{"seccompProfile":{"type":"Other"}}}]}})",
           {R"(spec.containers[0].securityContext.seccompProfile.type: Unsupported value: )"
            R"("Other": supported values: "Localhost", "RuntimeDefault", "Unconfined")",
            "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set "
            "when seccomp type is Localhost"}},
      },
      pod, defaults::set_pod);
}

TEST_CASE("amounts of a container") {
  run(
      {
          {"devices come whole and equal",
           R"({"spec":{"containers":[{"name":"a","image":"x","resources":{
               "requests":{"example.com/gpu":"1"},"limits":{"example.com/gpu":"2500m"}}},
               {"name":"b","image":"x","resources":{"requests":{"example.com/gpu":"1"}}}]}})",
           {R"(spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "2500m": )"
            "must be an integer",
            R"(spec.containers[0].resources.requests: Invalid value: "1": must be equal to )"
            "example.com/gpu limit of 2500m",
            "spec.containers[1].resources.limits: Required value: Limit must be set for non "
            "overcommitable resources"}},
          {"huge pages alone",
           R"({"spec":{"containers":[{"name":"a","image":"x","resources":{
               "requests":{"hugepages-2Mi":"3Mi"},"limits":{"hugepages-2Mi":"3Mi"}}}]}})",
           {R"(spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is )"
            "not positive integer multiple of hugepages-2Mi",
            R"(spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi )"
            "is not positive integer multiple of hugepages-2Mi",
            "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"}},
      },
      pod, defaults::set_pod);
}

TEST_CASE("where a pod may run") {
  run(
      {
          {"node affinity",
           R"({"spec":{"containers":[{"name":"a","image":"x"}],"affinity":{"nodeAffinity":{
               "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
                 {"matchExpressions":[{"key":"a","operator":"In","values":["b c"]}],
                  "matchFields":[{"key":"metadata.uid","operator":"In","values":["x"]}]}]}}}}})",
           {R"(spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.)"
            R"(nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: "b c": a valid )"
            R"(label must be an empty string or consist of alphanumeric characters, '-', '_' or )"
            R"('.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or )"
            R"('my_value',  or '12345', regex used for validation is )"
            R"('(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'))",
            R"(spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.)"
            R"(nodeSelectorTerms[0].matchFields[0].key: Invalid value: "metadata.uid": not a )"
            "valid field selector key"}},
          {"spread",
           R"({"spec":{"containers":[{"name":"a","image":"x"}],"topologySpreadConstraints":[
               {"maxSkew":0,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway",
                "minDomains":2},
               {"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]}})",
           {"spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than "
            "zero",
            "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "
            R"("{zone, ScheduleAnyway}")",
            "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use "
            "minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"}},
          {"host network",
           R"({"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"x","ports":[
               {"containerPort":80,"hostPort":81}]}]}})",
           {"spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
            "when `hostNetwork` is true"}},
          {"DNS None",
           R"({"spec":{"dnsPolicy":"None","containers":[{"name":"a","image":"x"}]}})",
           {"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
      },
      pod, defaults::set_pod);
}

TEST_CASE("template of a stateful set has its claims as volumes") {
  run(
      {
          {"mounted claim",
           R"({"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{
               "labels":{"a":"b"}},"spec":{"containers":[{"name":"a","image":"x",
               "volumeMounts":[{"name":"www","mountPath":"/w"}]}]}},
               "volumeClaimTemplates":[{"metadata":{"name":"www"}}]}})",
           {}},
          {"policies",
           R"({"spec":{"podManagementPolicy":"Any","persistentVolumeClaimRetentionPolicy":{
               "whenDeleted":"Keep","whenScaled":"Retain"},"selector":{"matchLabels":{"a":"b"}},
               "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[
               {"name":"a","image":"x"}]}}}})",
           {R"(spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or )"
            "'Parallel'",
            R"(spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": )"
            R"(supported values: "Retain", "Delete")"}},
      },
      stateful_set, defaults::set_stateful_set);
}

TEST_CASE("claims") {
  constexpr std::string_view kGood =
      R"({"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}},
          "storageClassName":"a","volumeName":"v"},"status":{"phase":"Bound",
          "capacity":{"storage":"2Gi"}}})";
  run(
      {
          {"nothing",
           R"({"spec":{}})",
           {"spec.accessModes: Required value: at least 1 access mode is required",
            "spec.resources[storage]: Required value"}},
          {"modes, size, class",
           R"({"spec":{"accessModes":["ReadWriteOncePod","ReadWriteOnce","Any"],
               "storageClassName":"A_b","volumeMode":"Tape",
               "resources":{"requests":{"storage":"0"}}}})",
           {R"(spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", )"
            R"("ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")",
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
            R"(spec.resources[storage]: Invalid value: "0": must be greater than zero)",
            R"(spec.storageClassName: Invalid value: "A_b": a lowercase RFC 1123 subdomain must )"
            R"(consist of lower case alphanumeric characters, '-' or '.', and must start and end )"
            R"(with an alphanumeric character (e.g. 'example.com', regex used for validation is )"
            R"('[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'))",
            R"(spec.volumeMode: Unsupported value: "Tape": supported values: "Block", )"
            R"("Filesystem")"}},
          {"a bound claim grows",
           R"({"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"3Gi"}},
               "storageClassName":"a","volumeName":"v"},"status":{"phase":"Bound"}})",
           {},
           kGood},
          {"and does not shrink below what it has",
           R"({"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},
               "storageClassName":"a","volumeName":"v"},"status":{"phase":"Bound"}})",
           {"spec.resources.requests.storage: Forbidden: field can not be less than "
            "status.capacity"},
           kGood},
      },
      persistent_volume_claim, nullptr);
}

TEST_CASE("local volumes say where they are") {
  run(
      {
          {"without",
           R"({"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],
               "local":{"path":"/a/../b"}}})",
           {R"(spec.local.path: Invalid value: "/a/../b": must not contain '..')",
            "spec.nodeAffinity: Required value: Local volume requires node affinity"}},
          {"recycling the root",
           R"({"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],
               "persistentVolumeReclaimPolicy":"Recycle","hostPath":{"path":"/"}}})",
           {"spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath "
            "mount of '/'"}},
      },
      persistent_volume, defaults::set_persistent_volume);
}

TEST_CASE("resource quota") {
  run(
      {
          {"names and amounts",
           R"({"spec":{"hard":{"pods":"-1","foo":"1","count/widgets.example.com":"5"}}})",
           {R"(spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully )"
            "qualified",
            R"(spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota)",
            R"(spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0)"}},
          {"scopes",
           R"({"spec":{"hard":{"services":"1"},"scopes":["BestEffort","NotBestEffort","Odd"]}})",
           {R"(spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: unsupported )"
            "scope applied to resource",
            R"(spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: unsupported )"
            "scope applied to resource",
            R"(spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: unsupported )"
            "scope",
            R"(spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Odd"]: conflicting )"
            "scopes"}},
          {"selector",
           R"({"spec":{"hard":{"pods":"1"},"scopeSelector":{"matchExpressions":[
               {"scopeName":"PriorityClass","operator":"In"},
               {"scopeName":"Terminating","operator":"In","values":["a"]}]}}})",
           {"spec.scopeSelector.matchExpressions.values: Required value: must be at least one "
            "value when `operator` is 'In' or 'NotIn' for scope selector",
            R"(spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be )"
            "'Exists' when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"}},
          {"scopes stay",
           R"({"spec":{"hard":{"pods":"1"},"scopes":["BestEffort"]}})",
           {R"(spec.scopes: Invalid value: ["BestEffort"]: field is immutable)"},
           R"({"spec":{"hard":{"pods":"1"}}})"},
      },
      resource_quota, nullptr);
}

TEST_CASE("limit ranges") {
  run(
      {
          {"types",
           R"({"spec":{"limits":[{"type":"Pod","default":{"cpu":"1"}},{"type":"Pod"},
               {"type":"Other"},{"type":"PersistentVolumeClaim","max":{"foo":"1"}}]}})",
           {"spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
            R"(spec.limits[1].type: Duplicate value: "Pod")",
            R"(spec.limits[2].type: Invalid value: "Other": must be a standard limit type or )"
            "fully qualified",
            R"(spec.limits[3].max[foo]: Invalid value: "foo": must be a standard resource type )"
            "or fully qualified",
            "spec.limits[3].limits: Required value: either minimum or maximum storage value is "
            "required, but neither was provided"}},
          {"ratio",
           R"({"spec":{"limits":[{"type":"Container","min":{"cpu":"1"},"max":{"cpu":"2"},
               "default":{"cpu":"2"},"defaultRequest":{"cpu":"1"},
               "maxLimitRequestRatio":{"cpu":"3"}}]}})",
           {R"(spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater )"
            "than max/min = 2.000000"}},
      },
      limit_range, nullptr);
}

}  // namespace
}  // namespace coracle::api::validation
