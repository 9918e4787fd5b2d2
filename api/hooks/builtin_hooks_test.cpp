// The catalog and the hooks together: what a create makes of an object, start to end.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "api/catalog.hpp"
#include "api/hooks.hpp"
#include "api/object.hpp"
#include "api/strategy.hpp"
#include "api/validate.hpp"

namespace coracle::api {
namespace {

const ResourceInfo& info_of(const json::value& object) {
  const ResourceInfo* info = Catalog::builtin().find_for(object);
  REQUIRE(info != nullptr);
  return *info;
}

// Decoded, defaulted and prepared, as a create does it.
json::value created(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  json::value object = *parsed;
  const ResourceInfo& info = info_of(object);
  std::vector<std::string> unknown;
  const Status decoded = decode_in_place(object, *info.schema, &unknown);
  INFO(decoded.to_string());
  REQUIRE(decoded.ok());
  CHECK(unknown == std::vector<std::string>{});
  default_object(info, builtin_hooks(), object);
  prepare_create(info, builtin_hooks(), object);
  return object;
}

std::vector<std::string> create_errors(std::string_view text) {
  const json::value object = created(text);
  std::vector<std::string> out;
  const FieldErrors errors = validate_create(info_of(object), builtin_hooks(), object);
  for (const FieldError& error : errors.list()) {
    out.push_back(error.text());
  }
  return out;
}

std::string pretty(const json::value& value) { return to_pretty_json(sorted_keys(value)); }

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return *value;
}

TEST_CASE("a job's selector is its uid; a daemon set's templates are counted") {
  json::value job = parsed(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"sum"},
    "spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never"}}}})");
  const ResourceInfo& jobs = info_of(job);
  default_object(jobs, builtin_hooks(), job);
  prepare_create(jobs, builtin_hooks(), job, {"u-1", "2026-01-01T00:00:00Z"});
  CHECK(to_json(*find(job, "spec.selector")) ==
        R"({"matchLabels":{"batch.kubernetes.io/controller-uid":"u-1"}})");
  CHECK(to_json(sorted_keys(*find(job, "spec.template.metadata.labels"))) ==
        R"({"a":"b","batch.kubernetes.io/controller-uid":"u-1","batch.kubernetes.io/job-name":)"
        R"("sum","controller-uid":"u-1","job-name":"sum"})");

  constexpr const char* kGeneration = "deprecated.daemonset.template.generation";
  const json::value set = created(R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{
    "name":"log","annotations":{"deprecated.daemonset.template.generation":"7"}},"spec":{
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}}}}})");
  CHECK(annotation_of(set, kGeneration) == "1");
  const auto updated = [&](const char* path, json::value value) {
    json::value next = set;
    set_path(next, path, std::move(value));
    prepare_update(info_of(set), builtin_hooks(), WriteTarget::kObject, next, set);
    return std::string(annotation_of(next, kGeneration));
  };
  CHECK(updated("spec.minReadySeconds", json::value(5)) == "1");
  CHECK(updated("spec.template.metadata.labels.c", json::value("d")) == "2");
  CHECK(updated("metadata.annotations", json::object()) == "1");
}

TEST_CASE("every column hook the catalog names exists") {
  for (const ResourceInfo& info : Catalog::builtin().resources()) {
    for (const Column& column : info.columns) {
      INFO(info.plural << " " << column.name);
      CHECK((column.hook.empty() || builtin_hooks().column(column.hook) != nullptr));
      CHECK(column.hook.empty() != column.json_path.empty());
    }
  }
}

TEST_CASE("every kind of the catalog has its line in docs/api/kinds.md") {
  std::ifstream file(CORACLE_KINDS_PAGE);
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  for (const ResourceInfo& info : Catalog::builtin().resources()) {
    INFO(info.kind << " " << info.api_version);
    const std::string start = "| " + info.kind + " | " + info.plural + " |";
    std::size_t at = text.find(start);
    bool found = false;
    while (at != std::string::npos && !found) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      bool shorts = true;
      for (const std::string& name : info.short_names) {
        shorts = shorts && line.find(name) != std::string::npos;
      }
      found = shorts && line.find(info.api_version) != std::string::npos &&
              line.find(info.namespaced ? "Namespaced" : "Cluster") != std::string::npos;
      at = text.find(start, at + 1);
    }
    CHECK(found);
  }
}

TEST_CASE("a deployment as kubectl create makes it") {
  const json::value object = created(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"web","namespace":"n","labels":{"app":"web"}},
      "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"strategy":{},
      "template":{"metadata":{"creationTimestamp":null,"labels":{"app":"web"}},
      "spec":{"containers":[{"image":"nginx","name":"nginx","resources":{}}]}}},"status":{}})");
  CHECK(pretty(object) == pretty(parsed(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"web","namespace":"n","generation":1,"labels":{"app":"web"}},
      "spec":{"progressDeadlineSeconds":600,"replicas":2,"revisionHistoryLimit":10,
      "selector":{"matchLabels":{"app":"web"}},
      "strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},
      "type":"RollingUpdate"},"template":{"metadata":{"labels":{"app":"web"}},
      "spec":{"containers":[{"image":"nginx","imagePullPolicy":"Always","name":"nginx",
      "resources":{},"terminationMessagePath":"/dev/termination-log",
      "terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always",
      "schedulerName":"default-scheduler","securityContext":{},
      "terminationGracePeriodSeconds":30}}},"status":{}})")));
}

