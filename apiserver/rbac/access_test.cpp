// Who may do what, through the whole server: users by impersonation, as kubectl --as does.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1";
constexpr const char* kAuthorization = "/apis/authorization.k8s.io/v1";

struct Who {
  std::string user;
  std::vector<std::string> groups;
};
const Who kKit{"kit", {}};
const Who kNode{"system:node:n1", {"system:nodes"}};

const std::string kClaims = "/apis/resource.k8s.io/v1/namespaces/a/resourceclaims";
const std::string kSlices = "/apis/resource.k8s.io/v1/resourceslices";

std::string slice_of(const std::string& node, const std::string& name = "") {
  return R"({"metadata":{"name":")" + (name.empty() ? node : name) + R"("},"spec":{"nodeName":")" +
         node + R"(","driver":"d","pool":{"name":"p","generation":1,"resourceSliceCount":1}}})";
}

net::Headers as(const Who& who) {
  net::Headers headers;
  headers.add("Impersonate-User", who.user);
  for (const std::string& group : who.groups) headers.add("Impersonate-Group", group);
  return headers;
}

class AccessWorld : public ApiWorld {
 public:
  std::shared_ptr<FakeExchange> call_as(const Who& who, const std::string& method,
                                        const std::string& target, std::string body = {}) {
    return call(method, target, std::move(body), as(who));
  }
  int code(const Who& who, const std::string& method, const std::string& target,
           std::string body = {}) {
    return call_as(who, method, target, std::move(body))->status;
  }
  std::string refusal(const Who& who, const std::string& method, const std::string& target,
                      std::string body = {}) {
    const auto answer = call_as(who, method, target, std::move(body));
    CHECK(answer->status == 403);
    return std::string(get_string(tree(answer), "message"));
  }
  void must_make(const std::string& target, const std::string& body) {
    const auto made = call("POST", target, body);
    CAPTURE(made->body);
    REQUIRE(made->status == 201);
    settle();
  }
  void role(const std::string& name, const std::string& rules) {
    must_make(std::string(kRbac) + "/namespaces/a/roles",
              R"({"metadata":{"name":")" + name + R"("},"rules":[)" + rules + "]}");
  }
  void bind(const std::string& name, const std::string& kind, const std::string& role,
            const std::string& subject) {
    must_make(std::string(kRbac) + "/namespaces/a/rolebindings",
              R"({"metadata":{"name":")" + name + R"("},"roleRef":{"kind":")" + kind +
                  R"(","name":")" + role + R"(","apiGroup":"rbac.authorization.k8s.io"},)" +
                  R"("subjects":[)" + subject + "]}");
  }
};

const std::string kUserKit =
    R"({"kind":"User","name":"kit","apiGroup":"rbac.authorization.k8s.io"})";
const std::string kReadPods = R"({"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]})";

TEST_CASE("who has no role may do nothing, in upstream's words") {
  AccessWorld w;
  struct Case {
    std::string method, target, message;
  };
  const auto c = GENERATE(values<Case>({
      {"GET", kPods,
       R"(pods is forbidden: User "kit" cannot list resource "pods" in API group "" in the namespace "a")"},
      {"GET", "/api/v1/nodes",
       R"(nodes is forbidden: User "kit" cannot list resource "nodes" in API group "" at the cluster scope)"},
      {"GET", "/api/v1/pods?watch=1",
       R"(pods is forbidden: User "kit" cannot watch resource "pods" in API group "" at the cluster scope)"},
      {"DELETE", "/apis/apps/v1/namespaces/a/deployments/d",
       R"(deployments.apps "d" is forbidden: User "kit" cannot delete resource "deployments" in API group "apps" in the namespace "a")"},
      {"GET", "/api/v1/namespaces/a/pods/p/log",
       R"(pods "p" is forbidden: User "kit" cannot get resource "pods/log" in API group "" in the namespace "a")"},
      {"GET", "/metrics", R"(forbidden: User "kit" cannot get path "/metrics")"},
  }));
  CHECK(w.refusal(kKit, c.method, c.target) == c.message);
}

