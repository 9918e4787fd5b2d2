// Aggregated API servers, through the whole apiserver, on virtual time.
#include <catch2/catch.hpp>

#include "apiserver/aggregation/front_proxy.hpp"
#include "apiserver/testing/api_world.hpp"
#include "apiserver/testing/fake_remote.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kServices = "/apis/apiregistration.k8s.io/v1/apiservices";
constexpr const char* kAddress = "127.0.0.9";

struct World {
  ManualExecutor* clock = nullptr;
  FakeRemote remote{[this] { return clock; }};
  ApiWorld api{nullptr, &remote};
  World() { clock = &api.executor; }

  void make(const std::string& target, const std::string& body) {
    const auto made = api.call("POST", target, body);
    INFO(made->body);
    REQUIRE(made->status == 201);
    api.settle();
  }
  void register_flowers(int priority = 100) {
    make(kServices, R"({"metadata":{"name":"v1.flowers.example.com"},"spec":{
      "group":"flowers.example.com","version":"v1","groupPriorityMinimum":)" +
                        std::to_string(priority) +
                        R"(,"versionPriority":10,"insecureSkipTLSVerify":true,
      "service":{"namespace":"a","name":"garden"}}})");
  }
  void make_service(int port = 443) {
    make("/api/v1/namespaces/a/services", R"({"metadata":{"name":"garden"},"spec":{"ports":[
      {"name":"https","port":)" + std::to_string(port) +
                                              "}]}}");
  }
  void make_slice(const std::string& port_name = "https", const std::string& ready = "true") {
    make("/apis/discovery.k8s.io/v1/namespaces/a/endpointslices",
         R"({"metadata":{"name":"garden-1","labels":{"kubernetes.io/service-name":"garden"}},
      "addressType":"IPv4","ports":[{"name":")" +
             port_name + R"(","port":8443}],"endpoints":[
      {"addresses":["127.0.0.9"],"conditions":{"ready":)" +
             ready + "}}]}");
  }
  void serve() {
    remote.servers[kAddress] =
        [](const net::ClientRequest& request) -> std::optional<Result<net::Response>> {
      if (request.target == "/apis/flowers.example.com/v1") {
        return net::make_response(200, R"({"kind":"APIResourceList","apiVersion":"v1",
          "groupVersion":"flowers.example.com/v1","resources":[
          {"name":"roses","singularName":"rose","namespaced":true,"kind":"Rose",
           "verbs":["get","list"],"shortNames":["ro"]},
          {"name":"roses/status","singularName":"","namespaced":true,"kind":"Rose",
           "verbs":["get"]}]})",
                                  "application/json");
      }
      if (request.target == "/openapi/v3") {
        return net::make_response(200, R"({"paths":{"apis/flowers.example.com/v1":{
          "serverRelativeURL":"/openapi/v3/apis/flowers.example.com/v1?hash=ABC"}}})",
                                  "application/json");
      }
      if (request.target.starts_with("/apis/flowers.example.com/v1/")) {
        return net::make_response(200, R"({"kind":"Rose"})", "application/json");
      }
      return net::make_response(404, "404 page not found\n", "text/plain");
    };
  }
  // "STATUS REASON: MESSAGE" of the condition.
  std::string condition() {
    const json::value object = api.get(std::string(kServices) + "/v1.flowers.example.com");
    for (const json::value& one : get_array(object, "status.conditions")) {
      return std::string(get_string(one, "status")) + " " + std::string(get_string(one, "reason")) +
             ": " + std::string(get_string(one, "message"));
    }
    return "";
  }
  void wait_for(const std::string& reason) {
    INFO(reason);
    const bool seen =
        api.executor.run_until([&] { return condition().find(reason) != std::string::npos; });
    INFO(condition());
    REQUIRE(seen);
    api.executor.advance(std::chrono::seconds(1));
  }
};

}  // namespace

