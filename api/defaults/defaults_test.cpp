#include <catch2/catch.hpp>

#include "api/defaults/defaults.hpp"

namespace coracle::api::defaults {
namespace {

json::value object_of(std::string_view text) {
  auto parsed = parse_json(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

struct Case {
  std::string_view name;
  void (*set)(json::object&);
  std::string_view in, out;
};

TEST_CASE("defaults") {
  const Case cases[] = {
      {"service for clients that stick", set_service,
       R"({"spec":{"sessionAffinity":"ClientIP","ports":[{"port":80,"targetPort":"http"}]}})",
       R"({"spec":{"sessionAffinity":"ClientIP","ports":[{"port":80,"targetPort":"http",
           "protocol":"TCP"}],"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}},
           "type":"ClusterIP","internalTrafficPolicy":"Cluster"}})"},
      {"external name gets no policies", set_service,
       R"({"spec":{"type":"ExternalName","externalName":"a.example"}})",
       R"({"spec":{"type":"ExternalName","externalName":"a.example","sessionAffinity":"None"}})"},
      {"recreate has no numbers", set_deployment, R"({"spec":{"strategy":{"type":"Recreate"}}})",
       R"({"spec":{"strategy":{"type":"Recreate"},"replicas":1,"revisionHistoryLimit":10,
           "progressDeadlineSeconds":600}})"},
      {"daemon set", set_daemon_set, R"({"spec":{}})",
       R"({"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":1,
           "maxSurge":0}},"revisionHistoryLimit":10}})"},
      {"work queue job", set_job, R"({"spec":{"parallelism":3}})",
       R"({"spec":{"parallelism":3,"backoffLimit":6,"completionMode":"NonIndexed","suspend":false,
           "manualSelector":false,"podReplacementPolicy":"TerminatingOrFailed"},"metadata":{}})"},
      {"cron job", set_cron_job, R"({"spec":{"schedule":"* * * * *"}})",
       R"({"spec":{"schedule":"* * * * *","concurrencyPolicy":"Allow","suspend":false,
           "successfulJobsHistoryLimit":3,"failedJobsHistoryLimit":1}})"},
      {"endpoint slice port", set_endpoint_slice, R"({"ports":[{"port":80}]})",
       R"({"ports":[{"port":80,"name":"","protocol":"TCP"}]})"},
      {"policy for egress", set_network_policy, R"({"spec":{"egress":[{"ports":[{"port":53}]}]}})",
       R"({"spec":{"egress":[{"ports":[{"port":53,"protocol":"TCP"}]}],
           "policyTypes":["Ingress","Egress"]}})"},
      {"allocatable is the capacity", set_node, R"({"status":{"capacity":{"cpu":"4"}}})",
       R"({"status":{"capacity":{"cpu":"4"},"allocatable":{"cpu":"4"}}})"},
      {"role binding", set_role_binding,
       R"({"roleRef":{"kind":"Role","name":"a"},"subjects":[{"kind":"User","name":"u"},
           {"kind":"ServiceAccount","name":"s"}]})",
       R"({"roleRef":{"kind":"Role","name":"a","apiGroup":"rbac.authorization.k8s.io"},
           "subjects":[{"kind":"User","name":"u","apiGroup":"rbac.authorization.k8s.io"},
           {"kind":"ServiceAccount","name":"s"}]})"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    json::value object = object_of(c.in);
    c.set(object.get_object());
    CHECK(to_json(sorted_keys(object)) == to_json(sorted_keys(object_of(c.out))));
    const json::value once = object;
    c.set(object.get_object());
    CHECK(object == once);
  }
}

TEST_CASE("pull policy follows the tag") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"nginx", "Always"},
      {"nginx:latest", "Always"},
      {"nginx:1.25", "IfNotPresent"},
      {"reg.example:5000/nginx", "Always"},
      {"reg.example:5000/nginx:2", "IfNotPresent"},
      {"nginx@sha256:0123", "IfNotPresent"},
      {"nginx:latest@sha256:0123", "Always"},
  };
  for (const auto& [image, policy] : cases) {
    INFO(image);
    json::value pod =
        object_of(R"({"spec":{"containers":[{"image":")" + std::string(image) + R"("}]}})");
    set_pod(pod.get_object());
    CHECK(get_string(get_array(pod, "spec.containers")[0], "imagePullPolicy") == policy);
  }
}

TEST_CASE("quality of service") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"([{}])", "BestEffort"},
      {R"([{"resources":{"requests":{"cpu":"1"}}}])", "Burstable"},
      {R"([{"resources":{"requests":{"cpu":"1","memory":"1Gi"},
            "limits":{"cpu":"1","memory":"1Gi"}}}])",
       "Guaranteed"},
      {R"([{"resources":{"requests":{"cpu":"1","memory":"1Gi"},
            "limits":{"cpu":"1","memory":"1Gi"}}},{}])",
       "Burstable"},
      {R"([{"resources":{"requests":{"cpu":"500m","memory":"1Gi"},
            "limits":{"cpu":"1","memory":"1Gi"}}}])",
       "Burstable"},
      {R"([{"resources":{"requests":{"example.com/gpu":"1"}}}])", "BestEffort"},
  };
  for (const auto& [containers, qos] : cases) {
    INFO(containers);
    const json::value pod = object_of(R"({"spec":{"containers":)" + std::string(containers) + "}}");
    CHECK(qos_class(pod) == qos);
  }
}

TEST_CASE("a type that needs no address drops it") {
  const json::value old = object_of(
      R"({"spec":{"type":"NodePort","clusterIP":"10.0.0.5","clusterIPs":["10.0.0.5"],
          "ipFamilies":["IPv4"],"externalTrafficPolicy":"Cluster",
          "internalTrafficPolicy":"Cluster","ports":[{"port":80,"nodePort":30080}]}})");
  json::value object = old;
  set_path(object, "spec.type", "ExternalName");
  prepare_service_update(object.get_object(), old);
  CHECK(to_json(object) == R"({"spec":{"type":"ExternalName","ports":[{"port":80}]}})");
}

}  // namespace
}  // namespace coracle::api::defaults