TEST_CASE("discovery is for those who are known, health for all") {
  AccessWorld w;
  const Who nobody{"system:anonymous", {}};
  for (const char* path : {"/api", "/apis", "/openapi/v3", "/version", "/healthz"}) {
    CAPTURE(path);
    CHECK(w.code(kKit, "GET", path) == 200);
  }
  CHECK(w.code(nobody, "GET", "/api") == 403);
  CHECK(w.code(nobody, "GET", "/version") == 200);
  CHECK(w.code(nobody, "GET", "/readyz") == 200);
  CHECK(w.code(nobody, "GET", kPods) == 403);
}

TEST_CASE("roles are given to users, groups and service accounts, in their namespace") {
  AccessWorld w;
  w.make_namespace("b");
  w.role("reader", kReadPods);
  struct Case {
    std::string name, subject;
    Who who;
  };
  const auto c = GENERATE(values<Case>({
      {"user", kUserKit, kKit},
      {"group",
       R"({"kind":"Group","name":"dev","apiGroup":"rbac.authorization.k8s.io"})",
       {"ann", {"dev"}}},
      {"account",
       R"({"kind":"ServiceAccount","name":"bot","namespace":"a"})",
       {"system:serviceaccount:a:bot", {}}},
  }));
  CAPTURE(c.name);
  CHECK(w.code(c.who, "GET", kPods) == 403);
  w.bind("reads", "Role", "reader", c.subject);
  CHECK(w.code(c.who, "GET", kPods) == 200);
  CHECK(w.code(c.who, "GET", "/api/v1/namespaces/b/pods") == 403);
  CHECK(w.code(c.who, "DELETE", std::string(kPods) + "/x") == 403);
  CHECK(w.code({"someone", {"else"}}, "GET", kPods) == 403);
  REQUIRE(w.call("DELETE", std::string(kRbac) + "/namespaces/a/roles/reader")->status == 200);
  w.settle();
  CHECK(
      w.refusal(c.who, "GET", kPods)
          .ends_with(
              R"(in the namespace "a": RBAC: role.rbac.authorization.k8s.io "reader" not found)"));
}

TEST_CASE("a role for one name is enough for a list and a watch of that name") {
  AccessWorld w;
  w.role("one", R"({"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch"],)"
                R"("resourceNames":["m"]})");
  w.bind("one", "Role", "one", kUserKit);
  CHECK(w.code(kKit, "GET", kMaps) == 403);
  CHECK(w.code(kKit, "GET", std::string(kMaps) + "?fieldSelector=metadata.name%3Dm") == 200);
  CHECK(w.code(kKit, "GET", std::string(kMaps) + "?fieldSelector=metadata.name%3Dx") == 403);
}

TEST_CASE("nobody gives away what he has not") {
  AccessWorld w;
  w.bind("admins", "ClusterRole", "admin", kUserKit);
  const std::string roles = std::string(kRbac) + "/namespaces/a/roles";
  const std::string bindings = std::string(kRbac) + "/namespaces/a/rolebindings";
  const auto role = [](const std::string& name, const std::string& rule) {
    return R"({"metadata":{"name":")" + name + R"("},"rules":[)" + rule + "]}";
  };
  const auto binding = [](const std::string& role) {
    return R"({"metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":")" + role +
           R"(","apiGroup":"rbac.authorization.k8s.io"},"subjects":[)" + kUserKit + "]}";
  };
  CHECK(w.code(kKit, "POST", roles, role("mine", kReadPods)) == 201);
  const std::string too_much = R"({"apiGroups":[""],"resources":["nodes"],"verbs":["get","list"]})";
  const std::string why =
      "user \"kit\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions "
      "not "
      "currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}";
  CHECK(w.refusal(kKit, "POST", roles, role("more", too_much)) ==
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: " + why);
  CHECK(w.refusal(kKit, "PUT", roles + "/mine", role("mine", too_much)) ==
        "roles.rbac.authorization.k8s.io \"mine\" is forbidden: " + why);
  CHECK(w.code(kKit, "POST", bindings, binding("view")) == 201);
  CHECK(w.code(kKit, "POST", bindings, binding("cluster-admin")) == 403);
  CHECK(w.code(kKit, "POST", bindings, binding("nosuch")) == 404);
  // With these verbs one may all the same.
  w.role("verbs", R"({"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],)"
                  R"("verbs":["escalate"]},{"apiGroups":["rbac.authorization.k8s.io"],)"
                  R"("resources":["clusterroles"],"verbs":["bind"],"resourceNames":["edit",)"
                  R"("cluster-admin"]})");
  w.bind("verbs", "Role", "verbs", kUserKit);
  CHECK(w.code(kKit, "POST", roles, role("more", too_much)) == 201);
  CHECK(w.code(kKit, "DELETE", bindings + "/b") == 200);
  CHECK(w.code(kKit, "POST", bindings, binding("cluster-admin")) == 201);
}

