#include "metrics_core/metrics_api.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::metrics;
using namespace std::chrono_literals;

namespace {

WallTime at(Duration t) { return WallTime(Duration(1'700'000'000s) + t); }

struct Known {
  Known() {
    put(&nodes, "{metadata: {name: n1, labels: {zone: a}}}");
    put(&nodes, "{metadata: {name: n2}}");
    for (const char* pod : {"web-1", "web-2", "young"}) {
      put(&pods, std::string("{metadata: {name: ") + pod +
                     ", namespace: ns, labels: {app: web}}, status: {phase: Running}}");
    }
    put(&pods, "{metadata: {name: over, namespace: ns}, status: {phase: Succeeded}}");
    put(&pods, "{metadata: {name: x, namespace: other}, status: {phase: Running}}");
    round(20s, 1);
    round(35s, 2.5);
  }
  static void put(client::ObjectCache* cache, const std::string& yaml) {
    const auto object = std::make_shared<const json::value>(*parse_yaml_one(yaml));
    cache->put(client::object_key(*object), object);
  }
  void round(Duration when, double cpu) {
    const Point point{at(0s), at(when), static_cast<std::int64_t>(cpu * 1e9), 20 << 20};
    NodeScrape scrape;
    scrape.node = point;
    for (const char* pod : {"ns/web-1", "ns/web-2", "ns/over", "other/x"}) {
      scrape.pods[pod] = {{"a", point}, {"b", point}};
    }
    usage.store({{"n1", scrape}});
  }
  ApiAnswer ask(const std::string& rest, ApiAsk more = {}) const {
    more.method = more.method.empty() ? "GET" : more.method;
    more.path = "/apis/metrics.k8s.io/v1beta1" + rest;
    return MetricsApi(nodes, pods, usage).answer(more, at(40s));
  }
  std::vector<std::string> names(const std::string& rest, ApiAsk more = {}) const {
    std::vector<std::string> out;
    const ApiAnswer answer = ask(rest, std::move(more));
    for (const json::value& item : get_array(answer.body, "items")) {
      out.emplace_back(get_string(item, "metadata.name"));
    }
    return out;
  }

  client::ObjectCache nodes, pods;
  UsageStore usage{15s};
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("what a request asks for") {
  const auto target = [](const char* method, const char* rest, bool watch = false) {
    const ApiTarget t =
        target_of(method, std::string("/apis/metrics.k8s.io/v1beta1") + rest, watch);
    return t.verb + " " + t.resource_name + " " + t.ns + " " + t.name;
  };
  CHECK(target("GET", "/nodes") == "list nodes  ");
  CHECK(target("GET", "/nodes/n1") == "get nodes  n1");
  CHECK(target("GET", "/pods", true) == "watch pods  ");
  CHECK(target("GET", "/namespaces/ns/pods/p") == "get pods ns p");
  CHECK(target("DELETE", "/namespaces/ns/pods") == "deletecollection pods ns ");
  CHECK(target("GET", "") == "get   ");
}

TEST_CASE("nodes and pods of which something is known") {
  const Known known;
  CHECK(known.names("/nodes") == Names{"n1"});
  CHECK(known.names("/pods") == Names{"web-1", "web-2", "x"});
  CHECK(known.names("/namespaces/ns/pods") == Names{"web-1", "web-2"});
  CHECK(known.names("/namespaces/ns/pods", {.label_selector = "app!=web"}) == Names{});
  CHECK(known.names("/namespaces/ns/pods", {.field_selector = "metadata.name=web-2"}) ==
        Names{"web-2"});
}

TEST_CASE("the objects") {
  const Known known;
  const json::value node = known.ask("/nodes/n1").body;
  CHECK(
      to_json(node) ==
      R"({"kind":"NodeMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"name":"n1",)"
      R"("creationTimestamp":"2023-11-14T22:14:00Z","labels":{"zone":"a"}},)"
      R"("timestamp":"2023-11-14T22:13:55Z","window":"15s","usage":{"cpu":"100m","memory":"20Mi"}})");
  const json::value pod = known.ask("/namespaces/ns/pods/web-1").body;
  CHECK(get_string(pod, "kind") == "PodMetrics");
  CHECK(to_json(*find(pod, "containers")) ==
        R"([{"name":"a","usage":{"cpu":"100m","memory":"20Mi"}},)"
        R"({"name":"b","usage":{"cpu":"100m","memory":"20Mi"}}])");
}

TEST_CASE("failures in upstream's words") {
  const Known known;
  const auto message = [&](const std::string& rest, ApiAsk more = {}) {
    const ApiAnswer answer = known.ask(rest, std::move(more));
    return std::to_string(answer.status) + " " + std::string(get_string(answer.body, "message"));
  };
  CHECK(message("/nodes/n3") == R"(404 nodes "n3" not found)");
  CHECK(message("/nodes/n2") == R"(404 nodemetrics.metrics.k8s.io "n2" not found)");
  CHECK(message("/namespaces/ns/pods/young") ==
        R"(404 podmetrics.metrics.k8s.io "ns/young" not found)");
  CHECK(message("/namespaces/ns/pods/over") ==
        R"(404 podmetrics.metrics.k8s.io "ns/over" not found)");
  CHECK(message("/namespaces/ns/pods/none") == R"(404 pods "none" not found)");
  CHECK(message("/services") == "404 the server could not find the requested resource");
  CHECK(message("/pods", {.field_selector = "spec.nodeName=n1"}) ==
        R"(400 "spec.nodeName" is not a known field selector: only "metadata.name", )"
        R"("metadata.namespace")");
  CHECK(message("/pods", {.label_selector = "a=="}).starts_with("200"));
  CHECK(message("/pods", {.label_selector = "=b"}).starts_with("400 "));
  CHECK(message("/pods", {.watch = true}).starts_with("405 "));
  CHECK(message("/namespaces/ns/pods/web-1", {.method = "DELETE"}).starts_with("405 "));
}

TEST_CASE("tables have the name, the resources and the window") {
  const Known known;
  const ApiAsk as_table{.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"};
  const json::value table = known.ask("/namespaces/ns/pods", as_table).body;
  std::string titles;
  for (const json::value& c : get_array(table, "columnDefinitions")) {
    titles += std::string(get_string(c, "name")) + " ";
  }
  CHECK(titles == "Name cpu memory Window ");
  REQUIRE(get_array(table, "rows").size() == 2);
  const json::value& row = get_array(table, "rows").at(0);
  CHECK(to_json(*find(row, "cells")) == R"(["web-1","200m","40Mi","15s"])");
  CHECK(get_string(row, "object.kind") == "PartialObjectMetadata");
}

TEST_CASE("discovery") {
  const Known known;
  const json::value list = known.ask("").body;
  CHECK(get_string(list, "kind") == "APIResourceList");
  CHECK(get_string(list, "groupVersion") == "metrics.k8s.io/v1beta1");
  CHECK(get_array(list, "resources").size() == 2);
}

TEST_CASE("durations as Go prints them") {
  CHECK(go_duration(15s) == "15s");
  CHECK(go_duration(15s + 20ms) == "15.02s");
  CHECK(go_duration(60s) == "1m0s");
  CHECK(go_duration(500ms) == "500ms");
  CHECK(go_duration(1500us) == "1.5ms");
  CHECK(go_duration(3661s) == "1h1m1s");
  CHECK(go_duration(0s) == "0s");
}
