// What the targets of the API's documents share: a few kinds with many rules, an object of each.
#pragma once

#include <array>
#include <string_view>

#include "api/catalog.hpp"
#include "api/protobuf.hpp"
#include "api/strategy.hpp"
#include "api/validate.hpp"
#include "base/check.hpp"
#include "base/yaml.hpp"

namespace coracle::fuzz {

struct Kind {
  std::string_view group, version, plural, example;
};
inline constexpr std::array<Kind, 10> kKinds{{
    {"", "v1", "pods", R"({"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[
      {"name":"c","image":"nginx","ports":[{"containerPort":80}],"env":[{"name":"A","value":"1"}],
       "resources":{"limits":{"cpu":"100m","memory":"1Gi"}}},{"name":"d","image":"e"}],
      "volumes":[{"name":"v","emptyDir":{}}],"tolerations":[{"key":"k","operator":"Exists"}]}})"},
    {"apps", "v1", "deployments", R"({"metadata":{"name":"d"},"spec":{"replicas":3,"selector":
      {"matchLabels":{"a":"b"}},"strategy":{"rollingUpdate":{"maxSurge":"25%"}},"template":
      {"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})"},
    {"", "v1", "services", R"({"metadata":{"name":"s"},"spec":{"selector":{"a":"b"},"ports":[
      {"name":"h","port":80,"targetPort":"web"},{"name":"t","port":81,"protocol":"UDP"}]}})"},
    {"", "v1", "configmaps", R"({"metadata":{"name":"m","annotations":{"x":"y"},"finalizers":
      ["a.b/c"]},"data":{"a":"1","b":"2"},"binaryData":{"c":"AAEC"}})"},
    {"batch", "v1", "cronjobs", R"({"metadata":{"name":"c"},"spec":{"schedule":"*/5 * * * *",
      "jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[
      {"name":"c","image":"i"}]}}}}}})"},
    {"networking.k8s.io", "v1", "ingresses", R"({"metadata":{"name":"i"},"spec":{"rules":[
      {"host":"a.b","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":
      {"name":"s","port":{"number":80}}}}]}}]}})"},
    {"autoscaling", "v2", "horizontalpodautoscalers", R"({"metadata":{"name":"h"},"spec":
      {"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},
      "metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization",
      "averageUtilization":50}}}]}})"},
    {"rbac.authorization.k8s.io", "v1", "roles", R"({"metadata":{"name":"r"},"rules":[
      {"apiGroups":[""],"resources":["pods"],"verbs":["get"],"resourceNames":["a"]}]})"},
    {"", "v1", "persistentvolumeclaims", R"({"metadata":{"name":"p"},"spec":{"accessModes":
      ["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})"},
    {"admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", R"({"metadata":
      {"name":"v"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":
      ["v1"],"operations":["CREATE"],"resources":["pods"]}]},"validations":[{"expression":
      "object.spec.x == 1","message":"no"}]}})"},
}};

inline const api::ResourceInfo& info_of(const Kind& kind) {
  const auto* info = api::Catalog::builtin().find(kind.group, kind.version, kind.plural);
  CHECK(info != nullptr);
  return *info;
}

// An object as the server would hold it: of this kind, decoded, given defaults.
inline json::value complete(const api::ResourceInfo& info, json::value object) {
  object.as_object()["kind"] = info.kind;
  object.as_object()["apiVersion"] = info.api_version;
  CHECK(api::decode_in_place(object, *info.schema, nullptr).ok());
  api::default_object(info, api::builtin_hooks(), object);
  return object;
}

// What a create does with a body, and what must hold of it.
inline void create(const api::ResourceInfo& info, json::value body) {
  const api::HookTable& hooks = api::builtin_hooks();
  std::vector<std::string> unknown;
  body.as_object()["kind"] = info.kind;
  body.as_object()["apiVersion"] = info.api_version;
  const Status decoded = api::decode_in_place(body, *info.schema, &unknown);
  if (!decoded.ok()) {
    CHECK(!decoded.message().empty());
    return;
  }
  json::value again = body;
  unknown.clear();
  CHECK(api::decode_in_place(again, *info.schema, &unknown).ok());
  CHECK(unknown.empty());
  CHECK_MSG(again == body, to_json(body) << " decodes again as " << to_json(again));
  api::default_object(info, hooks, body);
  again = body;
  api::default_object(info, hooks, again);
  CHECK_MSG(again == body, to_json(body) << " fills again as " << to_json(again));
  api::prepare_create(info, hooks, body);
  const api::FieldErrors errors = api::validate_create(info, hooks, body);
  for (const api::FieldError& error : errors.list()) CHECK(!error.text().empty());
  // What is stored can be read again.
  const auto stored = parse_json(to_json(body));
  CHECK(stored.ok());
  CHECK_MSG(to_json(*stored) == to_json(body), to_json(body));
  if (!errors.empty()) return;
  CHECK(api::validate_update(info, hooks, api::WriteTarget::kObject, body, body).list().size() <
        1000);
}

}  // namespace coracle::fuzz
