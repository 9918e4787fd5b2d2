// log, exec, attach, portforward and proxy: who is asked what, and what is refused before.
#include <catch2/catch.hpp>

#include "apiserver/registry/connection_request.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

// Writes down what a backend would be asked.
struct FakeBackends : BackendPort {
  std::string asked;
  BackendCall last;
  void connect(BackendCall call) override {
    const char* kinds[] = {"kubelet", "http", "https"};
    asked = kinds[static_cast<int>(call.backend.kind)] + std::string(" ") + call.request.method +
            " " + call.backend.host + ":" + std::to_string(call.backend.port) + call.request.target;
    last = std::move(call);
    last.exchange->respond(net::make_response(200, "line\n", "text/plain"));
  }
};

const net::Headers kWebSocket{
    {"Connection", "Upgrade"},
    {"Upgrade", "websocket"},
    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
    {"Sec-WebSocket-Version", "13"},
    {"Sec-WebSocket-Extensions", "permessage-deflate"},
    {"Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.Z29vZA, v5.channel.k8s.io"},
    {"Authorization", "Bearer good"},
    {"Impersonate-User", "admin"},
    {"Impersonate-Group", "system:masters"}};

// Pod "p" runs on n1; pod "w" has two containers and waits.
struct World {
  FakeBackends backends;
  ApiWorld w{&backends};

  World() {
    REQUIRE(w.call("POST", "/api/v1/nodes", R"({"metadata":{"name":"n1"}})")->status == 201);
    REQUIRE(w.patch("merge-patch+json", "/api/v1/nodes/n1/status",
                    R"({"status":{"addresses":[{"type":"InternalIP","address":"127.32.0.1"}],)"
                    R"("daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}})")
                ->status == 200);
    REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
    w.call("POST", std::string(kPods) + "/p/binding", R"({"target":{"name":"n1"}})");
    w.patch("merge-patch+json", std::string(kPods) + "/p/status",
            R"({"status":{"podIP":"127.128.0.1"}})");
    const char* two = R"({"metadata":{"name":"w"},"spec":{"initContainers":)"
                      R"([{"name":"i","image":"x"}],"containers":)"
                      R"([{"name":"c","image":"x"},{"name":"d","image":"x"}]}})";
    REQUIRE(w.call("POST", kPods, two)->status == 201);
  }
  // Code and message of a refusal; else what was asked.
  std::string outcome(const std::string& method, const std::string& target,
                      net::Headers headers = {}) {
    backends.asked.clear();
    const auto got = w.call(method, target, "", std::move(headers));
    if (!backends.asked.empty()) return backends.asked;
    const auto tree = parse_json(got->body);
    return std::to_string(got->status) + " " +
           (tree.ok() ? std::string(get_string(*tree, "message"))
                      : std::string(got->headers.get("Location")));
  }
};

TEST_CASE("logs come from the kubelet of the pod's node") {
  World t;
  const std::string pods = kPods;
  CHECK(t.w.call("GET", pods + "/w/log?container=c")->body.empty());  // it runs nowhere yet
  CHECK(t.outcome("GET", pods + "/p/log?follow=true&tailLines=5", {{"Accept", "text/html"}}) ==
        "kubelet GET 127.32.0.1:10250/containerLogs/a/p/c?follow=true&tailLines=5");
  CHECK(t.outcome("GET", pods + "/p/log?container=x") == "400 container x is not valid for pod p");
  CHECK(t.outcome("POST", pods + "/p/log") ==
        "405 the server does not allow this method on the requested resource");
}

