#include "api/warnings/warnings.hpp"

#include <catch2/catch.hpp>

#include "api/custom_schema.hpp"

namespace coracle::api::warnings {
namespace {

struct Case {
  std::string_view name, object;
  Texts texts;  // all, in order
  std::string_view old = "";
};

using Tell = void (*)(const json::value&, const json::value*, Texts&);

json::value object_of(std::string_view text) {
  auto parsed = parse_json(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

void run(Tell tell, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.name);
    const json::value object = object_of(c.object);
    const json::value old = c.old.empty() ? json::value() : object_of(c.old);
    Texts out;
    tell(object, c.old.empty() ? nullptr : &old, out);
    CHECK(out == c.texts);
  }
}

TEST_CASE("pods") {
  constexpr std::string_view kPorts =
      R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","ports":[
          {"containerPort":80,"protocol":"TCP","name":"web"},
          {"containerPort":80,"protocol":"TCP","name":"web"},
          {"containerPort":80,"protocol":"TCP","hostPort":8080}]}]}})";
  const std::string first = "spec.containers[0].ports[0]";
  run(pod,
      {
          {"good", R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}})", {}},
          {"name",
           R"({"metadata":{"name":"a.b"}})",
           {"metadata.name: this is used in the Pod's hostname, which can result in surprising "
            "behavior; a DNS label is recommended: [must not contain dots]"}},
          {"updates are quiet", R"({"metadata":{"name":"a.b"}})", {}, "{}"},
          {"ports",
           kPorts,
           {"spec.containers[0].ports[1]: duplicate port definition with " + first,
            "spec.containers[0].ports[2]: overlapping port definition with " + first,
            "spec.containers[0].ports[2]: overlapping port definition with "
            "spec.containers[0].ports[1]",
            "spec.containers[0].ports[1]: duplicate port name \"web\" with " + first +
                ", services and probes that select ports by name will use " + first}},
          {"host address",
           R"({"metadata":{"name":"a"},"spec":{"containers":[{"ports":[
               {"containerPort":80,"protocol":"TCP","hostIP":"10.0.0.1"}]}]}})",
           {"spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 "
            "ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"}},
          {"environment",
           R"x({"metadata":{"name":"a"},"spec":{"initContainers":[{"env":[{"name":"X","value":"1"},
               {"name":"X","value":"$(X)2"},{"name":"X","value":"$(X)"},
               {"name":"X","value":"3"}]}]
}
})x",
           {"spec.initContainers[0].env[2]: hides previous definition of \"X\", which may be "
            "dropped when using apply",
            "spec.initContainers[0].env[3]: hides previous definition of \"X\", which may be "
            "dropped when using apply"}},
          {"amounts",
           R"({"metadata":{"name":"a"},"spec":{"containers":[{"resources":{
               "requests":{"memory":"100m","cpu":"100m"},
               "limits":{"ephemeral-storage":"1500m"}}}]}})",
           {"spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is "
            "invalid, must be an integer",
            "spec.containers[0].resources.limits[ephemeral-storage]: fractional byte value "
            "\"1500m\" is invalid, must be an integer"}},
          {"placement",
           R"({"metadata":{"name":"a"},"spec":{"nodeSelector":{"beta.kubernetes.io/os":"linux"},
               "topologySpreadConstraints":[
                 {"topologyKey":"failure-domain.beta.kubernetes.io/zone"}],
               "affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
                 {"podAffinityTerm":{}}]}}}})",
           {"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
            "\"kubernetes.io/os\" instead",
            "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone "
            "is deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in "
            "matching no pod",
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
            "podAffinityTerm.labelSelector: a null labelSelector results in matching no pod"}},
          {"lists",
           R"({"metadata":{"name":"a"},"spec":{"imagePullSecrets":[{"name":"s"},{"name":"s"},{}],
               "hostAliases":[{"ip":"010.0.0.1"},{"ip":"010.0.0.1"}],
               "terminationGracePeriodSeconds":-1}})",
           {"spec.hostAliases[1].ip: duplicate ip \"010.0.0.1\"",
            "spec.imagePullSecrets[1].name: duplicate name \"s\"",
            "spec.imagePullSecrets[2].name: invalid empty name \"\"",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
            "will be treated as 1",
            "spec.hostAliases[0].ip: non-standard IP address \"010.0.0.1\" will be considered "
            "invalid in a future Kubernetes release: use \"10.0.0.1\"",
            "spec.hostAliases[1].ip: non-standard IP address \"010.0.0.1\" will be considered "
            "invalid in a future Kubernetes release: use \"10.0.0.1\""}},
          {"volumes",
           R"({"metadata":{"name":"a"},"spec":{"volumes":[{"name":"g","gitRepo":{}},
               {"name":"m","configMap":{"name":"cm","items":[{"path":"a"},{"path":"a/b"}]}},
               {"name":"p","projected":{"sources":[{},
                 {"secret":{"name":"s","items":[{"path":"x"}]}},
                 {"serviceAccountToken":{"path":"x"}}]}}]}})",
           {"spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
            "volume \"m\" (ConfigMap \"cm\"): overlapping paths: \"a/b\" with \"a\"",
            "volume \"p\" (Projected) has no sources provided",
            "volume \"p\" (Projected): overlapping paths: \"x\" (ServiceAccountToken) with \"x\" "
            "(Secret \"s\")"}},
      });
}