TEST_CASE("aggregation: why a server is not available", "[aggregation]") {
  World w;
  w.register_flowers();
  w.wait_for("ServiceNotFound");
  CHECK(w.condition() == R"(False ServiceNotFound: service/garden in "a" is not present)");
  const auto away = w.api.call("GET", "/apis/flowers.example.com/v1/namespaces/a/roses");
  CHECK(away->status == 503);
  CHECK(away->body == "service unavailable\n");
  w.make_service(444);
  w.wait_for("ServicePortError");
  CHECK(w.condition() ==
        R"(False ServicePortError: service/garden in "a" is not listening on port 443)");
  REQUIRE(w.api.call("DELETE", "/api/v1/namespaces/a/services/garden")->status == 200);
  w.make_service();
  w.wait_for("EndpointsNotFound");
  CHECK(w.condition() ==
        R"(False EndpointsNotFound: cannot find endpointslices for service/garden in "a")");
  w.make_slice("https", "false");
  w.wait_for("MissingEndpoints");
  CHECK(w.condition() == R"(False MissingEndpoints: endpointslices for service/garden in "a" )"
                         R"(have no addresses with port name "https")");
  REQUIRE(w.api
              .patch("merge-patch+json",
                     "/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/garden-1",
                     R"({"endpoints":[{"addresses":["127.0.0.9"],"conditions":{"ready":true}}]})")
              ->status == 200);
  w.wait_for("FailedDiscoveryCheck");
  const std::string url = "https://127.0.0.9:8443/apis/flowers.example.com/v1";
  CHECK(w.condition() == "False FailedDiscoveryCheck: failing or missing response from " + url +
                             ": Get \"" + url +
                             "\": dial tcp 127.0.0.9:8443: connect: connection refused");
  w.serve();
  w.api.executor.advance(std::chrono::seconds(31));
  w.wait_for("Passed");
  CHECK(w.condition() == "True Passed: all checks passed");
}

TEST_CASE("aggregation: a request goes on with who asks", "[aggregation]") {
  World w;
  w.serve();
  w.make_service();
  w.make_slice();
  w.register_flowers();
  w.wait_for("Passed");
  const auto answer =
      w.api.call("POST", "/apis/flowers.example.com/v1/namespaces/a/roses?x=y", "{}",
                 {{"Authorization", "Bearer secret"},
                  {"X-Remote-User", "somebody else"},
                  {"Impersonate-User", "kit"},
                  {"Impersonate-Group", "system:masters"},
                  {"Impersonate-Extra-Scopes%2Fx", "read"},
                  {"Content-Type", "application/json"}});
  CHECK(answer->status == 200);
  const FakeRemote::Call& call = w.remote.calls.back();
  CHECK(call.request.method == "POST");
  CHECK(call.request.target == "/apis/flowers.example.com/v1/namespaces/a/roses?x=y");
  CHECK(call.request.body == "{}");
  CHECK(call.server.front_proxy);
  CHECK(call.server.insecure);
  CHECK(call.server.server_name == "garden.a.svc");
  const net::Headers& headers = call.request.headers;
  CHECK(headers.values("X-Remote-User") == std::vector<std::string_view>{"kit"});
  CHECK(headers.values("X-Remote-Group") ==
        std::vector<std::string_view>{"system:masters", "system:authenticated"});
  CHECK(headers.get("X-Remote-Extra-scopes%2Fx") == "read");
  CHECK(headers.get("Content-Type") == "application/json");
  CHECK_FALSE(headers.has("Authorization"));
  CHECK_FALSE(headers.has("Impersonate-User"));
}

