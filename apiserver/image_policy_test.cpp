// The plugins that are off by default, and what a configuration file says to the others.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"
#include "apiserver/testing/fake_remote.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::seconds;
constexpr const char* kHost = "images.example.com";

// A server that asks for images, and what it is told.
struct World {
  ManualExecutor* clock = nullptr;
  FakeRemote remote{[this] { return clock; }};
  ApiWorld api{nullptr, &remote};

  explicit World(bool default_allow = false) {
    clock = &api.executor;
    const json::value section = {{"kubeConfigFile", "x"}, {"defaultAllow", default_allow}};
    api.admission.image_policy = *ImagePolicyConfig::parse(section);
    api.admission.image_policy->target.host = kHost;
    api.admission.image_policy->target.path = "/policy";
    api.admission.image_policy->target.authorization = "Bearer secret";
    api.admission.image_policy->target.tells_timeout = false;
    CHECK(api.admission.choose({"ImagePolicyWebhook"}, {}).ok());
    api.restart();
  }
  void answer(const std::string& status, int code = 200) {
    remote.servers[kHost] = [status, code](const net::ClientRequest&) {
      return net::make_response(
          code,
          R"({"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1","status":)" + status +
              "}",
          "application/json");
    };
  }
  std::shared_ptr<FakeExchange> create(const std::string& name, const std::string& more = "") {
    return api.call("POST", kPods, a_pod(name, more));
  }
  std::string refused(const std::string& name) {
    const auto reply = create(name);
    CHECK(reply->status == 403);
    return std::string(get_string(ApiWorld::tree(reply), "message"));
  }
};

TEST_CASE("images are shown to the policy, and its word counts") {
  World w;
  w.answer(R"({"allowed":true,"auditAnnotations":{"who":"me"}})");
  const std::string notes = R"(,"annotations":{"mine.image-policy.k8s.io/ticket":"5","other":"x"})";
  REQUIRE(w.create("good", notes)->status == 201);
  REQUIRE(w.remote.calls.size() == 1);
  const net::ClientRequest& request = w.remote.calls[0].request;
  CHECK(request.method == "POST");
  CHECK(request.target == "/policy");
  CHECK(request.headers.get("authorization") == "Bearer secret");
  const json::value review = w.remote.calls[0].body();
  CHECK(get_string(review, "kind") == "ImageReview");
  CHECK(get_string(review, "apiVersion") == "imagepolicy.k8s.io/v1alpha1");
  CHECK(to_json(review.at("spec")) == R"({"annotations":{"mine.image-policy.k8s.io/ticket":"5"},)"
                                      R"("containers":[{"image":"nginx"}],"namespace":"a"})");

  w.answer(R"({"allowed":false,"reason":"too old"})");
  CHECK(w.refused("bad") ==
        "pods \"bad\" is forbidden: image policy webhook backend denied one or more images: too "
        "old");
  w.answer(R"({"allowed":false})");
  w.api.executor.advance(seconds(31));
  CHECK(w.refused("bad") ==
        "pods \"bad\" is forbidden: one or more images rejected by webhook backend");
  CHECK(w.api.call("POST", "/api/v1/namespaces/a/configmaps", a_config_map("m"))->status == 201);
}

TEST_CASE("answers are kept, good ones longer") {
  World w;
  w.answer(R"({"allowed":true})");
  CHECK(w.create("one")->status == 201);
  CHECK(w.create("two")->status == 201);
  CHECK(w.remote.calls.size() == 1);
  w.api.executor.advance(seconds(301));
  w.answer(R"({"allowed":false})");
  w.refused("three");
  CHECK(w.remote.calls.size() == 2);
  w.refused("three");
  CHECK(w.remote.calls.size() == 2);
  w.api.executor.advance(seconds(31));
  w.answer(R"({"allowed":true})");
  CHECK(w.create("three")->status == 201);
  CHECK(w.remote.calls.size() == 3);
}

