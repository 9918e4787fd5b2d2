// Admission webhooks, through the whole server, on virtual time.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"
#include "apiserver/testing/fake_remote.hpp"
#include "base/encoding.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kGroup = "/apis/admissionregistration.k8s.io/v1/";
constexpr const char* kHost = "hook.example.com";

// A server whose webhooks live at URLs of `remote`.
struct World {
  ManualExecutor* clock = nullptr;
  FakeRemote remote{[this] { return clock; }};
  ApiWorld api{nullptr, &remote};
  World() { clock = &api.executor; }

  void configure(bool mutating, const std::string& name, const std::string& hooks) {
    const std::string kind =
        std::string(mutating ? "Mutating" : "Validating") + "WebhookConfiguration";
    const std::string plural = mutating ? "mutating" : "validating";
    const auto made =
        api.call("POST", kGroup + plural + "webhookconfigurations",
                 R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":")" + kind +
                     R"(","metadata":{"name":")" + name + R"("},"webhooks":[)" + hooks + "]}");
    INFO(made->body);
    REQUIRE(made->status == 201);
    api.settle();
  }
  // Answers with these members of the response, and its uid.
  void answer(const std::string& members, const std::string& host = kHost) {
    remote.servers[host] = [members](const net::ClientRequest& request) {
      return review(request, members);
    };
  }
  static Result<net::Response> review(const net::ClientRequest& request,
                                      const std::string& members) {
    const json::value asked = *parse_json(request.body);
    return net::make_response(
        200,
        R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":")" +
            std::string(get_string(asked, "request.uid")) + "\"," + members + "}}",
        "application/json");
  }
  std::size_t calls() const { return remote.calls.size(); }
  json::value asked(std::size_t i) const { return remote.calls.at(i).body().at("request"); }
};

std::string hook(const std::string& more = "", const std::string& name = "x.example.com",
                 const std::string& host = kHost,
                 const std::string& rules =
                     R"([{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],)"
                     R"("resources":["configmaps"]}])") {
  return R"({"name":")" + name + R"(","clientConfig":{"url":"https://)" + host +
         R"(/check"},"sideEffects":"None","admissionReviewVersions":["v1"],"rules":)" + rules +
         more + "}";
}
std::string patch_member(const std::string& operations) {
  return R"("allowed":true,"patchType":"JSONPatch","patch":")" + base64_encode(operations) + "\"";
}
std::string message(const std::shared_ptr<FakeExchange>& exchange) {
  return std::to_string(exchange->status) + " " +
         std::string(get_string(ApiWorld::tree(exchange), "message"));
}
std::shared_ptr<FakeExchange> create(World& w, const std::string& name = "m",
                                     const std::string& query = "") {
  return w.api.call("POST", std::string(kMaps) + query, a_config_map(name, R"({"a":"1"})"));
}

}  // namespace

TEST_CASE("webhook: what it is asked", "[webhook]") {
  World w;
  w.configure(false, "c", hook());
  w.answer(R"("allowed":true)");
  REQUIRE(create(w, "m", "?fieldManager=me&dryRun=All")->status == 201);
  REQUIRE(w.calls() == 1);
  CHECK(w.remote.calls[0].request.target == "/check?timeout=10s");
  CHECK(w.remote.calls[0].request.timeout == std::chrono::seconds(10));
  const json::value review = w.remote.calls[0].body();
  CHECK(get_string(review, "kind") == "AdmissionReview");
  CHECK(get_string(review, "apiVersion") == "admission.k8s.io/v1");
  json::value asked = w.asked(0);
  CHECK_FALSE(get_string(asked, "uid").empty());
  CHECK(get_string(asked, "object.data.a") == "1");
  CHECK(get_string(asked, "object.kind") == "ConfigMap");
  CHECK(asked.at("oldObject").is_null());
  CHECK(get_string(asked, "userInfo.username") == "admin");
  json::object& members = asked.get_object();
  for (const char* key : {"uid", "object", "oldObject", "userInfo"}) erase_key(members, key);
  CHECK(to_json(asked) ==
        R"({"kind":{"group":"","version":"v1","kind":"ConfigMap"},)"
        R"("resource":{"group":"","version":"v1","resource":"configmaps"},)"
        R"("requestKind":{"group":"","version":"v1","kind":"ConfigMap"},)"
        R"("requestResource":{"group":"","version":"v1","resource":"configmaps"},)"
        R"("name":"m","namespace":"a","operation":"CREATE","dryRun":true,)"
        R"("options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1","fieldManager":"me",)"
        R"("dryRun":["All"]}})");
}