TEST_CASE("aggregation: what other servers serve is in discovery", "[aggregation]") {
  World w;
  w.serve();
  w.make_service();
  w.make_slice();
  CHECK(w.api.call("GET", "/apis/flowers.example.com")->status == 404);
  w.register_flowers();
  w.wait_for("Passed");
  const auto aggregated = [&] {
    return ApiWorld::tree(w.api.call(
        "GET", "/apis", "",
        {{"Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}}));
  };
  const json::value last = get_array(aggregated(), "items").back();
  CHECK(to_json(last) ==
        R"({"metadata":{"name":"flowers.example.com"},"versions":[{"version":"v1","resources":[)"
        R"({"resource":"roses","responseKind":{"group":"flowers.example.com","version":"v1",)"
        R"("kind":"Rose"},"scope":"Namespaced","singularResource":"rose","verbs":["get","list"],)"
        R"("shortNames":["ro"],"subresources":[{"subresource":"status","responseKind":)"
        R"({"group":"flowers.example.com","version":"v1","kind":"Rose"},"verbs":["get"]}]}],)"
        R"("freshness":"Current"}]})");
  const json::value list = w.api.get("/apis");
  CHECK(get_string(get_array(list, "groups").back(), "name") == "flowers.example.com");
  CHECK(get_string(w.api.get("/apis/flowers.example.com"), "preferredVersion.groupVersion") ==
        "flowers.example.com/v1");
  CHECK(get_string(w.api.get("/apis/flowers.example.com/v1"), "kind") == "APIResourceList");
  const json::value index = w.api.get("/openapi/v3");
  CHECK(index.at("paths").as_object().contains("apis/flowers.example.com/v1"));
  // Away: stale in the aggregated document, gone from the legacy one.
  w.remote.servers.clear();
  w.api.executor.advance(std::chrono::seconds(31));
  w.wait_for("FailedDiscoveryCheck");
  const json::value gone = get_array(aggregated(), "items").back();
  CHECK(get_string(gone, "metadata.name") == "flowers.example.com");
  CHECK(get_string(get_array(gone, "versions")[0], "freshness") == "Stale");
  CHECK(w.api.call("GET", "/apis/flowers.example.com")->status == 404);
  // And forgotten with its registration.
  REQUIRE(w.api.call("DELETE", std::string(kServices) + "/v1.flowers.example.com")->status == 200);
  w.api.executor.advance(std::chrono::seconds(1));
  CHECK(get_string(get_array(aggregated(), "items").back(), "metadata.name") !=
        "flowers.example.com");
  CHECK(w.api.call("GET", "/apis/flowers.example.com/v1/namespaces/a/roses")->status == 404);
}

TEST_CASE("aggregation: our own groups are available, custom ones registered", "[aggregation]") {
  World w;
  w.api.executor.advance(std::chrono::seconds(2));
  const json::value apps = w.api.get(std::string(kServices) + "/v1.apps");
  CHECK(get_string(get_array(apps, "status.conditions").at(0), "reason") == "Local");
  w.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
         R"({"metadata":{"name":"trees.example.com"},"spec":{"group":"example.com",
    "scope":"Cluster","names":{"plural":"trees","kind":"Tree"},"versions":[{"name":"v1",
    "served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}},{"name":"v2",
    "served":false,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
  const std::string mine = std::string(kServices) + "/v1.example.com";
  REQUIRE(w.api.executor.run_until([&] { return w.api.call("GET", mine)->status == 200; }));
  w.api.executor.advance(std::chrono::seconds(1));
  json::value made = w.api.get(mine);
  CHECK(to_json(made.at("metadata").at("labels")) ==
        R"({"kube-aggregator.kubernetes.io/automanaged":"true"})");
  CHECK(get_int(made, "spec.groupPriorityMinimum") == 1000);
  CHECK(get_int(made, "spec.versionPriority") == 100);
  CHECK(w.api.call("GET", std::string(kServices) + "/v2.example.com")->status == 404);
  // Kept as it must be.
  REQUIRE(w.api.patch("merge-patch+json", mine, R"({"spec":{"versionPriority":5}})")->status ==
          200);
  w.api.executor.advance(std::chrono::seconds(1));
  CHECK(get_int(w.api.get(mine), "spec.versionPriority") == 100);
  REQUIRE(w.api
              .call("DELETE",
                    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trees.example.com")
              ->status == 200);
  REQUIRE(w.api.executor.run_until([&] { return w.api.call("GET", mine)->status == 404; }));
}

TEST_CASE("aggregation: an upgrade goes on", "[aggregation]") {
  net::Request request;
  request.method = "GET";
  request.target = "/x";
  request.headers = {{"Connection", "keep-alive, Upgrade"},
                     {"Upgrade", "websocket"},
                     {"Sec-WebSocket-Key", "k"},
                     {"Keep-Alive", "1"}};
  request.peer.address = "127.0.0.1";
  const net::ClientRequest out = proxied_request(request, {});
  CHECK(out.headers.get("Connection") == "Upgrade");
  CHECK(out.headers.get("Upgrade") == "websocket");
  CHECK(out.headers.get("Sec-WebSocket-Key") == "k");
  CHECK_FALSE(out.headers.has("Keep-Alive"));
  CHECK(out.headers.get("X-Forwarded-For") == "127.0.0.1");
}

}  // namespace coracle::apiserver
