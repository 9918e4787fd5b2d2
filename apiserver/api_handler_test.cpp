// The verbs, from the request to the bytes of the answer, over a store in memory.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::seconds;

std::string text(const json::value& tree, std::string_view path) {
  return std::string(get_string(tree, path));
}

TEST_CASE("a pod is created with defaults and stamps, and read back") {
  ApiWorld w;
  const auto made = w.call("POST", kPods, a_pod("web"));
  REQUIRE(made->status == 201);
  const json::value pod = w.tree(made);
  CHECK(text(pod, "metadata.namespace") == "a");
  CHECK(text(pod, "metadata.creationTimestamp") == format_time(w.executor.wall_now()));
  CHECK(text(pod, "metadata.uid").size() == 36);
  CHECK(text(pod, "spec.serviceAccountName") == "default");
  CHECK(text(pod, "spec.restartPolicy") == "Always");
  CHECK(get_int(pod, "spec.priority", -1) == 0);
  CHECK(get_array(pod, "spec.tolerations").size() == 2);
  CHECK(get_array(pod, "spec.volumes").size() == 1);
  CHECK(text(pod, "status.phase") == "Pending");
  CHECK(w.get(std::string(kPods) + "/web") == pod);
}

TEST_CASE("generateName makes a name that is free") {
  ApiWorld w;
  const auto one = w.tree(w.call("POST", kMaps, R"({"metadata":{"generateName":"cm-"}})"));
  const auto two = w.tree(w.call("POST", kMaps, R"({"metadata":{"generateName":"cm-"}})"));
  CHECK(text(one, "metadata.name").size() == 8);
  CHECK(text(one, "metadata.name") != text(two, "metadata.name"));
}

TEST_CASE("a write that changes nothing keeps the version and makes no event") {
  ApiWorld w;
  const auto made = w.tree(w.call("POST", kMaps, a_config_map("m", R"({"k":"v"})")));
  const auto before = w.store.revision();
  const std::string path = std::string(kMaps) + "/m";
  const auto put = w.tree(w.call("PUT", path, a_config_map("m", R"({"k":"v"})")));
  const auto patched = w.tree(w.patch("merge-patch+json", path, R"({"data":{"k":"v"}})"));
  CHECK(put == made);
  CHECK(patched == made);
  CHECK(w.store.revision() == before);
}

TEST_CASE("patches of each kind") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  const std::string path = std::string(kPods) + "/p";
  struct Case {
    std::string name, type, patch;
    int code;
    std::string label;
  };
  const auto c = GENERATE(values<Case>({
      {"json", "json-patch+json", R"([{"op":"add","path":"/metadata/labels","value":{"x":"1"}}])",
       200, "1"},
      {"merge", "merge-patch+json", R"({"metadata":{"labels":{"x":"2"}}})", 200, "2"},
      {"strategic", "strategic-merge-patch+json", R"({"metadata":{"labels":{"x":"3"}}})", 200, "3"},
      {"apply", "apply-patch+yaml; charset=utf-8", "metadata: {labels: {x: '4'}}", 422, ""},
      {"failed test", "json-patch+json", R"([{"op":"test","path":"/kind","value":"X"}])", 422, ""},
      {"no patch", "json-patch+json", R"({"a":1})", 400, ""},
      {"unknown type", "xml", "<a/>", 415, ""},
      {"stale version", "merge-patch+json", R"({"metadata":{"resourceVersion":"1"}})", 409, ""},
  }));
  CAPTURE(c.name);
  CHECK(w.patch(c.type, path, c.patch)->status == c.code);
  CHECK(text(w.get(path), "metadata.labels.x") == c.label);
}