TEST_CASE("who wishes to be another must be allowed each part of it") {
  AccessWorld w;
  w.must_make(std::string(kRbac) + "/clusterroles",
              R"({"metadata":{"name":"be"},"rules":[{"apiGroups":[""],"resources":["users"],)"
              R"("verbs":["impersonate"],"resourceNames":["ann"]},{"apiGroups":[)"
              R"("authentication.k8s.io"],"resources":["userextras/scopes"],)"
              R"("verbs":["impersonate"]}]})");
  w.must_make(std::string(kRbac) + "/clusterrolebindings",
              R"({"metadata":{"name":"be"},"roleRef":{"kind":"ClusterRole","name":"be",)"
              R"("apiGroup":"rbac.authorization.k8s.io"},"subjects":[)" +
                  kUserKit + "]}");
  const auto try_as = [&](net::Headers headers) {
    net::Request request = w.request("GET", "/version", "", std::move(headers));
    request.peer.cert_cn = "kit";
    request.peer.cert_orgs.clear();
    const auto exchange = w.begin(std::move(request));
    CHECK(w.executor.run_until([&] { return exchange->answered(); }));
    return exchange->status == 200 ? std::string()
                                   : std::string(get_string(w.tree(exchange), "message"));
  };
  CHECK(try_as({{"Impersonate-User", "ann"}}).empty());
  CHECK(try_as({{"Impersonate-User", "ann"}, {"Impersonate-Extra-scopes", "x"}}).empty());
  CHECK(
      try_as({{"Impersonate-User", "bob"}}) ==
      R"(users "bob" is forbidden: User "kit" cannot impersonate resource "users" in API group "" at the cluster scope)");
  CHECK(
      try_as({{"Impersonate-User", "ann"}, {"Impersonate-Group", "dev"}}) ==
      R"(groups "dev" is forbidden: User "kit" cannot impersonate resource "groups" in API group "" at the cluster scope)");
  CHECK(
      try_as({{"Impersonate-User", "system:serviceaccount:a:bot"}}) ==
      R"(serviceaccounts "bot" is forbidden: User "kit" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "a")");
  CHECK(try_as({{"Impersonate-Group", "dev"}}) ==
        "requested impersonation without impersonating a user");
}

TEST_CASE("questions about access") {
  AccessWorld w;
  w.role("reader", kReadPods);
  w.bind("reads", "Role", "reader", kUserKit);
  const auto ask = [&](const Who& who, const std::string& plural, const std::string& spec) {
    return w.tree(w.call_as(who, "POST", std::string(kAuthorization) + "/" + plural,
                            R"({"spec":)" + spec + "}"));
  };
  const std::string list =
      R"("resourceAttributes":{"namespace":"a","verb":"list","resource":"pods"})";
  const json::value mine = ask(kKit, "selfsubjectaccessreviews", "{" + list + "}");
  CHECK(get_bool(mine, "status.allowed"));
  CHECK(get_string(mine, "status.reason") ==
        R"(RBAC: allowed by RoleBinding "reads/a" of Role "reader" to User "kit")");
  CHECK(get_string(mine, "kind") == "SelfSubjectAccessReview");
  const Who admin{"root", {"system:masters"}};
  CHECK(get_bool(ask(admin, "subjectaccessreviews", R"({"user":"kit",)" + list + "}"),
                 "status.allowed"));
  CHECK_FALSE(get_bool(ask(admin, "subjectaccessreviews", R"({"user":"ann",)" + list + "}"),
                       "status.allowed"));
  CHECK(get_string(ask(kKit, "subjectaccessreviews", R"({"user":"ann",)" + list + "}"), "reason") ==
        "Forbidden");
  CHECK(get_string(ask(admin, "subjectaccessreviews", R"({"user":"ann"})"), "reason") == "Invalid");
  const json::value path = ask(kKit, "selfsubjectaccessreviews",
                               R"({"nonResourceAttributes":{"path":"/api","verb":"get"}})");
  CHECK(get_bool(path, "status.allowed"));
  const json::value rules = ask(kKit, "selfsubjectrulesreviews", R"({"namespace":"a"})");
  CHECK(to_json(get_array(rules, "status.resourceRules").back()) ==
        R"({"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]})");
  CHECK(get_bool(rules, "status.incomplete", true) == false);
}

