// Which requests go where, and a whole server whose seats are taken.
#include <catch2/catch.hpp>

#include "apiserver/bootstrap_objects.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

UserInfo a_user(const std::string& name, std::vector<std::string> groups = {}) {
  UserInfo user;
  user.name = name;
  user.groups = std::move(groups);
  return user;
}

RequestInfo asked(const std::string& method, const std::string& target) {
  net::Request request;
  request.method = method;
  request.path = target;
  return parse_request_info(request);
}

std::vector<FlowSchema> default_schemas() {
  std::vector<FlowSchema> out;
  for (const json::value& one : flow_control_objects()) {
    if (get_string(one, "kind") == "FlowSchema") out.push_back(FlowSchema::from_json(one));
  }
  return out;
}

std::vector<PriorityLevel> default_levels() {
  std::vector<PriorityLevel> out;
  for (const json::value& one : flow_control_objects()) {
    if (get_string(one, "kind") != "FlowSchema") out.push_back(PriorityLevel::from_json(one));
  }
  return out;
}

constexpr const char* kKnown = "system:authenticated";

TEST_CASE("the default schemas and who falls under them") {
  struct Case {
    std::string name;
    UserInfo user;
    std::string method, path, want;
  };
  const auto c = GENERATE(values<Case>({
      {"the administrator", a_user("admin", {"system:masters", kKnown}), "GET", "/api/v1/pods",
       "exempt"},
      {"a probe", a_user("system:anonymous", {"system:unauthenticated"}), "GET", "/healthz",
       "probes"},
      {"a kubelet's lease", a_user("system:node:n", {"system:nodes", kKnown}), "PUT",
       "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n", "system-node-high"},
      {"a kubelet's node status", a_user("system:node:n", {"system:nodes", kKnown}), "PATCH",
       "/api/v1/nodes/n/status", "system-node-high"},
      {"a kubelet's pod", a_user("system:node:n", {"system:nodes", kKnown}), "GET",
       "/api/v1/namespaces/a/pods/x", "system-nodes"},
      {"the leader's lease", a_user("system:kube-scheduler", {kKnown}), "PUT",
       "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler",
       "system-leader-election"},
      {"the scheduler", a_user("system:kube-scheduler", {kKnown}), "GET", "/api/v1/pods",
       "kube-scheduler"},
      {"a system account",
       a_user("system:serviceaccount:kube-system:dns", {"system:serviceaccounts", kKnown}), "GET",
       "/api/v1/services", "kube-system-service-accounts"},
      {"an account", a_user("system:serviceaccount:a:app", {"system:serviceaccounts", kKnown}),
       "GET", "/api/v1/namespaces/a/configmaps/c", "service-accounts"},
      {"somebody", a_user("kit", {kKnown}), "GET", "/apis", "global-default"},
      {"nobody", a_user("x"), "GET", "/apis", "catch-all"},
  }));
  CAPTURE(c.name);
  ManualExecutor executor;
  Metrics metrics;
  FlowControl flow(executor, metrics, {});
  flow.configure(default_schemas(), default_levels());
  std::shared_ptr<const FlowIdentity> identity;
  const auto ticket = flow.enter(c.user, asked(c.method, c.path), 1, &identity);
  REQUIRE(ticket.ok());
  CHECK_THAT(metrics.render(),
             Catch::Contains("current_executing_requests{flow_schema=\"" + c.want + "\""));
  CHECK_THAT(metrics.render(),
             Catch::Matches("(.|\\n)*dispatched_requests_total\\{flow_schema=\"" + c.want +
                            "\",priority_level=\"[a-z-]+\"\\} 1\\n(.|\\n)*"));
}