TEST_CASE("exec, attach and portforward go to the kubelet in its terms") {
  struct Row {
    const char *method, *path, *asked;
  };
  World t;
  for (const Row& row :
       {Row{"GET", "/p/exec?command=a&command=b%20c&stdin=true&stdout=true&stderr=false&tty=true",
            "kubelet GET "
            "127.32.0.1:10250/exec/a/p/c?command=a&command=b%20c&input=1&output=1&tty=1"},
        Row{"POST", "/p/exec?command=a&container=c",
            "kubelet GET 127.32.0.1:10250/exec/a/p/c?command=a&output=1&error=1"},
        Row{"GET", "/p/attach?stdin=1&stdout=0",
            "kubelet GET 127.32.0.1:10250/attach/a/p/c?input=1&error=1"},
        Row{"GET", "/p/portforward?ports=80&ports=81",
            "kubelet GET 127.32.0.1:10250/portForward/a/p?port=80%2C81"},
        Row{"GET", "/p/portforward", "kubelet GET 127.32.0.1:10250/portForward/a/p"},
        Row{"GET", "/none/exec?command=a", "404 pods \"none\" not found"},
        Row{"GET", "/p/exec?command=a&container=x", "400 container x is not valid for pod p"},
        Row{"GET", "/w/exec?command=a",
            "400 a container name must be specified for pod w, choose one of: [c d] or one of the "
            "init containers: [i]"},
        Row{"GET", "/w/exec?command=a&container=i", "400 pod w does not have a host assigned"},
        Row{"GET", "/w/portforward", "400 pod w does not have a host assigned"},
        Row{"PUT", "/p/exec?command=a",
            "405 the server does not allow this method on the requested resource"}}) {
    CAPTURE(row.path);
    CHECK(t.outcome(row.method, std::string(kPods) + row.path, kWebSocket) == row.asked);
  }
  CHECK(t.outcome("GET", std::string(kPods) + "/p/exec?command=a") ==
        "400 Upgrade request required");
  CHECK(t.outcome("POST", std::string(kPods) + "/p/exec?command=a",
                  {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}}) ==
        "kubelet POST 127.32.0.1:10250/exec/a/p/c?command=a&output=1&error=1");
}

TEST_CASE("a backend sees the upgrade, not the client's credentials") {
  World t;
  t.outcome("GET", std::string(kPods) + "/p/exec?command=a", kWebSocket);
  const net::Headers& seen = t.backends.last.request.headers;
  CHECK(t.backends.last.upgrade);
  CHECK(seen.get("Connection") == "Upgrade");
  CHECK(seen.get("Upgrade") == "websocket");
  CHECK(seen.get("Sec-WebSocket-Key") == "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(seen.get("Sec-WebSocket-Protocol") == "v5.channel.k8s.io");
  for (const char* name :
       {"Authorization", "Impersonate-User", "Impersonate-Group", "Sec-WebSocket-Extensions"}) {
    CAPTURE(name);
    CHECK_FALSE(seen.has(name));
  }
}

TEST_CASE("exec by GET needs the verb create too") {
  World t;
  const auto role = [&](const char* verbs) {
    t.w.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/r");
    return t.w
        .call("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles",
              std::string(R"({"metadata":{"name":"r"},"rules":[{"apiGroups":[""],)"
                          R"("resources":["pods/exec"],"verbs":)") +
                  verbs + "}]}")
        ->status;
  };
  REQUIRE(role(R"(["get"])") == 201);
  REQUIRE(t.w.call("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings",
                   R"({"metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",)"
                   R"("kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"eve",)"
                   R"("apiGroup":"rbac.authorization.k8s.io"}]})")
              ->status == 201);
  t.w.settle();
  const auto ask = [&] {
    auto request = t.w.request("GET", std::string(kPods) + "/p/exec?command=a", "", kWebSocket);
    request.headers.remove("Impersonate-User");
    request.headers.remove("Impersonate-Group");
    request.peer.cert_cn = "eve";
    request.peer.cert_orgs = {};
    const auto exchange = t.w.begin(std::move(request));
    REQUIRE(t.w.executor.run_until([&] { return exchange->answered(); }));
    return exchange;
  };
  const auto refused = ask();
  CHECK(refused->status == 403);
  CHECK(get_string(t.w.tree(refused), "message") ==
        "pods \"p\" is forbidden: User \"eve\" cannot create resource \"pods/exec\" in API group "
        "\"\" in the namespace \"a\"");
  REQUIRE(role(R"(["get","create"])") == 201);
  t.w.settle();
  CHECK(ask()->status == 200);
}

