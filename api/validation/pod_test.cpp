#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

TEST_CASE("pod create") {
  run(
      {
          {"good", R"({"spec":{"containers":[{"name":"a","image":"nginx"}]}})", {}},
          {"no containers", R"({"spec":{}})", {"spec.containers: Required value"}},
          {"no name, no image",
           R"({"spec":{"containers":[{}]}})",
           {"spec.containers[0].name: Required value", "spec.containers[0].image: Required value"}},
          {"two of one name",
           R"({"spec":{"containers":[{"name":"a","image":"x"},{"name":"a","image":"y"}]}})",
           {R"(spec.containers[1].name: Duplicate value: "a")"}},
          {"restart policy",
           R"({"spec":{"restartPolicy":"Sometimes","containers":[{"name":"a","image":"x"}]}})",
           {R"(spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", )"
            R"("OnFailure", "Never")"}},
          {"pull policy",
           R"({"spec":{"containers":[{"name":"a","image":"x","imagePullPolicy":"Once"}]}})",
           {R"(spec.containers[0].imagePullPolicy: Unsupported value: "Once": supported values: )"
            R"("Always", "IfNotPresent", "Never")"}},
          {"more requested than allowed",
           R"({"spec":{"containers":[{"name":"a","image":"x","resources":{
               "requests":{"cpu":"2"},"limits":{"cpu":"1"}}}]}})",
           {R"(spec.containers[0].resources.requests: Invalid value: "2": must be less than or )"
            "equal to cpu limit of 1"}},
          {"unknown resource",
           R"({"spec":{"containers":[{"name":"a","image":"x","resources":{
               "requests":{"foo":"1"},"limits":{"foo":"1"}}}]}})",
           {R"(spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard )"
            "resource type or fully qualified",
            R"(spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard )"
            "resource for containers",
            R"(spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a )"
            "standard resource type or fully qualified",
            R"(spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a )"
            "standard resource for containers"}},
          {"mount without volume",
           R"({"spec":{"containers":[{"name":"a","image":"x","volumeMounts":[
               {"name":"v","mountPath":"/d"}]}]}})",
           {R"(spec.containers[0].volumeMounts[0].name: Not found: "v")"}},
          {"port out of range",
           R"({"spec":{"containers":[{"name":"a","image":"x","ports":[
               {"containerPort":70000}]}]}})",
           {"spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 "
            "and 65535, inclusive"}},
          {"toleration",
           R"({"spec":{"containers":[{"name":"a","image":"x"}],"tolerations":[
               {"key":"k","operator":"Exists","value":"v","effect":"Never"}]}})",
           {R"(spec.tolerations[0].operator: Invalid value: "v": value must be empty when )"
            "`operator` is 'Exists'",
            R"(spec.tolerations[0].effect: Unsupported value: "Never": supported values: )"
            R"("NoSchedule", "PreferNoSchedule", "NoExecute")"}},
          {"probe without an action",
           R"({"spec":{"containers":[{"name":"a","image":"x","livenessProbe":{}}]}})",
           {"spec.containers[0].livenessProbe: Required value: must specify a handler type"}},
          {"env with two values",
           R"({"spec":{"containers":[{"name":"a","image":"x","env":[{"name":"E","value":"1",
               "valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}]}})",
           {R"(spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when )"
            "`value` is not empty"}},
      },
      pod, defaults::set_pod);
}

TEST_CASE("pod update") {
  constexpr std::string_view kOld =
      R"({"spec":{"nodeName":"n1","containers":[{"name":"a","image":"x"}],"tolerations":[
          {"key":"k","operator":"Exists"}]}})";
  run(
      {
          {"image",
           R"({"spec":{"nodeName":"n1","containers":[{"name":"a","image":"y"}],"tolerations":[
               {"key":"k","operator":"Exists"},{"key":"l","operator":"Exists"}]}})",
           {},
           kOld},
          {"container added",
           R"({"spec":{"nodeName":"n1","containers":[{"name":"a","image":"x"},
               {"name":"b","image":"x"}],"tolerations":[{"key":"k","operator":"Exists"}]}})",
           {"spec.containers: Forbidden: pod updates may not add or remove containers"},
           kOld},
          {"toleration dropped, node changed",
           R"({"spec":{"nodeName":"n2","containers":[{"name":"a","image":"x"}]}})",
           {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
            "tolerationSeconds",
            "spec: Forbidden: pod updates may not change fields other than "
            "`spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
            "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
            "previously negative)\n@@ -42,7 +42,7 @@\n"
            "  \"NodeSelector\": null,\n  \"ServiceAccountName\": \"\",\n"
            "  \"AutomountServiceAccountToken\": null,\n- \"NodeName\": \"n1\",\n"
            "+ \"NodeName\": \"n2\",\n  \"SecurityContext\": {\n   \"HostNetwork\": false,\n"
            "   \"HostPID\": false,\n"},
           kOld},
      },
      pod, defaults::set_pod);
}

}  // namespace
}  // namespace coracle::api::validation