TEST_CASE("webhook: of every operation, with the old object", "[webhook]") {
  World w;
  w.configure(false, "c", hook());
  w.answer(R"("allowed":true)");
  REQUIRE(create(w)->status == 201);
  w.api.settle();
  const std::string map = std::string(kMaps) + "/m";
  REQUIRE(w.api.patch("merge-patch+json", map, R"({"data":{"a":"2"}})")->status == 200);
  w.api.settle();
  REQUIRE(w.calls() == 2);
  CHECK(get_string(w.asked(1), "operation") == "UPDATE");
  CHECK(get_string(w.asked(1), "object.data.a") == "2");
  CHECK(get_string(w.asked(1), "oldObject.data.a") == "1");
  CHECK(get_string(w.asked(1), "options.kind") == "PatchOptions");
  REQUIRE(w.api.call("DELETE", map + "?propagationPolicy=Background")->status == 200);
  REQUIRE(w.calls() == 3);
  CHECK(get_string(w.asked(2), "operation") == "DELETE");
  CHECK(w.asked(2).at("object").is_null());
  CHECK(get_string(w.asked(2), "oldObject.data.a") == "2");
  CHECK(get_string(w.asked(2), "options.propagationPolicy") == "Background");
  REQUIRE(create(w, "n")->status == 201);
  w.api.settle();
  REQUIRE(w.api.call("DELETE", kMaps)->status == 200);
  CHECK(get_string(w.asked(w.calls() - 1), "name") == "n");
}

TEST_CASE("webhook: refusals, in upstream's words", "[webhook]") {
  World w;
  w.configure(false, "c", hook());
  const std::string denied = R"(admission webhook "x.example.com" denied the request)";
  struct Case {
    const char *answer, *message, *reason;
  };
  const auto row = GENERATE_REF(values<Case>({
      {R"("allowed":false)", "400 {} without explanation", ""},
      {R"("allowed":false,"status":{"message":"no luck"})", "400 {}: no luck", ""},
      {R"("allowed":false,"status":{"reason":"Bad"})", "400 {}: Bad", "Bad"},
      {R"("allowed":false,"status":{"message":"no","code":403,"reason":"Forbidden"})", "403 {}: no",
       "Forbidden"},
      {R"("allowed":false,"status":{"message":"no","code":200})", "400 {}: no", ""},
  }));
  std::string want = row.message;
  want.replace(want.find("{}"), 2, denied);
  w.answer(row.answer);
  const auto refused = create(w);
  CHECK(message(refused) == want);
  CHECK(get_string(ApiWorld::tree(refused), "reason") == row.reason);
  CHECK(w.api.call("GET", std::string(kMaps) + "/m")->status == 404);
}