TEST_CASE("proxies find pods, services and nodes") {
  World t;
  const std::string a = "/api/v1/namespaces/a";
  REQUIRE(t.w.call("POST", a + "/services",
                   R"({"metadata":{"name":"s"},"spec":{"ports":[{"name":"web","port":80},)"
                   R"({"name":"tls","port":443}]}})")
              ->status == 201);
  REQUIRE(t.w.call("POST", a + "/services",
                   R"({"metadata":{"name":"empty"},"spec":{"ports":[{"port":80}]}})")
              ->status == 201);
  for (const char* body :
       {R"({"metadata":{"name":"s"},"subsets":[{"addresses":[{"ip":"127.128.0.9"}],"ports":)"
        R"([{"name":"web","port":8080},{"name":"tls","port":8443}]},{"notReadyAddresses":)"
        R"([{"ip":"127.128.0.8"}],"ports":[{"name":"web","port":8080}]}]})",
        R"({"metadata":{"name":"empty"}})"}) {
    REQUIRE(t.w.call("POST", a + "/endpoints", body)->status == 201);
  }
  struct Row {
    std::string method, target, asked;
  };
  for (const Row& row :
       {Row{"GET", a + "/pods/p/proxy/x%20y//z/?q=1", "http GET 127.128.0.1:80/x%20y//z/?q=1"},
        Row{"DELETE", a + "/pods/p:8080/proxy/", "http DELETE 127.128.0.1:8080/"},
        Row{"HEAD", a + "/pods/https:p:/proxy/a", "https HEAD 127.128.0.1:443/a"},
        Row{"OPTIONS", a + "/pods/p/proxy/", "http OPTIONS 127.128.0.1:80/"},
        Row{"GET", a + "/pods/p/proxy?q=1", "301 " + a + "/pods/p/proxy/?q=1"},
        Row{"POST", a + "/pods/p/proxy", "http POST 127.128.0.1:80/"},
        Row{"GET", a + "/pods/w/proxy/", "400 address not allowed"},
        Row{"GET", a + "/pods/none/proxy/", "404 pods \"none\" not found"},
        Row{"GET", a + "/pods/ftp:p:1/proxy/", "400 invalid pod request \"ftp:p:1\""},
        Row{"GET", a + "/services/s:80/proxy/", "http GET 127.128.0.9:8080/"},
        Row{"GET", a + "/services/https:s:tls/proxy/", "https GET 127.128.0.9:8443/"},
        Row{"GET", a + "/services/s:81/proxy/", "503 no service port 81 found for service \"s\""},
        Row{"GET", a + "/services/empty/proxy/",
            "503 no endpoints available for service \"empty\""},
        Row{"GET", a + "/services/none:80/proxy/", "404 services \"none\" not found"},
        Row{"GET", a + "/services/none/proxy/", "404 endpoints \"none\" not found"},
        Row{"GET", "/api/v1/nodes/n1/proxy/healthz", "kubelet GET 127.32.0.1:10250/healthz"},
        Row{"GET", "/api/v1/nodes/n1:9100/proxy/metrics", "http GET 127.32.0.1:9100/metrics"},
        Row{"GET", "/api/v1/nodes/n2/proxy/", "404 nodes \"n2\" not found"}}) {
    CAPTURE(row.target);
    CHECK(t.outcome(row.method, row.target) == row.asked);
  }
  t.outcome("GET", a + "/services/s:80/proxy/x", {{"Host", "lab:6443"}});
  const net::Headers& seen = t.backends.last.request.headers;
  CHECK(seen.get("X-Forwarded-Uri") == a + "/services/s:80/proxy/x");
  CHECK(seen.get("X-Forwarded-Host") == "lab:6443");
  CHECK_FALSE(seen.has("Host"));
  CHECK(t.backends.last.prefix == a + "/services/s:80/proxy");
}

}  // namespace
}  // namespace coracle::apiserver