TEST_CASE("rules of a schema") {
  const auto parse = [](const std::string& rules) {
    return FlowSchema::from_json(
        *parse_json(R"({"metadata":{"name":"s"},"spec":{"matchingPrecedence":7,)"
                    R"("priorityLevelConfiguration":{"name":"l"},"rules":[)" +
                    rules + "]}}"));
  };
  const std::string kit = R"("subjects":[{"kind":"User","user":{"name":"kit"}}],)";
  const std::string logs = R"("resourceRules":[{"verbs":["get"],"apiGroups":[""],)"
                           R"("resources":["pods/log"],"namespaces":["a"]}])";
  const FlowSchema schema = parse("{" + kit + logs + "}");
  CHECK(schema.matches(a_user("kit"), asked("GET", "/api/v1/namespaces/a/pods/x/log")));
  CHECK_FALSE(schema.matches(a_user("bob"), asked("GET", "/api/v1/namespaces/a/pods/x/log")));
  CHECK_FALSE(schema.matches(a_user("kit"), asked("GET", "/api/v1/namespaces/a/pods/x")));
  CHECK_FALSE(schema.matches(a_user("kit"), asked("GET", "/api/v1/namespaces/b/pods/x/log")));
  const FlowSchema cluster = parse("{" + kit +
                                   R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],)"
                                   R"("resources":["*"],"clusterScope":true}]})");
  CHECK(cluster.matches(a_user("kit"), asked("GET", "/api/v1/nodes")));
  CHECK_FALSE(cluster.matches(a_user("kit"), asked("GET", "/api/v1/namespaces/a/pods")));
  const FlowSchema paths = parse(
      "{" + kit + R"("nonResourceRules":[{"verbs":["get"],"nonResourceURLs":["/healthz/*"]}]})");
  CHECK(paths.matches(a_user("kit"), asked("GET", "/healthz/etcd")));
  CHECK_FALSE(paths.matches(a_user("kit"), asked("GET", "/livez")));
}

// One seat for everybody who is not an administrator, and a request that keeps it.
struct BusyWorld {
  ApiWorld w;

  static net::Headers as(const std::string& user) {
    return {{"Impersonate-User", user}, {"Content-Type", "application/json"}};
  }
  void level(const std::string& name, const std::string& response) {
    make("prioritylevelconfigurations",
         R"({"metadata":{"name":")" + name +
             R"("},"spec":{"type":"Limited","limited":{)"
             R"("nominalConcurrencyShares":1,"borrowingLimitPercent":0,"limitResponse":)" +
             response + "}}}");
    make(
        "flowschemas",
        R"({"metadata":{"name":")" + name +
            R"("},"spec":{"matchingPrecedence":50,)"
            R"("priorityLevelConfiguration":{"name":")" +
            name +
            R"("},"distinguisherMethod":{"type":"ByUser"},)"
            R"("rules":[{"subjects":[{"kind":"Group","group":{"name":"system:authenticated"}}],)"
            R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"namespaces":["*"],)"
            R"("clusterScope":true}]}]}})");
    make2(
        "clusterrolebindings",
        R"({"metadata":{"name":"all"},"roleRef":{"kind":"ClusterRole",)"
        R"("name":"cluster-admin","apiGroup":"rbac.authorization.k8s.io"},"subjects":[{"kind":"Group",)"
        R"("name":"system:authenticated","apiGroup":"rbac.authorization.k8s.io"}]})");
    w.settle();
  }
  void make(const std::string& plural, const std::string& body) {
    const auto made = w.call("POST", "/apis/flowcontrol.apiserver.k8s.io/v1/" + plural, body);
    CAPTURE(made->body);
    CHECK(made->status == 201);
  }
  void make2(const std::string& plural, const std::string& body) {
    CHECK(w.call("POST", "/apis/rbac.authorization.k8s.io/v1/" + plural, body)->status == 201);
  }
  std::shared_ptr<FakeExchange> ask(const std::string& user, const std::string& method = "GET",
                                    const std::string& body = "") {
    return w.begin(
        w.request(method, method == "GET" ? std::string(kMaps) + "/x" : kMaps, body, as(user)));
  }
};

constexpr const char* kQueue =
    R"({"type":"Queue","queuing":{"queues":1,"handSize":1,"queueLengthLimit":1}})";

TEST_CASE("a taken seat: the next waits, the one after is refused") {
  BusyWorld b;
  b.level("narrow", kQueue);
  // The server has 600 seats and this level the least of it; take them all.
  const int seats = 600 / (245 + 1) + 1;
  std::vector<std::shared_ptr<FakeExchange>> taken;
  for (int i = 0; i < seats; ++i) taken.push_back(b.ask("one"));
  const auto waits = b.ask("two");
  const auto refused = b.ask("three");
  CHECK_FALSE(waits->answered());
  REQUIRE(refused->answered());
  CHECK(refused->status == 429);
  CHECK(refused->headers.get("retry-after") == "1");
  CHECK_FALSE(refused->headers.get("x-kubernetes-pf-flowschema-uid").empty());
  CHECK(get_string(b.w.tree(refused), "message") == "Too many requests, please try again later.");
  const auto page = [&](const std::string& name) {
    return b.w.begin(b.w.request("GET", "/debug/api_priority_and_fairness/" + name))->body;
  };
  CHECK_THAT(page("dump_requests?includeRequestDetails=1"), Catch::Contains("narrow,"));
  CHECK_THAT(page("dump_requests?includeRequestDetails=1"), Catch::Contains("two,"));
  CHECK_THAT(page("dump_queues"), Catch::Contains("narrow,"));
  CHECK_THAT(page("dump_priority_levels"), Catch::Contains("exempt,"));
  CHECK(b.w.executor.run_until([&] { return waits->answered(); }));
  CHECK(waits->status == 404);
  CHECK_THAT(b.w.call("GET", "/metrics")->body,
             Catch::Contains("rejected_requests_total{flow_schema=\"narrow\",priority_level="
                             "\"narrow\",reason=\"queue-full\"} 1"));
}

TEST_CASE("who waits too long, or goes away, is not served") {
  BusyWorld b;
  b.level("narrow", kQueue);
  b.w.store.set_reachable(false, std::chrono::seconds(40));
  std::vector<std::shared_ptr<FakeExchange>> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(b.ask("one", "POST", a_config_map("x")));
  auto gone = b.ask("two", "POST", a_config_map("y"));
  gone->leave();
  const auto late = b.ask("three", "POST", a_config_map("z"));
  b.w.executor.advance(std::chrono::seconds(14));
  CHECK_FALSE(late->answered());
  b.w.executor.advance(std::chrono::seconds(2));
  CHECK(late->status == 429);
  b.w.store.set_reachable(true);
  CHECK(b.w.executor.run_until([&] { return taken[2]->answered(); }));
  CHECK(b.w.call("GET", std::string(kMaps) + "/y")->status == 404);
}

TEST_CASE("answers name their schema and level") {
  ApiWorld w;
  const auto got = w.call("GET", "/api/v1/namespaces/a");
  const json::value schema = w.get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt");
  CHECK(got->headers.get("X-Kubernetes-PF-FlowSchema-UID") == get_string(schema, "metadata.uid"));
  CHECK_FALSE(got->headers.get("X-Kubernetes-PF-PriorityLevel-UID").empty());
  const auto watch = w.call("GET", "/api/v1/namespaces?watch=1");
  CHECK(watch->headers.get("X-Kubernetes-PF-FlowSchema-UID") == get_string(schema, "metadata.uid"));
}

TEST_CASE("the default objects are kept up") {
  ApiWorld w;
  const std::string schemas = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/";
  const std::string levels = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/";
  CHECK(get_string(get_array(w.get(schemas + "global-default"), "status.conditions")[0],
                   "status") == "False");
  CHECK(w.call("DELETE", schemas + "catch-all")->status == 200);
  CHECK(w.call("DELETE", levels + "catch-all")->status == 200);
  w.settle();
  CHECK(w.call("GET", schemas + "catch-all")->status == 200);
  CHECK(w.call("GET", levels + "catch-all")->status == 200);
  // A suggested one is put back, unless somebody says that it is his.
  CHECK(w.patch("merge-patch+json", levels + "system",
                R"({"spec":{"limited":{"nominalConcurrencyShares":77}}})")
            ->status == 200);
  w.settle();
  CHECK(get_int(w.get(levels + "system"), "spec.limited.nominalConcurrencyShares") == 30);
  CHECK(w.patch("merge-patch+json", levels + "system",
                R"({"metadata":{"annotations":{"apf.kubernetes.io/autoupdate-spec":"false"}},
                    "spec":{"limited":{"nominalConcurrencyShares":77}}})")
            ->status == 200);
  w.settle();
  CHECK(get_int(w.get(levels + "system"), "spec.limited.nominalConcurrencyShares") == 77);
  // A schema without its level.
  CHECK(w.call("POST", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
               R"({"metadata":{"name":"lost"},"spec":{"matchingPrecedence":9,
                   "priorityLevelConfiguration":{"name":"none"}}})")
            ->status == 201);
  w.settle();
  CHECK(get_string(get_array(w.get(schemas + "lost"), "status.conditions")[0], "message") ==
        "This FlowSchema references the PriorityLevelConfiguration object named \"none\" but there "
        "is no such object");
}

TEST_CASE("what is mandatory cannot be changed") {
  ApiWorld w;
  const std::string base = "/apis/flowcontrol.apiserver.k8s.io/v1/";
  const auto refused = w.patch("merge-patch+json", base + "flowschemas/catch-all",
                               R"({"spec":{"matchingPrecedence":9999}})");
  CHECK(refused->status == 422);
  CHECK_THAT(refused->body, Catch::Contains("spec of 'catch-all' must equal the fixed value"));
  CHECK(w.patch("merge-patch+json", base + "prioritylevelconfigurations/catch-all",
                R"({"spec":{"limited":{"nominalConcurrencyShares":9}}})")
            ->status == 422);
  CHECK(w.patch("merge-patch+json", base + "prioritylevelconfigurations/exempt",
                R"({"spec":{"exempt":{"nominalConcurrencyShares":9}}})")
            ->status == 200);
  w.settle();
  CHECK(get_int(w.get(base + "prioritylevelconfigurations/exempt"),
                "spec.exempt.nominalConcurrencyShares") == 9);
}

// Not a test of the machine: printed with `flow_test "[.speed]"`.
TEST_CASE("what an uncontended request pays", "[.speed]") {
  ManualExecutor executor;
  Metrics metrics;
  FlowControl flow(executor, metrics, {});
  flow.configure(default_schemas(), default_levels());
  for (const auto& user :
       {a_user("admin", {"system:masters", kKnown}),
        a_user("system:serviceaccount:a:app", {"system:serviceaccounts", kKnown}),
        a_user("kit", {"dev", kKnown})}) {
    const RequestInfo info = asked("GET", "/api/v1/namespaces/a/pods/x");
    constexpr int kTimes = 200'000;
    const auto since = real_clock().now();
    for (int i = 0; i < kTimes; ++i) {
      std::shared_ptr<const FlowIdentity> identity;
      const auto ticket = flow.enter(user, info, 1, &identity);
      if (!ticket.ok()) FAIL();
    }
    const double ns = std::chrono::duration<double, std::nano>(real_clock().now() - since).count();
    WARN(user.name << ": " << ns / kTimes << " ns");
  }
}

}  // namespace
}  // namespace coracle::apiserver
