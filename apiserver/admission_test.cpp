// The admission plugins, through the whole server.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kNamespaces = "/api/v1/namespaces";

std::string object(const std::string& kind, const std::string& version, const std::string& name,
                   const std::string& rest) {
  return R"({"kind":")" + kind + R"(","apiVersion":")" + version + R"(","metadata":{"name":")" +
         name + "\"}" + (rest.empty() ? "" : "," + rest) + "}";
}
std::string pod_with(const std::string& name, const std::string& spec) {
  return object("Pod", "v1", name, "\"spec\":{" + spec + "}");
}
std::string pod_asking(const std::string& name, const std::string& resources) {
  return pod_with(name, R"("containers":[{"name":"c","image":"i","resources":)" + resources + "}]");
}
void make(ApiWorld& w, const std::string& target, const std::string& body) {
  const auto made = w.call("POST", target, body);
  INFO(made->body);
  REQUIRE(made->status == 201);
}
std::string message(const std::shared_ptr<FakeExchange>& exchange) {
  return std::string(get_string(ApiWorld::tree(exchange), "message"));
}
std::string warning(const std::shared_ptr<FakeExchange>& exchange) {
  return std::string(exchange->headers.get("Warning"));
}
// A namespace with labels and a service account.
void labelled(ApiWorld& w, const std::string& name, const std::string& labels) {
  make(w, kNamespaces, R"({"metadata":{"name":")" + name + R"(","labels":)" + labels + "}}");
  make(w, std::string(kNamespaces) + "/" + name + "/serviceaccounts",
       R"({"metadata":{"name":"default"}})");
}
std::string pods_of(const std::string& ns) { return std::string(kNamespaces) + "/" + ns + "/pods"; }

constexpr const char* kRestricted =
    R"("securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
    "containers":[{"name":"x","image":"i","securityContext":{"allowPrivilegeEscalation":false,
    "capabilities":{"drop":["ALL"]}}}])";

}  // namespace

TEST_CASE("StorageObjectInUseProtection: claims and volumes are held", "[admission]") {
  ApiWorld w;
  make(
      w, "/api/v1/namespaces/a/persistentvolumeclaims",
      object(
          "PersistentVolumeClaim", "v1", "c",
          R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}})"));
  make(w, "/api/v1/persistentvolumes",
       object("PersistentVolume", "v1", "v",
              R"("spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},
         "hostPath":{"path":"/x"}})"));
  CHECK(
      to_json(
          w.get("/api/v1/namespaces/a/persistentvolumeclaims/c").at("metadata").at("finalizers")) ==
      R"(["kubernetes.io/pvc-protection"])");
  CHECK(to_json(w.get("/api/v1/persistentvolumes/v").at("metadata").at("finalizers")) ==
        R"(["kubernetes.io/pv-protection"])");
}

TEST_CASE("admission: fields are checked between what changes and what refuses", "[admission]") {
  ApiWorld w;
  labelled(w, "r", R"({"pod-security.kubernetes.io/enforce":"restricted"})");
  const std::string wrong = R"("containers":[{"name":"x","image":"i"}],"restartPolicy":"Perhaps")";
  const auto created = w.call("POST", pods_of("r"), pod_with("p", wrong));
  CHECK(created->status == 422);
  CHECK(message(created).find("spec.restartPolicy: Unsupported value") != std::string::npos);
  make(w, pods_of("r"), pod_with("p", kRestricted));
  const std::string path = pods_of("r") + "/p";
  const auto patched = w.patch("strategic-merge-patch+json", path,
                               R"({"spec":{"containers":[{"name":"x","image":"",
      "securityContext":{"privileged":true}}]}})");
  CHECK(patched->status == 422);
  // What admission adds is checked: the class's number must not be another.
  const auto priority = w.call("POST", kPods, pod_with("q", R"("containers":[{"name":"x",
      "image":"i"}],"priorityClassName":"no-such-class","restartPolicy":"Perhaps")"));
  CHECK(priority->status == 403);
}

TEST_CASE("PodSecurity: enforce refuses, in upstream's words", "[admission]") {
  ApiWorld w;
  labelled(w, "r", R"({"pod-security.kubernetes.io/enforce":"restricted"})");
  const auto refused =
      w.call("POST", pods_of("r"), pod_with("p", R"("containers":[{"name":"x","image":"i"}])"));
  CHECK(refused->status == 403);
  CHECK(message(refused) ==
        "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": "
        "allowPrivilegeEscalation != false (container \"x\" must set "
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "
        "\"x\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or "
        "container \"x\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or "
        "container \"x\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
        "\"Localhost\")");
  CHECK(w.call("POST", pods_of("r"), pod_with("p", kRestricted))->status == 201);
}