TEST_CASE("webhook: a fault of the webhook", "[webhook]") {
  World w;
  const std::string failed =
      R"(500 Internal error occurred: failed calling webhook "x.example.com": )";
  const std::string called = failed + "failed to call webhook: ";
  const std::string url = R"(Post "https://hook.example.com:443/check?timeout=2s": )";
  const auto respond = [&](int code, const std::string& body, const std::string& type) {
    w.remote.servers[kHost] = [=](const net::ClientRequest&) {
      return Result<net::Response>(net::make_response(code, body, type));
    };
  };
  w.configure(false, "c", hook(R"(,"timeoutSeconds":2)"));
  CHECK(message(create(w)) ==
        called + url + "dial tcp hook.example.com:443: connect: connection refused");
  w.remote.servers[kHost] = [](const net::ClientRequest&) { return std::nullopt; };
  const TimePoint before = w.api.executor.now();
  CHECK(message(create(w)) == called + url + "context deadline exceeded");
  CHECK(w.api.executor.now() - before >= std::chrono::seconds(2));
  respond(404, "nothing here", "text/plain");
  CHECK(message(create(w)) == called + "the server could not find the requested resource");
  respond(500, "ouch\n", "text/plain");
  CHECK(message(create(w)) ==
        called + R"(an error on the server ("ouch") has prevented the request from succeeding)");
  respond(200, R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"})",
          "application/json");
  CHECK(message(create(w)) ==
        failed + "received invalid webhook response: webhook response was absent");
  respond(200, R"({"kind":"AdmissionReview","apiVersion":"v1","response":{"uid":"1"}})",
          "application/json");
  CHECK(message(create(w)).find(failed + R"(received invalid webhook response: expected )"
                                         R"(response.uid=")") == 0);
  w.answer(R"("allowed":true,"patch":"W10=","patchType":"JSONPatch")");
  CHECK(message(create(w)) == failed +
                                  "received invalid webhook response: validating webhook may "
                                  "not return response.patch");
}

TEST_CASE("webhook: fails open when told so", "[webhook]") {
  World w;
  w.configure(false, "c", hook(R"(,"failurePolicy":"Ignore")"));
  w.configure(true, "c", hook(R"(,"failurePolicy":"Ignore")"));
  CHECK(create(w)->status == 201);
  CHECK(w.calls() == 2);
  w.answer(R"("allowed":false)");  // an answer is no failure
  CHECK(create(w, "n")->status == 400);
}

TEST_CASE("webhook: dry run only where it has no effects", "[webhook]") {
  World w;
  w.configure(false, "c", hook());
  w.answer(R"("allowed":true,"warnings":["mind the gap"])");
  const auto dry = create(w, "m", "?dryRun=All");
  CHECK(dry->status == 201);
  CHECK(dry->headers.get("Warning") == R"(299 - "mind the gap")");
}

TEST_CASE("webhook: rules, selectors and conditions", "[webhook]") {
  struct Case {
    const char *name, *more;
    bool asked;
  };
  const auto row = GENERATE(values<Case>({
      {"namespace selected",
       R"("namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"a"}})", true},
      {"namespace not selected", R"("namespaceSelector":{"matchLabels":{"x":"y"}})", false},
      {"object not selected", R"("objectSelector":{"matchLabels":{"x":"y"}})", false},
      {"condition true",
       R"x("matchConditions":[{"name":"c","expression":"object.data.a == '1' && request.operation == 'CREATE'"}])x",
       true},
      {"condition false",
       R"x("matchConditions":[{"name":"c","expression":"request.userInfo.username != 'admin'"}])x",
       false},
      {"one false wins over an error",
       R"x("matchConditions":[{"name":"c","expression":"object.none.x == 1"},
          {"name":"d","expression":"false"}])x",
       false},
  }));
  CAPTURE(row.name);
  World w;
  w.configure(false, "c", hook(std::string(",") + row.more));
  w.answer(R"("allowed":true)");
  CHECK(create(w)->status == 201);
  CHECK((w.calls() == 1) == row.asked);
}

