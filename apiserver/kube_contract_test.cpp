// What the stock scheduler and controller-manager ask for at their start, and the objects a new
// cluster must have: each statement of the contract in docs/api/compatibility.md by its name. JSON,
// HTTP/1.1, as these daemons send it with their JSON switches.
#include <catch2/catch.hpp>
#include <set>

#include "api/object.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

const net::Headers kJson = {{"Accept", "application/json"}};

// A reflector of client-go 1.36: no list, a watch that begins with all there is. Whether it synced.
bool watch_list_syncs(ApiWorld& w, const std::string& path, const std::string& more = "",
                      const std::string& accept = "application/json") {
  const auto watch = w.call("GET",
                            path +
                                "?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&"
                                "sendInitialEvents=true&timeoutSeconds=400&watch=true" +
                                more,
                            "", {{"Accept", accept}});
  if (watch->status != 200) return false;
  for (const json::value& event : watch->events()) {
    if (get_string(event, "type") != "BOOKMARK") continue;
    const json::value* mark =
        find_keys(event, {"object", "metadata", "annotations", "k8s.io/initial-events-end"});
    const bool good = mark != nullptr && *mark == json::value("true");
    watch->leave();
    return good;
  }
  return false;
}

// One that falls back: a first page as the cache has it, then a watch from there.
bool list_and_watch(ApiWorld& w, const std::string& path) {
  const auto list = w.call("GET", path + "?limit=500&resourceVersion=0", "", kJson);
  if (list->status != 200) return false;
  const json::value tree = ApiWorld::tree(list);
  const std::string version(get_string(tree, "metadata.resourceVersion"));
  const auto watch = w.call(
      "GET", path + "?allowWatchBookmarks=true&watch=true&resourceVersion=" + version, "", kJson);
  const bool good = tree.at("items").is_array() && watch->status == 200;
  watch->leave();
  return good;
}

struct Informer {
  const char *path, *more;
};

TEST_CASE("4.1 scheduler: all 18 informers get their answer") {
  ApiWorld w;
  const Informer informers[] = {
      {"/api/v1/pods", "&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"},
      {"/api/v1/nodes", ""},
      {"/api/v1/namespaces", ""},
      {"/api/v1/services", ""},
      {"/api/v1/replicationcontrollers", ""},
      {"/api/v1/persistentvolumes", ""},
      {"/api/v1/persistentvolumeclaims", ""},
      {"/apis/apps/v1/replicasets", ""},
      {"/apis/apps/v1/statefulsets", ""},
      {"/apis/policy/v1/poddisruptionbudgets", ""},
      {"/apis/storage.k8s.io/v1/storageclasses", ""},
      {"/apis/storage.k8s.io/v1/csinodes", ""},
      {"/apis/storage.k8s.io/v1/csidrivers", ""},
      {"/apis/storage.k8s.io/v1/csistoragecapacities", ""},
      {"/apis/storage.k8s.io/v1/volumeattachments", ""},
      {"/apis/resource.k8s.io/v1/resourceclaims", ""},
      {"/apis/resource.k8s.io/v1/resourceslices", ""},
      {"/apis/resource.k8s.io/v1/deviceclasses", ""}};
  CHECK(std::size(informers) == 18);
  for (const Informer& one : informers) {
    INFO(one.path);
    CHECK(watch_list_syncs(w, one.path, one.more));
    CHECK(list_and_watch(w, one.path));
  }
}

TEST_CASE("4.1 scheduler: its start, its lease, its events, its delegated authentication") {
  ApiWorld w;
  const json::value events = w.get("/apis/events.k8s.io/v1");
  CHECK(events.at("resources").at(0).at("name") == "events");
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  CHECK(w.call("GET", leases + "/kube-scheduler?timeout=5s", "", kJson)->status == 404);
  const std::string lease =
      R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":)"
      R"("kube-scheduler","namespace":"kube-system"},"spec":{"holderIdentity":"a","leaseDurationSeconds")"
      R"(:15,"acquireTime":"2026-01-01T00:00:00.000000Z","renewTime":"2026-01-01T00:00:00.000000Z",)"
      R"("leaseTransitions":0}})";
  const auto made = w.call("POST", leases + "?timeout=5s", lease, kJson);
  REQUIRE(made->status == 201);
  CHECK(w.call("PUT", leases + "/kube-scheduler?timeout=5s", made->body, kJson)->status == 200);
  CHECK(w.call("POST", "/api/v1/namespaces/kube-system/events",
               R"({"metadata":{"name":"kube-scheduler.1"},"involvedObject":{"kind":"Lease",)"
               R"("namespace":"kube-system","name":"kube-scheduler"},"reason":"LeaderElection",)"
               R"("message":"a became leader","type":"Normal"})",
               kJson)
            ->status == 201);
  const std::string authentication =
      "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
  CHECK(w.call("GET", authentication, "", kJson)->status == 200);
}