TEST_CASE("PodSecurity: baseline", "[admission]") {
  ApiWorld w;
  labelled(w, "b", R"({"pod-security.kubernetes.io/enforce":"baseline",
    "pod-security.kubernetes.io/enforce-version":"v1.30"})");
  const auto refused = w.call("POST", pods_of("b"), pod_with("p", R"("hostNetwork":true,
    "volumes":[{"name":"v","hostPath":{"path":"/"}}],"containers":[
    {"name":"x","image":"i","securityContext":{"privileged":true}},
    {"name":"y","image":"i","ports":[{"containerPort":80,"hostPort":80}],
     "securityContext":{"capabilities":{"add":["NET_ADMIN","CHOWN"]}}}])"));
  CHECK(message(refused) ==
        "pods \"p\" is forbidden: violates PodSecurity \"baseline:v1.30\": non-default "
        "capabilities (container \"y\" must not include \"NET_ADMIN\" in "
        "securityContext.capabilities.add), host namespaces (hostNetwork=true), hostPath volumes "
        "(volume \"v\"), hostPort (container \"y\" uses hostPort 80), privileged (container "
        "\"x\" must not set securityContext.privileged=true)");
  CHECK(w.call("POST", pods_of("b"), a_pod("plain"))->status == 201);
}

TEST_CASE("PodSecurity: warn tells of pods and of what makes them", "[admission]") {
  ApiWorld w;
  labelled(w, "r", R"({"pod-security.kubernetes.io/warn":"baseline"})");
  const std::string spec = R"("hostPID":true,"containers":[{"name":"x","image":"i"}])";
  const std::string want =
      "299 - \"would violate PodSecurity \\\"baseline:latest\\\": host namespaces (hostPID=true)\"";
  const auto made = w.call("POST", pods_of("r"), pod_with("p", spec));
  CHECK(made->status == 201);
  CHECK(warning(made) == want);
  const auto workload =
      w.call("POST", "/apis/apps/v1/namespaces/r/deployments",
             object("Deployment", "apps/v1", "d",
                    R"("spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":
                    {"labels":{"a":"b"}},"spec":{)" +
                        spec + "}}}"));
  CHECK(workload->status == 201);
  CHECK(warning(workload) == want);
}

TEST_CASE("PodSecurity: labels of namespaces", "[admission]") {
  ApiWorld w;
  const auto bad = w.call("POST", kNamespaces, R"({"metadata":{"name":"n","labels":
    {"pod-security.kubernetes.io/enforce":"strict"}}})");
  CHECK(bad->status == 422);
  CHECK(message(bad) ==
        "Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid "
        "value: \"strict\": must be one of privileged, baseline, restricted");
  make(w, kPods, pod_with("one", R"("hostPID":true,"containers":[{"name":"x","image":"i"}])"));
  make(w, kPods, pod_with("two", R"("hostPID":true,"containers":[{"name":"x","image":"i"}])"));
  const auto raised =
      w.patch("merge-patch+json", "/api/v1/namespaces/a",
              R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}})");
  CHECK(raised->status == 200);
  CHECK(
      raised->headers.values("Warning") ==
      std::vector<std::string_view>{
          "299 - \"existing pods in namespace \\\"a\\\" violate the new PodSecurity enforce level "
          "\\\"baseline:latest\\\"\"",
          "299 - \"one (and 1 other pod): host namespaces\""});
}

TEST_CASE("LimitRanger: defaults and bounds", "[admission]") {
  ApiWorld w;
  make(w, "/api/v1/namespaces/a/limitranges",
       object("LimitRange", "v1", "l", R"("spec":{"limits":[{"type":"Container",
       "default":{"cpu":"500m"},"defaultRequest":{"cpu":"200m"},"min":{"cpu":"100m"},
       "max":{"cpu":"1"},"maxLimitRequestRatio":{"cpu":"4"}}]})"));
  w.settle();
  make(w, kPods, a_pod("d"));
  const json::value pod = w.get(std::string(kPods) + "/d");
  CHECK(to_json(*find(get_array(pod, "spec.containers")[0], "resources")) ==
        R"({"requests":{"cpu":"200m"},"limits":{"cpu":"500m"}})");
  CHECK(pod.at("metadata").at("annotations").at("kubernetes.io/limit-ranger") ==
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c");
  const auto refused =
      w.call("POST", kPods, pod_asking("x", R"({"requests":{"cpu":"50m"},"limits":{"cpu":"2"}})"));
  CHECK(refused->status == 403);
  CHECK(message(refused) ==
        "pods \"x\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, "
        "maximum cpu usage per Container is 1, but limit is 2, cpu max limit to request ratio per "
        "Container is 4, but provided ratio is 40.000000]");
}