TEST_CASE("a bound pod goes by grace: marked, then removed by its kubelet") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  const std::string path = std::string(kPods) + "/p";
  const auto bound = w.call("POST", path + "/binding", R"({"target":{"kind":"Node","name":"n1"}})");
  CHECK(bound->body ==
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
        "\"code\":201}\n");
  const json::value there = w.get(path);
  CHECK(text(there, "spec.nodeName") == "n1");
  CHECK(get_array(there, "status.conditions").size() == 1);
  CHECK(w.call("POST", path + "/binding", R"({"target":{"name":"n2"}})")->status == 409);

  const json::value marked = w.tree(w.call("DELETE", path, R"({"gracePeriodSeconds":5})"));
  CHECK(text(marked, "metadata.deletionTimestamp") ==
        format_time(w.executor.wall_now() + seconds(5)));
  CHECK(get_int(marked, "metadata.deletionGracePeriodSeconds") == 5);
  CHECK(get_int(marked, "metadata.generation") == 2);
  const auto gone = w.call("DELETE", path + "?gracePeriodSeconds=0");
  CHECK(gone->status == 200);
  CHECK(w.call("GET", path)->status == 404);
}

TEST_CASE("finalizers hold an object until the last is taken away") {
  ApiWorld w;
  const std::string path = std::string(kMaps) + "/m";
  REQUIRE(w.call("POST", kMaps, R"({"metadata":{"name":"m","finalizers":["x.io/f"]}})")->status ==
          201);
  const json::value held = w.tree(w.call("DELETE", path));
  CHECK_FALSE(text(held, "metadata.deletionTimestamp").empty());
  CHECK(w.call("GET", path)->status == 200);
  const auto last = w.patch("merge-patch+json", path, R"({"metadata":{"finalizers":null}})");
  CHECK(last->status == 200);
  CHECK(w.call("GET", path)->status == 404);
}

TEST_CASE("propagation policies become finalizers") {
  struct Case {
    std::string policy, finalizer;
  };
  const auto c =
      GENERATE(values<Case>({{"Foreground", "foregroundDeletion"}, {"Orphan", "orphan"}}));
  CAPTURE(c.policy);
  ApiWorld w;
  REQUIRE(w.call("POST", kMaps, a_config_map("m"))->status == 201);
  const auto marked = w.tree(
      w.call("DELETE", std::string(kMaps) + "/m", R"({"propagationPolicy":")" + c.policy + "\"}"));
  CHECK(get_array(marked, "metadata.finalizers") == json::array{json::value(c.finalizer)});
}

TEST_CASE("deletion answers a Status with the uid, or the object, by kind") {
  ApiWorld w;
  const json::value map = w.tree(w.call("POST", kMaps, a_config_map("m")));
  const json::value status = w.tree(w.call("DELETE", std::string(kMaps) + "/m"));
  CHECK(status == *parse_json(R"({"kind":"Status","apiVersion":"v1","metadata":{},)"
                              R"("status":"Success","details":{"name":"m","kind":"configmaps",)"
                              R"("uid":")" +
                              text(map, "metadata.uid") + "\"}}"));
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  CHECK(text(w.tree(w.call("DELETE", std::string(kPods) + "/p")), "kind") == "Pod");
}

TEST_CASE("a dry run does everything but write") {
  ApiWorld w;
  const auto before = w.store.revision();
  const auto dry = w.call("POST", std::string(kMaps) + "?dryRun=All", a_config_map("m"));
  CHECK(dry->status == 201);
  CHECK(find(w.tree(dry), "metadata.resourceVersion") == nullptr);
  CHECK(w.store.revision() == before);
  CHECK(w.call("GET", std::string(kMaps) + "/m")->status == 404);
}

TEST_CASE("PUT makes what is missing only where upstream does") {
  ApiWorld w;
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/a/leases/l";
  CHECK(w.call("PUT", leases, R"({"metadata":{"name":"l"},"spec":{}})")->status == 201);
  CHECK(w.call("PUT", std::string(kMaps) + "/m", a_config_map("m"))->status == 404);
}

TEST_CASE("lists are paged at one version, whatever is written meanwhile") {
  ApiWorld w;
  for (const char* name : {"m1", "m2", "m3"}) {
    REQUIRE(w.call("POST", kMaps, a_config_map(name))->status == 201);
  }
  const json::value first = w.get(std::string(kMaps) + "?limit=2");
  CHECK(get_array(first, "items").size() == 2);
  CHECK(get_int(first, "metadata.remainingItemCount") == 1);
  REQUIRE(w.call("POST", kMaps, a_config_map("m4"))->status == 201);
  w.settle();
  const json::value rest =
      w.get(std::string(kMaps) + "?limit=2&continue=" + text(first, "metadata.continue"));
  REQUIRE(get_array(rest, "items").size() == 1);
  CHECK(text(get_array(rest, "items")[0], "metadata.name") == "m3");
  CHECK(text(rest, "metadata.resourceVersion") == text(first, "metadata.resourceVersion"));
  CHECK(find(rest, "metadata.continue") == nullptr);
}