TEST_CASE("who am I") {
  AccessWorld w;
  const auto answer = w.tree(w.call_as({"ann", {"dev"}}, "POST",
                                       "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}"));
  CHECK(to_json(*find(answer, "status")) ==
        R"({"userInfo":{"username":"ann","groups":["dev","system:authenticated"]}})");
}

TEST_CASE("default roles come back, what was added stays, who says false is left alone") {
  AccessWorld w;
  const std::string dns = std::string(kRbac) + "/clusterroles/system:kube-dns";
  const std::string taken =
      R"({"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]})";
  REQUIRE(w.patch("merge-patch+json", dns, taken)->status == 200);
  w.restart();
  const json::value back = w.get(dns);
  REQUIRE(get_array(back, "rules").size() > 1);
  CHECK(get_array(get_array(back, "rules").at(0), "resources").at(0) == "pods");
  const std::string no = R"({"metadata":{"annotations":{)"
                         R"("rbac.authorization.kubernetes.io/autoupdate":"false"}},"rules":[]})";
  REQUIRE(w.patch("merge-patch+json", dns, no)->status == 200);
  w.restart();
  CHECK(get_array(w.get(dns), "rules").empty());
}

TEST_CASE("a bootstrap token is a user until it expires") {
  AccessWorld w;
  const auto secret = [&](const std::string& id, const std::string& more) {
    w.must_make("/api/v1/namespaces/kube-system/secrets",
                R"({"metadata":{"name":"bootstrap-token-)" + id +
                    R"("},"type":"bootstrap.kubernetes.io/token","stringData":{"token-id":")" + id +
                    R"(","token-secret":"0123456789abcdef")" + more + "}}");
  };
  const std::string usable = R"(,"usage-bootstrap-authentication":"true")";
  secret("aaaaaa", usable + R"(,"auth-extra-groups":"system:bootstrappers:lab,system:masters")");
  secret("bbbbbb", "");
  secret("cccccc", usable + R"(,"expiration":"2020-01-01T00:00:00Z")");
  secret("dddddd", usable + R"(,"expiration":"2200-01-01T00:00:00Z")");
  const auto groups = [&](const std::string& token) {
    net::Request request = w.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                                     "{}", {{"Authorization", "Bearer " + token}});
    request.peer = {};
    const auto exchange = w.begin(std::move(request));
    CHECK(w.executor.run_until([&] { return exchange->answered(); }));
    if (exchange->status != 201) return std::to_string(exchange->status);
    return to_json(*find(w.tree(exchange), "status.userInfo"));
  };
  CHECK(groups("aaaaaa.0123456789abcdef") ==
        R"({"username":"system:bootstrap:aaaaaa","groups":["system:bootstrappers",)"
        R"("system:bootstrappers:lab","system:authenticated"]})");
  CHECK(groups("aaaaaa.0123456789abcdee") == "401");
  CHECK(groups("bbbbbb.0123456789abcdef") == "401");
  CHECK(groups("cccccc.0123456789abcdef") == "401");
  CHECK(groups("dddddd.0123456789abcdef").starts_with(R"({"username":"system:bootstrap:dddddd")"));
}