TEST_CASE("4.1 scheduler: binding, events of a pod, its status, preemption") {
  ApiWorld w;
  const auto made = w.call("POST", kPods, a_pod("p"));
  REQUIRE(made->status == 201);
  const std::string pod = std::string(kPods) + "/p";
  CHECK(
      w.patch("strategic-merge-patch+json", pod + "/status",
              R"({"status":{"$setElementOrder/conditions":[{"type":"PodScheduled"}],"conditions":)"
              R"([{"type":"PodScheduled","status":"False","reason":"Unschedulable"}],)"
              R"("nominatedNodeName":"n"}})")
          ->status == 200);
  CHECK(w.get(pod).at("status").at("nominatedNodeName") == "n");
  const std::string uid(api::uid_of(ApiWorld::tree(made)));
  const auto bound = w.call("POST", pod + "/binding",
                            R"({"kind":"Binding","apiVersion":"v1","metadata":{"name":"p",)"
                            R"("namespace":"a","uid":")" +
                                uid + R"("},"target":{"kind":"Node","name":"n"}})",
                            kJson);
  CHECK(bound->status == 201);
  CHECK(find(w.get(pod), "status.nominatedNodeName") == nullptr);
  CHECK(w.get(pod).at("spec").at("nodeName") == "n");
  const auto event = w.call(
      "POST", "/apis/events.k8s.io/v1/namespaces/a/events",
      R"({"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"name":"p.1","namespace":"a"},)"
      R"("eventTime":"2026-01-01T00:00:00.000000Z","reportingController":"default-scheduler",)"
      R"("reportingInstance":"default-scheduler-a","action":"Binding","reason":"Scheduled",)"
      R"("regarding":{"kind":"Pod","namespace":"a","name":"p"},"note":"Successfully assigned",)"
      R"("type":"Normal"})",
      kJson);
  INFO(event->body);
  CHECK(event->status == 201);
  CHECK(w.patch("strategic-merge-patch+json", "/apis/events.k8s.io/v1/namespaces/a/events/p.1",
                R"({"series":{"count":2,"lastObservedTime":"2026-01-01T00:00:01.000000Z"}})")
            ->status == 200);
  CHECK(w.call("DELETE", pod, R"({"kind":"DeleteOptions","apiVersion":"v1"})", kJson)->status ==
        200);
}