TEST_CASE("a page of a compacted version is 410") {
  ApiWorld w;
  for (const char* name : {"m1", "m2"}) w.call("POST", kMaps, a_config_map(name));
  const json::value first = w.get(std::string(kMaps) + "?limit=1");
  w.call("POST", kMaps, a_config_map("m3"));
  bool compacted = false;
  spawn(w.store.compact(w.store.revision()),
        std::function<void(Result<bool>)>([&](Result<bool> r) { compacted = r.ok(); }));
  REQUIRE(w.executor.run_until([&] { return compacted; }));
  const auto late =
      w.call("GET", std::string(kMaps) + "?limit=1&continue=" + text(first, "metadata.continue"));
  CHECK(late->status == 410);
  CHECK(text(w.tree(late), "reason") == "Expired");
}

TEST_CASE("selectors choose, tables and metadata are other shapes of the same list") {
  ApiWorld w;
  w.call("POST", kPods, a_pod("x", R"(,"labels":{"app":"x"})"));
  w.call("POST", kPods, a_pod("y", R"(,"labels":{"app":"y"})"));
  const auto names = [](const json::value& list) {
    std::string out;
    for (const json::value& item : get_array(list, "items")) {
      out += std::string(get_string(item, "metadata.name")) + " ";
    }
    return out;
  };
  CHECK(names(w.get(std::string(kPods) + "?labelSelector=app%21%3Dx")) == "y ");
  CHECK(names(w.get(std::string(kPods) + "?fieldSelector=metadata.name%3Dx")) == "x ");
  CHECK(names(w.get("/api/v1/pods?fieldSelector=spec.nodeName%3D")) == "x y ");
  const auto table = w.tree(
      w.call("GET", kPods, "", {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}}));
  CHECK(text(table, "kind") == "Table");
  CHECK(get_array(table, "rows").size() == 2);
  const auto partial = w.tree(w.call("GET", kPods, "",
                                     {{"Accept",
                                       "application/json;as=PartialObjectMetadataList;v=v1;"
                                       "g=meta.k8s.io"}}));
  CHECK(text(partial, "kind") == "PartialObjectMetadataList");
  CHECK(find(get_array(partial, "items")[0], "spec") == nullptr);
}

TEST_CASE("scale is read and written beside the object") {
  ApiWorld w;
  const std::string deployments = "/apis/apps/v1/namespaces/a/deployments";
  REQUIRE(w.call("POST", deployments,
                 R"({"metadata":{"name":"d"},"spec":{"replicas":2,"selector":{"matchLabels":)"
                 R"({"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":)"
                 R"([{"name":"c","image":"i"}]}}}})")
              ->status == 201);
  const json::value scale = w.get(deployments + "/d/scale");
  CHECK(text(scale, "kind") == "Scale");
  CHECK(get_int(scale, "spec.replicas") == 2);
  CHECK(text(scale, "status.selector") == "a=b");
  const auto patched =
      w.patch("merge-patch+json", deployments + "/d/scale", R"({"spec":{"replicas":7}})");
  CHECK(get_int(w.tree(patched), "spec.replicas") == 7);
  const json::value now = w.get(deployments + "/d");
  CHECK(get_int(now, "spec.replicas") == 7);
  CHECK(get_int(now, "metadata.generation") == 2);
}