TEST_CASE("webhook: a condition that fails", "[webhook]") {
  World w;
  const std::string broken =
      R"x(,"matchConditions":[{"name":"c","expression":"object.none.x == 1"}])x";
  w.configure(false, "c", hook(broken));
  CHECK(message(create(w)) ==
        "403 configmaps \"m\" is forbidden: expression 'object.none.x == 1' resulted in error: no "
        "such key: none");
  REQUIRE(w.api.call("DELETE", std::string(kGroup) + "validatingwebhookconfigurations/c")->status ==
          200);
  w.configure(false, "c", hook(broken + R"(,"failurePolicy":"Ignore")"));
  CHECK(create(w)->status == 201);
  CHECK(w.calls() == 0);
  // Those that do not compile are refused when they are written.
  const auto refused =
      w.api.call("POST", std::string(kGroup) + "validatingwebhookconfigurations",
                 R"({"metadata":{"name":"d"},"webhooks":[)" +
                     hook(R"x(,"matchConditions":[{"name":"c","expression":"object.("}])x") + "]}");
  CHECK(refused->status == 422);
  CHECK(get_string(ApiWorld::tree(refused), "details.causes").empty());
  CHECK(message(refused).find("webhooks[0].matchConditions[0].expression: Invalid value: ") !=
        std::string::npos);
}

TEST_CASE("webhook: patches, by name, then what others think of it", "[webhook]") {
  World w;
  w.configure(true, "b", hook("", "second.example.com", "two"));
  w.configure(true, "a", hook("", "first.example.com", "one"));
  w.configure(false, "v", hook());
  w.answer(patch_member(R"([{"op":"add","path":"/data/b","value":"one"}])"), "one");
  w.answer(patch_member(R"([{"op":"replace","path":"/data/b","value":"two"},
      {"op":"add","path":"/metadata/labels","value":{"l":"v"}}])"),
           "two");
  w.answer(R"("allowed":true)");
  const auto made = create(w);
  INFO(made->body);
  REQUIRE(made->status == 201);
  const json::value map = w.api.get(std::string(kMaps) + "/m");
  CHECK(get_string(map, "data.b") == "two");
  CHECK(get_string(map, "metadata.labels.l") == "v");
  REQUIRE(w.calls() == 3);
  CHECK(w.remote.calls[0].server.host == "one");
  CHECK(w.remote.calls[1].server.host == "two");
  CHECK(get_string(w.asked(2), "object.data.b") == "two");
  // What admission adds is nobody's.
  const std::string owners = to_json(map.at("metadata").at("managedFields"));
  CHECK(owners.find("f:b") == std::string::npos);
  // On updates too.
  w.answer(patch_member(R"([{"op":"add","path":"/data/c","value":"3"}])"), "one");
  REQUIRE(
      w.api.patch("merge-patch+json", std::string(kMaps) + "/m", R"({"data":{"a":"9"}})")->status ==
      200);
  CHECK(get_string(w.api.get(std::string(kMaps) + "/m"), "data.c") == "3");
}

TEST_CASE("webhook: what a patch makes is checked", "[webhook]") {
  World w;
  w.configure(true, "a", hook());
  w.answer(patch_member(R"([{"op":"add","path":"/metadata/labels","value":{"l":"not good!"}}])"));
  CHECK(create(w)->status == 422);
  w.answer(patch_member(R"([{"op":"remove","path":"/data/none"}])"));
  CHECK(create(w)->status == 500);
  w.answer(patch_member(R"([{"op":"replace","path":"/data","value":"text"}])"));
  CHECK(create(w)->status == 500);
  w.answer(patch_member(R"([{"op":"add","path":"/data/x","value":"1"}])"));
  REQUIRE(create(w)->status == 201);
  w.api.settle();
  CHECK(message(w.api.call("DELETE", std::string(kMaps) + "/m")) ==
        "500 Internal error occurred: admission webhook \"x.example.com\" attempted to modify the "
        "object, which is not supported for this operation");
}

TEST_CASE("webhook: called again after a later one changed the object", "[webhook]") {
  World w;
  w.configure(true, "a", hook(R"(,"reinvocationPolicy":"IfNeeded")", "first.example.com", "one"));
  w.configure(true, "b", hook("", "second.example.com", "two"));
  w.remote.servers["one"] = [](const net::ClientRequest& request) {
    const json::value asked = *parse_json(request.body);
    const bool there = !get_string(asked, "request.object.data.sidecar").empty();
    return World::review(request,
                         there ? patch_member(R"([{"op":"add","path":"/data/seen","value":"yes"}])")
                               : std::string(R"("allowed":true)"));
  };
  w.answer(patch_member(R"([{"op":"add","path":"/data/sidecar","value":"in"}])"), "two");
  REQUIRE(create(w)->status == 201);
  CHECK(get_string(w.api.get(std::string(kMaps) + "/m"), "data.seen") == "yes");
  REQUIRE(w.calls() == 3);  // the second one not again: its policy is Never
  CHECK(w.remote.calls[2].server.host == "one");
}

TEST_CASE("webhook: in another version when policy says Equivalent", "[webhook]") {
  World w;
  const std::string rules =
      R"([{"apiGroups":["events.k8s.io"],"apiVersions":["v1"],"operations":["*"],)"
      R"("resources":["events"]}])";
  w.configure(false, "c", hook("", "x.example.com", kHost, rules));
  w.configure(false, "d", hook(R"(,"matchPolicy":"Exact")", "y.example.com", kHost, rules));
  w.answer(R"("allowed":true)");
  const auto made = w.api.call("POST", "/api/v1/namespaces/a/events",
                               R"({"metadata":{"name":"e"},"message":"hello","reason":"R",
      "type":"Normal","involvedObject":{"kind":"Pod","namespace":"a","name":"p"}})");
  INFO(made->body);
  REQUIRE(made->status == 201);
  REQUIRE(w.calls() == 1);
  CHECK(get_string(w.asked(0), "object.note") == "hello");
  CHECK(get_string(w.asked(0), "kind.group") == "events.k8s.io");
  CHECK(get_string(w.asked(0), "requestKind.group").empty());
}