TEST_CASE("ResourceQuota: what is used up is refused", "[admission]") {
  ApiWorld w;
  make(w, "/api/v1/namespaces/a/resourcequotas",
       object("ResourceQuota", "v1", "q",
              R"("spec":{"hard":{"pods":"2","requests.cpu":"1","count/configmaps":"1"}})"));
  w.settle();
  const auto silent = w.call("POST", kPods, a_pod("s"));
  CHECK(message(silent) ==
        "pods \"s\" is forbidden: failed quota: q: must specify requests.cpu for: c");
  make(w, kPods, pod_asking("one", R"({"requests":{"cpu":"600m"}})"));
  const auto cpu = w.call("POST", kPods, pod_asking("two", R"({"requests":{"cpu":"500m"}})"));
  CHECK(cpu->status == 403);
  CHECK(message(cpu) ==
        "pods \"two\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: "
        "requests.cpu=600m, limited: requests.cpu=1");
  make(w, kPods, pod_asking("two", R"({"requests":{"cpu":"400m"}})"));
  const auto both = w.call("POST", kPods, pod_asking("three", R"({"requests":{"cpu":"1m"}})"));
  CHECK(message(both) ==
        "pods \"three\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1m, used: "
        "pods=2,requests.cpu=1, limited: pods=2,requests.cpu=1");
  make(w, kMaps, a_config_map("m"));
  CHECK(w.call("POST", kMaps, a_config_map("n"))->status == 403);
  CHECK(w.call("DELETE", std::string(kMaps) + "/m")->status == 200);
  w.executor.advance(std::chrono::seconds(2));
  make(w, kMaps, a_config_map("n"));
}

TEST_CASE("ResourceQuota: creates at the same time do not share what is left", "[admission]") {
  ApiWorld w;
  make(w, "/api/v1/namespaces/a/resourcequotas",
       object("ResourceQuota", "v1", "q", R"("spec":{"hard":{"configmaps":"2"}})"));
  w.settle();
  std::vector<std::shared_ptr<FakeExchange>> all;
  for (const char* name : {"m", "n", "o", "p"}) {
    all.push_back(w.begin(w.request("POST", kMaps, a_config_map(name))));
  }
  int made = 0;
  for (const auto& one : all) {
    REQUIRE(w.executor.run_until([&] { return one->answered(); }));
    made += one->status == 201;
  }
  CHECK(made == 2);
}

TEST_CASE("ResourceQuota: scopes", "[admission]") {
  ApiWorld w;
  make(w, "/api/v1/namespaces/a/resourcequotas",
       object("ResourceQuota", "v1", "q",
              R"("spec":{"hard":{"pods":"0"},"scopes":["BestEffort"]})"));
  w.settle();
  CHECK(w.call("POST", kPods, a_pod("p"))->status == 403);
  CHECK(w.call("POST", kPods, pod_asking("p", R"({"requests":{"cpu":"1"}})"))->status == 201);
}

TEST_CASE("ResourceQuota: what was admitted a moment ago counts where it belongs", "[admission]") {
  ApiWorld w;
  const std::string quotas = "/api/v1/namespaces/a/resourcequotas";
  make(w, quotas, object("ResourceQuota", "v1", "q", R"("spec":{"hard":{"configmaps":"1"}})"));
  make(w, quotas,
       object("ResourceQuota", "v1", "poor",
              R"("spec":{"hard":{"pods":"1"},"scopes":["BestEffort"]})"));
  make(w, quotas,
       object("ResourceQuota", "v1", "rich",
              R"("spec":{"hard":{"pods":"1"},"scopes":["NotBestEffort"]})"));
  w.settle();
  // Made and deleted at once: nothing of it is left, though no quota was asked in between.
  make(w, kMaps, a_config_map("m"));
  CHECK(w.call("DELETE", std::string(kMaps) + "/m")->status == 200);
  make(w, kMaps, a_config_map("n"));
  CHECK(w.call("POST", kMaps, a_config_map("o"))->status == 403);
  // Two pods on their way, each of a quota of its own.
  const auto poor = w.begin(w.request("POST", kPods, a_pod("p")));
  const auto rich =
      w.begin(w.request("POST", kPods, pod_asking("r", R"({"requests":{"cpu":"1"}})")));
  REQUIRE(w.executor.run_until([&] { return poor->answered() && rich->answered(); }));
  CHECK(poor->status == 201);
  CHECK(rich->status == 201);
}