TEST_CASE("a pod as kubectl run makes it") {
  const json::value object = created(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web",
      "namespace":"n"},"spec":{"containers":[{"image":"nginx:1.25","name":"web","resources":{
      "limits":{"cpu":"1"}},"ports":[{"containerPort":80}]}],"volumes":[{"name":"tmp"},
      {"name":"c","configMap":{"name":"c"}}]},"status":{"phase":"Running"}})");
  CHECK(pretty(object) == pretty(parsed(R"({"apiVersion":"v1","kind":"Pod","metadata":{
      "name":"web","namespace":"n","generation":1},"spec":{"containers":[{"image":"nginx:1.25",
      "imagePullPolicy":"IfNotPresent","name":"web","ports":[{"containerPort":80,
      "protocol":"TCP"}],"resources":{"limits":{"cpu":"1"},"requests":{"cpu":"1"}},
      "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],
      "dnsPolicy":"ClusterFirst","enableServiceLinks":true,"restartPolicy":"Always",
      "schedulerName":"default-scheduler","securityContext":{},
      "terminationGracePeriodSeconds":30,"volumes":[{"emptyDir":{},"name":"tmp"},
      {"configMap":{"defaultMode":420,"name":"c"},"name":"c"}]},
      "status":{"phase":"Pending","qosClass":"Burstable"}})")));
}

TEST_CASE("a service") {
  const json::value object = created(R"({"apiVersion":"v1","kind":"Service","metadata":{
      "name":"web"},"spec":{"type":"LoadBalancer","clusterIP":"None","ports":[{"port":80}]}})");
  CHECK(pretty(object) == pretty(parsed(R"({"apiVersion":"v1","kind":"Service","metadata":{
      "name":"web"},"spec":{"allocateLoadBalancerNodePorts":true,"clusterIP":"None",
      "clusterIPs":["None"],"externalTrafficPolicy":"Cluster","internalTrafficPolicy":"Cluster",
      "ports":[{"port":80,"protocol":"TCP","targetPort":80}],"sessionAffinity":"None",
      "type":"LoadBalancer"},"status":{"loadBalancer":{}}})")));
}

TEST_CASE("small kinds") {
  struct Case {
    std::string_view name, in, out;
  };
  const Case cases[] = {
      {"namespace", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}})",
       R"({"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{
           "kubernetes.io/metadata.name":"a"},"name":"a"},"spec":{"finalizers":["kubernetes"]},
           "status":{"phase":"Active"}})"},
      {"secret", R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},
           "stringData":{"k":"value"}})",
       R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"dmFsdWU="},
           "type":"Opaque"})"},
      {"priority class", R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",
           "metadata":{"name":"a"},"value":5})",
       R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"a"},
           "value":5,"preemptionPolicy":"PreemptLowerPriority"})"},
      {"replica set", R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"a"},
           "spec":{"selector":{"matchLabels":{"a":"b"}}}})",
       R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"a","generation":1},
           "spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{},
           "spec":{"dnsPolicy":"ClusterFirst","restartPolicy":"Always",
           "schedulerName":"default-scheduler","securityContext":{},
           "terminationGracePeriodSeconds":30}}},"status":{"replicas":0}})"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(pretty(created(c.in)) == pretty(parsed(c.out)));
  }
}

TEST_CASE("errors of a create, all of them") {
  struct Case {
    std::string_view name, in;
    std::vector<std::string> errors;
  };
  const Case cases[] = {
      {"pod without containers",
       R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"},"spec":{}})",
       {"spec.containers: Required value"}},
      {"container without name and image",
       R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"},
           "spec":{"containers":[{}]}})",
       {"spec.containers[0].name: Required value", "spec.containers[0].image: Required value"}},
      {"service named like a pod",
       R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"1a","namespace":"n"},
           "spec":{"ports":[{"port":80},{"port":443}]}})",
       {R"(metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case )"
        "alphanumeric characters or '-', start with an alphabetic character, and end with an "
        "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        "'[a-z]([-a-z0-9]*[a-z0-9])?')",
        "spec.ports[0].name: Required value", "spec.ports[1].name: Required value"}},
      {"deployment with nothing",
       R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"n"},
           "spec":{}})",
       {"spec.selector: Required value",
        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
        "`labels`",
        "spec.template.spec.containers: Required value"}},
      {"good lease",
       R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a",
           "namespace":"n"},"spec":{"holderIdentity":"x","leaseDurationSeconds":40,
           "renewTime":"2026-11-21T06:00:00.000000Z"}})",
       {}},
      {"good role",
       R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole",
           "metadata":{"name":"system:a"},"rules":[{"verbs":["get"],"apiGroups":[""],
           "resources":["pods"]}]})",
       {}},
      {"good event",
       R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"a","namespace":"n"},
           "involvedObject":{"kind":"Pod","name":"p","namespace":"n"},"reason":"Started"})",
       {}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(create_errors(c.in) == c.errors);
  }
}

TEST_CASE("an address stays when an update leaves it out") {
  json::value old = created(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web",
      "namespace":"n"},"spec":{"type":"NodePort","clusterIP":"10.0.0.5",
      "ports":[{"port":80,"nodePort":30080}]}})");
  json::value object = created(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web",
      "namespace":"n"},"spec":{"type":"NodePort","ports":[{"port":80}]}})");
  const ResourceInfo& info = info_of(object);
  prepare_update(info, builtin_hooks(), WriteTarget::kObject, object, old);
  CHECK(get_string(object, "spec.clusterIP") == "10.0.0.5");
  CHECK(to_json(*find(object, "spec.clusterIPs")) == R"(["10.0.0.5"])");
  CHECK(to_json(*find(object, "spec.ports")) ==
        R"([{"port":80,"protocol":"TCP","targetPort":80,"nodePort":30080}])");
}

}  // namespace
}  // namespace coracle::api