TEST_CASE("webhook: scale is shown as a Scale", "[webhook]") {
  World w;
  const std::string rules =
      R"([{"apiGroups":["apps"],"apiVersions":["v1"],"operations":["UPDATE"],)"
      R"("resources":["deployments/scale"]}])";
  w.configure(true, "c", hook("", "x.example.com", kHost, rules));
  w.answer(patch_member(R"([{"op":"replace","path":"/spec/replicas","value":2}])"));
  REQUIRE(w.api
              .call("POST", "/apis/apps/v1/namespaces/a/deployments",
                    R"({"metadata":{"name":"d"},"spec":{"replicas":1,
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})")
              ->status == 201);
  w.api.settle();
  const auto scaled =
      w.api.patch("merge-patch+json", "/apis/apps/v1/namespaces/a/deployments/d/scale",
                  R"({"spec":{"replicas":9}})");
  INFO(scaled->body);
  REQUIRE(scaled->status == 200);
  CHECK(get_string(w.asked(0), "kind.kind") == "Scale");
  CHECK(get_int(w.asked(0), "object.spec.replicas") == 9);
  CHECK(get_int(ApiWorld::tree(scaled), "spec.replicas") == 2);
}

TEST_CASE("webhook: a generated name comes after those who change the object", "[webhook]") {
  World w;
  w.configure(true, "m", hook("", "x.example.com", "one"));
  w.configure(false, "v", hook());
  w.answer(R"("allowed":true)", "one");
  w.answer(R"("allowed":false,"warnings":["look out"])");
  const auto made =
      w.api.call("POST", kMaps, R"({"metadata":{"generateName":"gen-"},"data":{"a":"1"}})");
  CHECK(made->status == 400);
  CHECK(made->headers.get("Warning") == R"(299 - "look out")");  // of refusals too
  REQUIRE(w.calls() == 2);
  CHECK_FALSE(w.asked(0).as_object().contains("name"));
  CHECK(get_string(w.asked(0), "object.metadata.name").empty());
  CHECK(get_string(w.asked(1), "object.metadata.name").starts_with("gen-"));
  CHECK(get_string(w.asked(1), "name") == get_string(w.asked(1), "object.metadata.name"));
}

TEST_CASE("webhook: bodies of subresources", "[webhook]") {
  World w;
  const std::string rules = R"([{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],)"
                            R"("resources":["pods/binding","pods/exec","pods/eviction"]}])";
  w.configure(true, "c", hook("", "x.example.com", kHost, rules));
  w.answer(R"("allowed":true)");
  const std::string pods(kPods);
  REQUIRE(w.api.call("POST", pods, a_pod("p"))->status == 201);
  w.api.settle();
  CHECK(w.calls() == 0);
  const std::string target = R"({"target":{"kind":"Node","name":"n1"}})";
  REQUIRE(w.api.call("POST", pods + "/p/binding", target)->status == 201);
  w.api.settle();
  REQUIRE(w.calls() == 1);
  CHECK(get_string(w.asked(0), "kind.kind") == "Binding");
  CHECK(get_string(w.asked(0), "subResource") == "binding");
  CHECK(get_string(w.asked(0), "object.target.name") == "n1");
  CHECK(get_string(w.asked(0), "object.kind") == "Binding");
  // exec is a CONNECT, whoever serves it.
  w.answer(R"("allowed":false,"status":{"message":"no shells","code":403})");
  CHECK(
      message(w.api.call("POST", pods + "/p/exec?command=sh&command=-c&container=c&stdin=true")) ==
      R"(403 admission webhook "x.example.com" denied the request: no shells)");
  CHECK(get_string(w.asked(1), "operation") == "CONNECT");
  CHECK(to_json(w.asked(1).at("object")) ==
        R"({"kind":"PodExecOptions","apiVersion":"v1","stdin":true,"container":"c",)"
        R"("command":["sh","-c"]})");
  CHECK(w.asked(1).at("options").is_null());
  // An eviction is refused as one, and asked about once.
  CHECK(w.api.call("POST", pods + "/p/eviction", R"({"metadata":{"name":"p"}})")->status == 403);
  w.answer(R"("allowed":true)");
  const std::size_t before = w.calls();
  CHECK(w.api.call("POST", pods + "/p/eviction", R"({"metadata":{"name":"p"}})")->status == 201);
  CHECK(w.calls() == before + 1);
  CHECK(get_string(w.asked(before), "kind.kind") == "Eviction");
}