TEST_CASE("a node may touch what is its own or its pods'") {
  AccessWorld w;
  for (const char* name : {"n1", "n2"}) {
    w.must_make("/api/v1/nodes", R"({"metadata":{"name":")" + std::string(name) + "\"}}");
  }
  for (const char* name : {"used", "other"}) {
    const std::string object = R"({"metadata":{"name":")" + std::string(name) + "\"}}";
    w.must_make("/api/v1/namespaces/a/secrets", object);
    w.must_make(kClaims, object);
  }
  w.must_make(kPods, R"({"metadata":{"name":"p1"},"spec":{"nodeName":"n1","containers":[{"name":)"
                     R"("c","image":"i","envFrom":[{"secretRef":{"name":"used"}}]}],)"
                     R"("resourceClaims":[{"name":"gpu","resourceClaimName":"used"}]}})");
  w.must_make(kSlices, slice_of("n1"));
  w.must_make(kSlices, slice_of("n2"));
  w.must_make(kPods, R"({"metadata":{"name":"p2"},"spec":{"nodeName":"n2","containers":[{"name":)"
                     R"("c","image":"i"}]}})");
  struct Case {
    std::string method, target, body;
    int code;
  };
  const std::string pods = kPods;
  const auto c = GENERATE_COPY(values<Case>({
      {"GET", "/api/v1/nodes/n1", "", 200},
      {"GET", "/api/v1/nodes/n2", "", 403},
      {"GET", "/api/v1/nodes", "", 403},
      {"GET", "/api/v1/nodes?fieldSelector=metadata.name%3Dn1", "", 200},
      {"GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1", "", 200},
      {"GET", "/api/v1/pods", "", 403},
      {"GET", pods + "/p1", "", 200},
      {"GET", pods + "/p2", "", 403},
      {"GET", "/api/v1/namespaces/a/secrets/used", "", 200},
      {"GET", "/api/v1/namespaces/a/secrets/other", "", 403},
      {"GET", "/api/v1/namespaces/a/secrets", "", 403},
      {"GET", kClaims + "/used", "", 200},
      {"GET", kClaims + "/other", "", 403},
      {"GET", kClaims, "", 403},
      {"GET", kSlices + "/n1", "", 200},
      {"GET", kSlices + "/n2", "", 403},
      {"GET", kSlices, "", 403},
      {"GET", kSlices + "?fieldSelector=spec.nodeName%3Dn1", "", 200},
      {"DELETE", kSlices + "/n1", "", 200},
      {"DELETE", kSlices + "/n2", "", 403},
      {"POST", kSlices, slice_of("n1", "more"), 201},
      {"POST", kSlices, slice_of("n2", "more"), 403},
      {"GET", "/api/v1/services", "", 200},
      {"GET", "/apis/apps/v1/deployments", "", 403},
      {"PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1",
       R"({"metadata":{"name":"n1"}})", 201},
      {"PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
       R"({"metadata":{"name":"n2"}})", 403},
      {"PUT", "/api/v1/nodes/n2/status", R"({"metadata":{"name":"n2"}})", 403},
      {"PUT", "/api/v1/nodes/n1/status", R"({"metadata":{"name":"n1"}})", 200},
      {"PUT", "/api/v1/nodes/n1",
       R"({"metadata":{"name":"n1","labels":{"node-restriction.kubernetes.io/x":"1"}}})", 403},
      {"PUT", "/api/v1/nodes/n1",
       R"({"metadata":{"name":"n1","labels":{"mine":"1"}},)"
       R"("spec":{"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]}})",
       200},
      {"PUT", "/api/v1/nodes/n1", R"({"metadata":{"name":"n1","labels":{"mine":"1"}}})", 403},
      {"DELETE", pods + "/p1", "", 200},
      {"DELETE", pods + "/p2", "", 403},
      {"POST", pods, a_pod("p3"), 403},
      {"DELETE", "/api/v1/nodes/n1", "", 403},
  }));
  CAPTURE(c.method, c.target);
  const auto answer = w.call_as(kNode, c.method, c.target, c.body);
  CAPTURE(answer->body);
  CHECK(answer->status == c.code);
}

}  // namespace
}  // namespace coracle::apiserver