TEST_CASE("an eviction spends the budget, then is refused") {
  ApiWorld w;
  const std::string budgets = "/apis/policy/v1/namespaces/a/poddisruptionbudgets";
  REQUIRE(w.call("POST", budgets,
                 R"({"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":)"
                 R"({"app":"x"}}}})")
              ->status == 201);
  w.patch("merge-patch+json", budgets + "/b/status",
          R"({"status":{"disruptionsAllowed":1,"observedGeneration":1,"desiredHealthy":1,)"
          R"("currentHealthy":2,"expectedPods":2}})");
  for (const char* name : {"p1", "p2"}) {
    w.call("POST", kPods, a_pod(name, R"(,"labels":{"app":"x"})"));
    w.patch("merge-patch+json", std::string(kPods) + "/" + name + "/status",
            R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})");
  }
  const auto evict = [&w](const std::string& name, const std::string& options = "{}") {
    return w.call("POST", std::string(kPods) + "/" + name + "/eviction",
                  R"({"metadata":{"name":")" + name + R"("},"deleteOptions":)" + options + "}");
  };
  const auto disruptions = [&] {
    return get_int(w.get(budgets + "/b"), "status.disruptionsAllowed");
  };
  const auto misnamed = w.call("POST", std::string(kPods) + "/p1/eviction", "{}");
  CHECK(misnamed->status == 400);
  CHECK(get_string(w.tree(misnamed), "message") ==
        "name in URL does not match name in Eviction object");
  CHECK(evict("p1", R"({"dryRun":["All"]})")->status == 201);
  CHECK(w.call("GET", std::string(kPods) + "/p1")->status == 200);
  CHECK(disruptions() == 1);
  REQUIRE(w.patch("merge-patch+json", std::string(kPods) + "/p1",
                  R"({"metadata":{"finalizers":["example.com/hold"]}})")
              ->status == 200);
  CHECK(evict("p1")->status == 201);
  const json::value going = w.get(std::string(kPods) + "/p1");
  CHECK(find(going, "metadata.deletionTimestamp") != nullptr);
  const json::array& conditions = get_array(going, "status.conditions");
  CHECK(get_string(conditions.back(), "type") == "DisruptionTarget");
  CHECK(get_string(conditions.back(), "reason") == "EvictionByEvictionAPI");
  CHECK(get_string(conditions.back(), "message") == "Eviction API: evicting");
  CHECK(disruptions() == 0);
  const auto refused = evict("p2");
  CHECK(refused->status == 429);
  CHECK_FALSE(refused->headers.has("Retry-After"));
  CHECK(w.tree(refused) ==
        *parse_json(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                    R"("message":"Cannot evict pod as it would violate the pod's disruption )"
                    R"(budget.","reason":"TooManyRequests","details":{"causes":[{"reason":)"
                    R"("DisruptionBudget","message":"The disruption budget b needs 1 healthy )"
                    R"(pods and has 2 currently"}]},"code":429})"));
}

TEST_CASE("a pod that is not ready may go when enough others are") {
  ApiWorld w;
  const std::string budget = "/apis/policy/v1/namespaces/a/poddisruptionbudgets";
  const auto settled = [&](const std::string& healthy) {
    w.patch("merge-patch+json", budget + "/b/status",
            R"({"status":{"disruptionsAllowed":0,"observedGeneration":9,"desiredHealthy":1,)"
            R"("currentHealthy":)" +
                healthy + "}}");
  };
  const auto evict = [&w](const std::string& name) {
    return w.call("POST", std::string(kPods) + "/" + name + "/eviction",
                  R"({"metadata":{"name":")" + name + R"("}})");
  };
  for (const auto& [name, ready] :
       {std::pair("well", "True"), {"ill", "False"}, {"bad", "False"}}) {
    w.call("POST", kPods, a_pod(name, R"(,"labels":{"app":"x"})"));
    w.patch("merge-patch+json", std::string(kPods) + "/" + name + "/status",
            R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":")" +
                std::string(ready) + "\"}]}}");
  }
  REQUIRE(w.call("POST", budget,
                 R"({"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":)"
                 R"({"app":"x"}}}})")
              ->status == 201);
  const auto unsettled = evict("well");
  CHECK(unsettled->status == 429);
  CHECK(unsettled->headers.get("Retry-After") == "10");
  settled("0");
  CHECK(evict("ill")->status == 429);
  settled("1");
  CHECK(evict("well")->status == 429);
  CHECK(evict("ill")->status == 201);
  settled("0");
  w.patch("merge-patch+json", budget + "/b",
          R"({"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}})");
  CHECK(evict("well")->status == 429);
  CHECK(evict("bad")->status == 201);
}