TEST_CASE("a policy that does not answer refuses, or not, as configured") {
  World closed;
  CHECK(closed.refused("x") ==
        "pods \"x\" is forbidden: Post \"https://images.example.com:443/policy\": dial tcp "
        "images.example.com:443: connect: connection refused");
  CHECK(closed.remote.calls.size() == 1);
  closed.answer("{}", 404);
  CHECK(closed.refused("x") ==
        "pods \"x\" is forbidden: the server could not find the requested resource");
  closed.answer("{}", 500);
  closed.remote.calls.clear();
  CHECK(closed.refused("x") ==
        "pods \"x\" is forbidden: an error on the server (\"unknown\") has prevented the request "
        "from succeeding");
  CHECK(closed.remote.calls.size() == 5);
  closed.remote.servers[kHost] = [](const net::ClientRequest&) {
    return net::make_response(200, R"({"kind":"Pod","apiVersion":"v1"})", "application/json");
  };
  CHECK(closed.refused("x") ==
        "pods \"x\" is forbidden: no kind \"Pod\" is registered for version \"v1\"");

  World open(true);
  CHECK(open.create("x")->status == 201);
  CHECK(open.create("y")->status == 201);
  CHECK(open.remote.calls.size() == 2);  // a failure is no answer to keep
}

TEST_CASE("pods pull always, and services get no addresses of others") {
  ApiWorld w;
  REQUIRE(w.admission.choose({"AlwaysPullImages", "DenyServiceExternalIPs"}, {"PodSecurity"}).ok());
  w.restart();
  const auto made = w.call("POST", kPods, a_pod("p"));
  REQUIRE(made->status == 201);
  CHECK(get_string(ApiWorld::tree(made).at("spec").at("containers").at(0), "imagePullPolicy") ==
        "Always");
  const auto denied = w.call("POST", "/api/v1/namespaces/a/services",
                             R"({"metadata":{"name":"s"},"spec":{"externalIPs":["192.0.2.1"],)"
                             R"("ports":[{"port":80}]}})");
  CHECK(denied->status == 403);
  CHECK(get_string(ApiWorld::tree(denied), "message") ==
        "services \"s\" is forbidden: Use of external IPs is denied by admission control.");
}

TEST_CASE("pods get the node selector of their namespace") {
  ApiWorld w;
  w.admission.node_selector = *NodeSelectorConfig::parse(
      *parse_json(R"({"clusterDefaultNodeSelector":"zone=z","a":"zone=z,disk=fast"})"));
  REQUIRE(w.admission.choose({"PodNodeSelector"}, {}).ok());
  w.restart();
  const auto pod = [&](const std::string& name, const std::string& selector) {
    return w.call("POST", kPods,
                  R"({"metadata":{"name":")" + name + R"("},"spec":{"nodeSelector":)" + selector +
                      R"(,"containers":[{"name":"c","image":"i"}]}})");
  };
  const auto selector = [](const std::shared_ptr<FakeExchange>& reply) {
    CHECK(reply->status == 201);
    return to_json(sorted_keys(*find(ApiWorld::tree(reply), "spec.nodeSelector")));
  };
  const auto message = [](const std::shared_ptr<FakeExchange>& reply) {
    CHECK(reply->status == 403);
    return std::string(get_string(ApiWorld::tree(reply), "message"));
  };
  CHECK(selector(pod("one", R"({"disk":"fast"})")) == R"({"disk":"fast","zone":"z"})");
  CHECK(message(pod("two", R"({"zone":"y"})")) ==
        "pods \"two\" is forbidden: pod node label selector conflicts with its namespace node "
        "label selector");
  CHECK(message(pod("two", R"({"gpu":"yes"})")) ==
        "pods \"two\" is forbidden: pod node label selector labels conflict with its namespace "
        "whitelist");
  w.patch("merge-patch+json", "/api/v1/namespaces/a",
          R"({"metadata":{"annotations":{"scheduler.alpha.kubernetes.io/node-selector":""}}})");
  CHECK(selector(pod("three", R"({"disk":"fast"})")) == R"({"disk":"fast"})");
}