TEST_CASE("4.2 controller-manager: every kind it watches at its start answers") {
  ApiWorld w;
  CHECK(w.call("GET", "/healthz", "", kJson)->status == 200);
  const char* const kinds[] = {
      "/api/v1/pods",
      "/api/v1/nodes",
      "/api/v1/namespaces",
      "/api/v1/services",
      "/api/v1/endpoints",
      "/api/v1/secrets",
      "/api/v1/configmaps",
      "/api/v1/serviceaccounts",
      "/api/v1/limitranges",
      "/api/v1/podtemplates",
      "/api/v1/replicationcontrollers",
      "/api/v1/resourcequotas",
      "/api/v1/persistentvolumes",
      "/api/v1/persistentvolumeclaims",
      "/apis/apps/v1/deployments",
      "/apis/apps/v1/replicasets",
      "/apis/apps/v1/statefulsets",
      "/apis/apps/v1/daemonsets",
      "/apis/apps/v1/controllerrevisions",
      "/apis/batch/v1/jobs",
      "/apis/batch/v1/cronjobs",
      "/apis/policy/v1/poddisruptionbudgets",
      "/apis/discovery.k8s.io/v1/endpointslices",
      "/apis/coordination.k8s.io/v1/leases",
      "/apis/autoscaling/v2/horizontalpodautoscalers",
      "/apis/networking.k8s.io/v1/ingresses",
      "/apis/networking.k8s.io/v1/ingressclasses",
      "/apis/networking.k8s.io/v1/networkpolicies",
      "/apis/networking.k8s.io/v1/servicecidrs",
      "/apis/networking.k8s.io/v1/ipaddresses",
      "/apis/rbac.authorization.k8s.io/v1/roles",
      "/apis/rbac.authorization.k8s.io/v1/rolebindings",
      "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      "/apis/storage.k8s.io/v1/storageclasses",
      "/apis/storage.k8s.io/v1/csinodes",
      "/apis/storage.k8s.io/v1/csidrivers",
      "/apis/storage.k8s.io/v1/csistoragecapacities",
      "/apis/storage.k8s.io/v1/volumeattachments",
      "/apis/storage.k8s.io/v1/volumeattributesclasses",
      "/apis/resource.k8s.io/v1/resourceclaims",
      "/apis/resource.k8s.io/v1/resourceclaimtemplates",
      "/apis/resource.k8s.io/v1/resourceslices",
      "/apis/resource.k8s.io/v1/deviceclasses",
      "/apis/certificates.k8s.io/v1/certificatesigningrequests",
      "/apis/scheduling.k8s.io/v1/priorityclasses",
      "/apis/node.k8s.io/v1/runtimeclasses",
      "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
      "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"};
  for (const char* path : kinds) {
    INFO(path);
    CHECK(watch_list_syncs(w, path));
  }
  // As metadata only.
  const std::string metadata =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
  for (const char* path : {"/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                           "/apis/apiregistration.k8s.io/v1/apiservices"}) {
    INFO(path);
    CHECK(watch_list_syncs(w, path, "", metadata));
  }
}

TEST_CASE("4.2 controller-manager: what discovery lists can be listed") {
  ApiWorld w;
  for (const char* root : {"/api", "/apis"}) {
    const auto answer =
        w.call("GET", root, "",
               {{"Accept",
                 "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                 "application/json"}});
    REQUIRE(answer->status == 200);
    const json::value document = ApiWorld::tree(answer);
    for (const json::value& group : document.at("items").as_array()) {
      const std::string name(get_string(group, "metadata.name"));
      for (const json::value& version : get_array(group, "versions")) {
        const std::string base = (name.empty() ? "/api/" : "/apis/" + name + "/") +
                                 std::string(get_string(version, "version")) + "/";
        for (const json::value& resource : get_array(version, "resources")) {
          bool listed = false;
          for (const json::value& verb : get_array(resource, "verbs")) {
            listed = listed || verb == json::value("list");
          }
          const std::string path = base + std::string(get_string(resource, "resource"));
          INFO(path);
          if (listed) CHECK(w.call("GET", path, "", kJson)->status == 200);
        }
      }
    }
  }
}

TEST_CASE("5 objects after bootstrap") {
  ApiWorld w;
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    INFO(name);
    const json::value ns = w.get(std::string("/api/v1/namespaces/") + name);
    CHECK(api::label_of(ns, "kubernetes.io/metadata.name") == name);
    CHECK(to_json(ns.at("spec").at("finalizers")) == R"(["kubernetes"])");
    CHECK(ns.at("status").at("phase") == "Active");
  }
  const json::value service = w.get("/api/v1/namespaces/default/services/kubernetes");
  CHECK(service.at("spec").at("clusterIP") == "127.96.0.1");
  CHECK(service.at("spec").at("ports").at(0).at("port") == 443);
  CHECK(api::label_of(service, "component") == "apiserver");
  CHECK(api::label_of(service, "provider") == "kubernetes");
  const char* const paths[] = {
      "/api/v1/namespaces/default/endpoints/kubernetes",
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes",
      "/apis/networking.k8s.io/v1/servicecidrs/kubernetes",
      "/apis/networking.k8s.io/v1/ipaddresses/127.96.0.1",
      "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
      "/api/v1/namespaces/kube-system/configmaps/"
      "kube-apiserver-legacy-service-account-token-tracking",
      "/apis/apiregistration.k8s.io/v1/apiservices/v1.",
      "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps",
      "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt",
      "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/catch-all"};
  for (const char* path : paths) {
    INFO(path);
    CHECK(w.call("GET", path)->status == 200);
  }
  CHECK(w.get("/apis/scheduling.k8s.io/v1/priorityclasses/system-cluster-critical").at("value") ==
        2000000000);
  CHECK(w.get("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical").at("value") ==
        2000001000);
  const std::string flow = "/apis/flowcontrol.apiserver.k8s.io/v1/";
  CHECK(w.get(flow + "prioritylevelconfigurations").at("items").as_array().size() == 8);
  CHECK(w.get(flow + "flowschemas").at("items").as_array().size() == 11);
  CHECK(w.get("/apis/apiregistration.k8s.io/v1/apiservices").at("items").as_array().size() >= 20);
}

}  // namespace
}  // namespace coracle::apiserver