TEST_CASE("webhook: of what finalizes a namespace", "[webhook]") {
  World w;
  w.configure(false, "c",
              hook("", "x.example.com", kHost,
                   R"([{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],)"
                   R"("resources":["namespaces/finalize"]}])"));
  const std::string target = "/api/v1/namespaces/a/finalize";
  const std::string body = R"({"metadata":{"name":"a"},"spec":{"finalizers":["x.y/z"]}})";
  w.answer(R"("allowed":false,"status":{"message":"stay"})");
  const auto refused = w.api.call("PUT", target, body);
  CHECK(message(refused) == "400 admission webhook \"x.example.com\" denied the request: stay");
  CHECK(get_string(w.asked(0), "operation") == "UPDATE");
  CHECK(get_string(w.asked(0), "subResource") == "finalize");
  CHECK(to_json(w.asked(0).at("object").at("spec").at("finalizers")) == R"(["x.y/z"])");
  CHECK(to_json(w.asked(0).at("oldObject").at("spec").at("finalizers")) == R"(["kubernetes"])");
  w.answer(R"("allowed":true)");
  const auto done = w.api.call("PUT", target, body);
  REQUIRE(done->status == 200);
  CHECK(to_json(ApiWorld::tree(done).at("spec").at("finalizers")) == R"(["x.y/z"])");
}

TEST_CASE("webhook: not of the configurations themselves", "[webhook]") {
  World w;
  const std::string everything = R"([{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],)"
                                 R"("resources":["*/*"]}])";
  w.configure(false, "c", hook("", "x.example.com", kHost, everything));
  w.answer(R"("allowed":false)");
  CHECK(create(w)->status == 400);
  CHECK(w.api.call("DELETE", std::string(kGroup) + "validatingwebhookconfigurations/c")->status ==
        200);
  w.api.settle();
  CHECK(create(w)->status == 201);
}

TEST_CASE("webhook: by service, at a ready endpoint", "[webhook]") {
  World w;
  const std::string by_service =
      R"({"name":"x.example.com","clientConfig":{"service":{"namespace":"a","name":"s",
      "path":"/p","port":8443}},"sideEffects":"None","admissionReviewVersions":["v1"],
      "rules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],
      "resources":["configmaps"]}]})";
  w.configure(false, "c", by_service);
  const std::string failed =
      R"(500 Internal error occurred: failed calling webhook "x.example.com": failed to call )"
      R"(webhook: Post "https://s.a.svc:8443/p?timeout=10s": )";
  CHECK(message(create(w)) == failed + R"(service "s" not found)");
  REQUIRE(w.api
              .call("POST", "/api/v1/namespaces/a/services",
                    R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":8443}]}})")
              ->status == 201);
  w.api.settle();
  CHECK(message(create(w)) == failed + R"(no endpoints available for service "s")");
  REQUIRE(w.api
              .call("POST", "/apis/discovery.k8s.io/v1/namespaces/a/endpointslices",
                    R"({"metadata":{"name":"s-1","labels":{"kubernetes.io/service-name":"s"}},
      "addressType":"IPv4","ports":[{"name":"","port":9443}],"endpoints":[
      {"addresses":["127.0.0.8"],"conditions":{"ready":false}},{"addresses":["127.0.0.9"]}]})")
              ->status == 201);
  w.api.settle();
  w.answer(R"("allowed":true)", "127.0.0.9");
  const auto made = create(w);
  INFO(made->body);
  REQUIRE(made->status == 201);
  CHECK(w.remote.calls.back().server.port == 9443);
  CHECK(w.remote.calls.back().server.server_name == "s.a.svc");
}

}  // namespace coracle::apiserver