TEST_CASE("a namespace ends when its finalizer is taken; nothing new enters meanwhile") {
  ApiWorld w;
  CHECK(text(w.tree(w.call("DELETE", "/api/v1/namespaces/a")), "status.phase") == "Terminating");
  w.settle();
  CHECK(w.call("POST", kMaps, a_config_map("m"))->status == 403);
  const auto done = w.call("PUT", "/api/v1/namespaces/a/finalize",
                           R"({"metadata":{"name":"a"},"spec":{"finalizers":[]}})");
  CHECK(done->status == 200);
  CHECK(w.call("GET", "/api/v1/namespaces/a")->status == 404);
}

TEST_CASE("events are one storage with two faces") {
  ApiWorld w;
  REQUIRE(w.call("POST", "/api/v1/namespaces/a/events",
                 R"({"metadata":{"name":"e","namespace":"a"},"involvedObject":{"kind":"Pod",)"
                 R"("name":"p","namespace":"a"},"reason":"R","message":"hello","type":"Normal"})")
              ->status == 201);
  const json::value other = w.get("/apis/events.k8s.io/v1/namespaces/a/events/e");
  CHECK(text(other, "apiVersion") == "events.k8s.io/v1");
  CHECK(text(other, "regarding.name") == "p");
  CHECK(text(other, "note") == "hello");
  const json::value list =
      w.get("/api/v1/namespaces/a/events?fieldSelector=involvedObject.name%3Dp");
  CHECK(get_array(list, "items").size() == 1);
}

TEST_CASE("services get an address and ports of their own, and give them back") {
  ApiWorld w;
  const std::string services = "/api/v1/namespaces/a/services";
  const auto make = [&](const std::string& name, const std::string& spec) {
    return w.call("POST", services,
                  R"({"metadata":{"name":")" + name + "\"},\"spec\":" + spec + "}");
  };
  const json::value one = w.tree(make("one", R"({"type":"NodePort","ports":[{"port":80}]})"));
  const std::string ip = text(one, "spec.clusterIP");
  CHECK(ip.starts_with("127."));
  CHECK(get_array(one, "spec.clusterIPs") == json::array{json::value(ip)});
  const std::int64_t port = get_int(get_array(one, "spec.ports")[0], "nodePort");
  CHECK(port >= 30000);
  CHECK(port <= 32767);
  const auto same_port = make("two", R"({"type":"NodePort","ports":[{"port":80,"nodePort":)" +
                                         std::to_string(port) + "}]}");
  CHECK(same_port->status == 422);
  const auto same_ip = make("two", R"({"clusterIP":")" + ip + R"(","ports":[{"port":80}]})");
  CHECK(text(w.tree(same_ip), "message") ==
        "Service \"two\" is invalid: spec.clusterIPs[0]: Invalid value: \"" + ip +
            "\": failed to allocate IP " + ip + ": provided IP is already allocated");
  REQUIRE(w.call("DELETE", services + "/one")->status == 200);
  CHECK(make("two", R"({"clusterIP":")" + ip + R"(","ports":[{"port":80}]})")->status == 201);
  CHECK(text(w.tree(make("none", R"({"clusterIP":"None","ports":[{"port":80}]})")),
             "spec.clusterIP") == "None");
}

TEST_CASE("readers hear of a store that is away, and are served when it is back") {
  ApiWorld w;
  w.store.set_reachable(false);
  const auto read = w.call("GET", kPods);
  CHECK(read->status == 503);
  CHECK(read->headers.get("Retry-After") == "1");
  const auto write = w.call("POST", kMaps, a_config_map("m"));
  CHECK(write->status == 503);
  CHECK_FALSE(write->headers.has("Retry-After"));
  w.store.set_reachable(true);
  CHECK(w.call("GET", kPods)->status == 200);
  CHECK(w.call("POST", kMaps, a_config_map("m"))->status == 201);
}

}  // namespace
}  // namespace coracle::apiserver