TEST_CASE("Classes: default ones, overhead and growth", "[admission]") {
  ApiWorld w;
  make(w, "/apis/storage.k8s.io/v1/storageclasses",
       R"({"kind":"StorageClass","apiVersion":"storage.k8s.io/v1","metadata":{"name":"std",
       "annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"p"})");
  make(w, "/apis/networking.k8s.io/v1/ingressclasses",
       R"({"kind":"IngressClass","apiVersion":"networking.k8s.io/v1","metadata":{"name":"ing",
       "annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},
       "spec":{"controller":"a.b/c"}})");
  make(w, "/apis/node.k8s.io/v1/runtimeclasses",
       object("RuntimeClass", "node.k8s.io/v1", "vm",
              R"("handler":"vm","overhead":{"podFixed":{"cpu":"100m"}},
              "scheduling":{"nodeSelector":{"vm":"yes"}})"));
  w.settle();
  const std::string claims = "/api/v1/namespaces/a/persistentvolumeclaims";
  make(
      w, claims,
      object(
          "PersistentVolumeClaim", "v1", "c",
          R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}})"));
  CHECK(get_string(w.get(claims + "/c"), "spec.storageClassName") == "std");
  const auto grown = w.patch("merge-patch+json", claims + "/c",
                             R"({"spec":{"resources":{"requests":{"storage":"2Gi"}}}})");
  CHECK(grown->status >= 400);
  make(w, kPods,
       pod_with("p", R"("runtimeClassName":"vm","containers":[{"name":"c","image":"i"}])"));
  const json::value pod = w.get(std::string(kPods) + "/p");
  CHECK(to_json(pod.at("spec").at("overhead")) == R"({"cpu":"100m"})");
  CHECK(to_json(pod.at("spec").at("nodeSelector")) == R"({"vm":"yes"})");
  const auto unknown =
      w.call("POST", kPods,
             pod_with("q", R"("runtimeClassName":"no","containers":[{"name":"c","image":"i"}])"));
  CHECK(message(unknown) == "pods \"q\" is forbidden: pod rejected: RuntimeClass \"no\" not found");
}

TEST_CASE("what admission gave a pod stays when the pod is replaced", "[admission]") {
  ApiWorld w;
  make(w, "/apis/scheduling.k8s.io/v1/priorityclasses",
       R"({"metadata":{"name":"high"},"value":7})");
  const std::string spec =
      R"("terminationGracePeriodSeconds":5,"priorityClassName":"high","containers":[{"name":"c")";
  make(w, kPods, pod_with("p", spec + R"(,"image":"i"}])"));
  const json::value before = w.get(std::string(kPods) + "/p");
  REQUIRE(get_int(before, "spec.priority") == 7);
  REQUIRE(get_array(before, "spec.tolerations").size() == 2);
  const auto put =
      w.call("PUT", std::string(kPods) + "/p",
             pod_with("p", spec + R"(,"image":"j","volumeMounts":)" +
                               to_json(get_array(before, "spec.containers")[0].at("volumeMounts")) +
                               R"(}],"serviceAccountName":"default","volumes":)" +
                               to_json(json::value(get_array(before, "spec.volumes")))));
  INFO(put->body);
  REQUIRE(put->status == 200);
  const json::value after = w.tree(put);
  CHECK(get_int(after, "spec.priority") == 7);
  CHECK(get_string(after, "spec.preemptionPolicy") == "PreemptLowerPriority");
  CHECK(get_array(after, "spec.tolerations") == get_array(before, "spec.tolerations"));
}

TEST_CASE("ServiceAccount: a copy of a pod uses the token volume it came with", "[admission]") {
  ApiWorld w;
  make(w, kPods,
       pod_with("p", R"("containers":[{"name":"a","image":"i"},{"name":"b","image":"i"}],)"
                     R"("volumes":[{"name":"kube-api-access-abcde","emptyDir":{}}])"));
  const json::value pod = w.get(std::string(kPods) + "/p");
  CHECK(get_array(pod, "spec.volumes").size() == 1);
  for (const json::value& container : get_array(pod, "spec.containers")) {
    CHECK(get_string(get_array(container, "volumeMounts").at(0), "name") ==
          "kube-api-access-abcde");
  }
}

TEST_CASE("TaintNodesByCondition: a new node takes no pods yet", "[admission]") {
  ApiWorld w;
  make(w, "/api/v1/nodes", object("Node", "v1", "n", ""));
  CHECK(to_json(w.get("/api/v1/nodes/n").at("spec").at("taints")) ==
        R"([{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}])");
}

}  // namespace coracle::apiserver