TEST_CASE("templates") {
  const std::string text =
      "spec.template.spec.containers[0].env[1]: hides previous definition of \"X\", which may be "
      "dropped when using apply";
  constexpr std::string_view kFirst =
      R"({"metadata":{"name":"a","generation":1},"spec":{"template":{"spec":{"containers":[
          {"env":[{"name":"X","value":"1"},{"name":"X","value":"2"}]}]}}}})";
  run(replicated,
      {
          {"created", kFirst, {text}},
          {"only labels changed", kFirst, {}, kFirst},
          {"spec changed", kFirst, {text}, R"({"metadata":{"generation":0}})"},
          {"name",
           R"({"metadata":{"name":"a.b"}})",
           {"metadata.name: this is used in Pod names and hostnames, which can result in "
            "surprising behavior; a DNS label is recommended: [must not contain dots]"}},
      });
  run(daemon_set, {{"created", kFirst, {text}}, {"same template", kFirst, {}, kFirst}});
  run(stateful_set,
      {{"claims",
        R"({"spec":{"revisionHistoryLimit":-1,"volumeClaimTemplates":[{"spec":{"resources":{
            "requests":{"storage":"1m"}}}}]}})",
        {"spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value \"1m\" "
         "is invalid, must be an integer",
         "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value "
         ">= 0 is recommended"}}});
  run(cron_job, {{"place",
                  R"({"metadata":{"name":"c"},"spec":{"jobTemplate":{"spec":{"template":{
                      "spec":{"terminationGracePeriodSeconds":-5}}}}}})",
                  {"spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds: must be >= "
                   "0; negative values are invalid and will be treated as 1"}}});
}

TEST_CASE("services and networks") {
  run(service,
      {
          {"headless",
           R"({"spec":{"type":"ClusterIP","clusterIP":"None","sessionAffinity":"None"}})",
           {}},
          {"headless with what it ignores",
           R"({"spec":{"type":"ClusterIP","clusterIP":"None","sessionAffinity":"ClientIP",
               "externalIPs":["10.0.0.1"],"loadBalancerIP":"10.0.0.2"}})",
           {"spec.loadBalancerIP is ignored for headless services",
            "spec.externalIPs is ignored for headless services",
            "spec.SessionAffinity is ignored for headless services"}},
          {"name that is not used",
           R"({"spec":{"type":"ClusterIP","externalName":"x.example",
               "loadBalancerSourceRanges":["10.0.0.1/8"]}})",
           {"spec.loadBalancerSourceRanges[0]: CIDR value \"10.0.0.1/8\" is ambiguous in this "
            "context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)",
            "spec.externalName is ignored when spec.type is not \"ExternalName\""}},
      });
  run(network_policy,
      {{"block",
        R"({"spec":{"ingress":[{"from":[{"ipBlock":{"cidr":"2001:DB8::/32",
            "except":["010.0.0.0/8"]}}]}]}})",
        {"spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value \"2001:DB8::/32\" should be in "
         "RFC 5952 canonical format (\"2001:db8::/32\")",
         "spec.ingress[0].from[0].ipBlock.except[0]: non-standard CIDR value \"010.0.0.0/8\" "
         "will be considered invalid in a future Kubernetes release: use \"10.0.0.0/8\""}}});
  run(ingress, {{"class",
                 R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"x"}}})",
                 {"annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
                  "'spec.ingressClassName' instead"}},
                {"updated",
                 R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"x"}}})",
                 {},
                 "{}"}});
}

TEST_CASE("keys and certificates") {
  // base64 of a wrapped CERTIFICATE and of a wrapped RSA PRIVATE KEY with nothing inside
  const std::string certificate =
      "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K";
  const std::string key =
      "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQotLS0tLUVORCBSU0EgUFJJVkFURSBLRVktLS0tLQo=";
  const auto pair = [](const std::string& crt, const std::string& private_key) {
    return R"({"type":"kubernetes.io/tls","data":{"tls.crt":")" + crt + R"(","tls.key":")" +
           private_key + "\"}}";
  };
  const std::string none = pair("YQ==", "Yg=="), switched = pair(key, certificate),
                    no_key = pair(certificate, "Yg=="), two = pair(certificate, certificate),
                    good = pair(certificate, key);
  run(secret, {
                  {"good", good, {}},
                  {"other type", R"({"type":"Opaque","data":{"tls.crt":"YQ=="}})", {}},
                  {"none", none, {"tls: failed to find any PEM data in certificate input"}},
                  {"switched",
                   switched,
                   {"tls: failed to find certificate PEM data in certificate input, but did find a "
                    "private key; PEM inputs may have been switched"}},
                  {"no key", no_key, {"tls: failed to find any PEM data in key input"}},
                  {"certificate for key",
                   two,
                   {"tls: found a certificate rather than a key in the PEM for the private key"}},
              });
}

TEST_CASE("definitions and their objects") {
  run(custom_definition, {{"formats",
                           R"({"spec":{"versions":[{"schema":{"openAPIV3Schema":{"properties":{
            "a":{"type":"string","format":"date-time"},"b":{"type":"string","format":"nice"},
            "c":{"type":"integer","format":"int32"}}}}}]}})",
                           {"unrecognized format \"nice\""}}});
  run(custom_warnings,
      {
          {"finalizers",
           R"({"metadata":{"finalizers":["mine","a.example","a.example/x","orphan"]}})",
           {"metadata.finalizers: \"a.example\": prefer a domain-qualified finalizer name "
            "including a path (/) to avoid accidental conflicts with other finalizer writers",
            "metadata.finalizers: \"mine\": prefer a domain-qualified finalizer name to avoid "
            "accidental conflicts with other finalizer writers"}},
          {"old ones",
           R"({"metadata":{"finalizers":["mine"]}})",
           {},
           R"({"metadata":{"finalizers":["mine"]}})"},
      });
  run(persistent_volume,
      {{"recycled",
        R"({"spec":{"persistentVolumeReclaimPolicy":"Recycle"}})",
        {"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
         "the recommended approach is to use dynamic provisioning."}}});
}

}  // namespace
}  // namespace coracle::api::warnings