TEST_CASE("levels of pod security come from the configuration where a namespace says nothing") {
  ApiWorld w;
  w.admission.pod_security = *PodSecurityConfig::parse(*parse_json(
      R"({"apiVersion":"pod-security.admission.config.k8s.io/v1","kind":"PodSecurityConfiguration",)"
      R"("defaults":{"enforce":"baseline","warn":"restricted","enforce-version":"v1.30"},)"
      R"("exemptions":{"namespaces":["free"],"runtimeClasses":["box"]}})"));
  w.restart();
  w.make_namespace("free");
  const auto pod = [&](const std::string& ns, const std::string& more) {
    return w.call("POST", "/api/v1/namespaces/" + ns + "/pods?dryRun=All",
                  R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}])" +
                      more + "}}");
  };
  const auto denied = pod("a", R"(,"hostNetwork":true)");
  CHECK(denied->status == 403);
  CHECK(get_string(ApiWorld::tree(denied), "message") ==
        "pods \"p\" is forbidden: violates PodSecurity \"baseline:v1.30\": host namespaces "
        "(hostNetwork=true)");
  CHECK(pod("free", R"(,"hostNetwork":true)")->status == 201);
  const auto warned = pod("a", "");
  CHECK(warned->status == 201);
  CHECK(warned->headers.get("warning").find("would violate PodSecurity \\\"restricted:latest") !=
        std::string_view::npos);
  w.patch("merge-patch+json", "/api/v1/namespaces/a",
          R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}})");
  CHECK(pod("a", R"(,"hostNetwork":true)")->status == 201);
}

TEST_CASE("a configuration file is read, and what is wrong in it is told") {
  const auto none = [](const std::string& path) -> Result<std::string> {
    if (path == "/etc/images.yaml")
      return std::string("imagePolicy: {kubeConfigFile: k, allowTTL: 60}");
    return not_found("open " + path + ": no such file or directory");
  };
  const auto read = [&](const std::string& text) {
    AdmissionConfig config;
    return config.read(text, "/etc/admission.yaml", none);
  };
  const std::string head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n";
  AdmissionConfig config;
  REQUIRE(config
              .read(head + "plugins:\n- {name: ImagePolicyWebhook, path: images.yaml}\n",
                    "/etc/admission.yaml", none)
              .ok());
  CHECK(config.image_policy->allow_ttl == seconds(60));
  CHECK(config.image_policy->deny_ttl == seconds(30));
  CHECK(config.image_policy->retry_backoff == std::chrono::milliseconds(500));
  REQUIRE(config.read("imagePolicy: {kubeConfigFile: k, denyTTL: -1}", "/x", none).ok());
  CHECK(config.image_policy->deny_ttl == Duration::zero());

  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"a: [", "*yaml: line*"},
      {"kind: Pod\napiVersion: v1\n", "no kind \"Pod\" is registered for version \"v1\""},
      {"a: b\n", "Object 'Kind' is missing"},
      {head + "plugin: []\n", "strict decoding error: unknown field \"plugin\""},
      {head + "plugins: [{name: ImagePolicyWebhook, path: none.yaml}]\n",
       "open /etc/none.yaml: no such file or directory"},
      {head + "plugins: [{name: Nonsense, configuration: {}}]\n", "plugin Nonsense: is unknown"},
      {head + "plugins: [{name: Priority, configuration: {}}]\n",
       "plugin Priority: takes no configuration here"},
      {"imagePolicy: {}", "plugin ImagePolicyWebhook: imagePolicy.kubeConfigFile: is needed"},
      {"imagePolicy: {kubeConfigFile: k, allowTTL: 1}",
       "plugin ImagePolicyWebhook: imagePolicy.allowTTL: valid value is between 1s and 30m0s, got "
       "1"},
      {"imagePolicy: {kubeConfigFile: k, retryBackoff: 9223372036854775807}",
       "plugin ImagePolicyWebhook: imagePolicy.retryBackoff: valid value is between 1ns and 5m0s, "
       "got 9223372036854775807"},
      {head + "plugins: [{name: PodSecurity, configuration: {kind: PodSecurityConfiguration, "
              "apiVersion: pod-security.admission.config.k8s.io/v1, defaults: {enforce: high, "
              "warn-version: v2}}}]\n",
       "plugin PodSecurity: [defaults.enforce: Invalid value: \"high\": must be one of privileged, "
       "baseline, restricted, defaults.warn-version: Invalid value: \"v2\": must be \"latest\" or "
       "\"v1.x\"]"},
      {"podNodeSelectorPluginConfig: {a: b}", "plugin PodNodeSelector: a: invalid selector: [b]"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string said(read(c.text).message());
    if (c.error.starts_with('*')) {
      CHECK(said.find("yaml: line") != std::string::npos);
    } else {
      CHECK(said == c.error);
    }
  }
  AdmissionConfig names;
  CHECK(names.choose({"Nonsense"}, {}).message() ==
        "--enable-admission-plugins: plugin \"Nonsense\" is unknown");
  CHECK_FALSE(names.choose({"Priority"}, {"Priority"}).ok());
}

}  // namespace
}  // namespace coracle::apiserver
