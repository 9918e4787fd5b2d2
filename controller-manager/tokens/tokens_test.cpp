#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/yaml.hpp"
#include "tokens/bootstrap_tokens.hpp"
#include "tokens/service_account_tokens.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;

namespace {

const Instant kNow{TimePoint(), *parse_time("2026-01-01T12:00:00Z")};

json::value account_secret(const std::string& uid, const std::string& data = "") {
  return *parse_yaml_one(
      "{metadata: {name: s, namespace: ns, uid: us, annotations: "
      "{kubernetes.io/service-account.name: bot" +
      (uid.empty() ? "" : ", kubernetes.io/service-account.uid: " + uid) +
      "}}, type: kubernetes.io/service-account-token, data: {" + data + "}}");
}

json::value bootstrap_secret(const std::string& expiration) {
  json::value secret = *parse_yaml_one(
      "{metadata: {name: bootstrap-token-abcdef, namespace: kube-system, uid: u}, type: "
      "bootstrap.kubernetes.io/token, data: {}}");
  json::object& data = make_object(secret, "data");
  data["token-id"] = base64_encode("abcdef");
  data["token-secret"] = base64_encode("0123456789abcdef");
  data["usage-bootstrap-signing"] = base64_encode("true");
  if (!expiration.empty()) data["expiration"] = base64_encode(expiration);
  return secret;
}

std::string decoded(const json::value& object, const char* key) {
  return *base64_decode(get_object(object, "data").at(key).as_string());
}

}  // namespace

TEST_CASE("a Secret that names an account gets its token, once") {
  json::value claims;
  const ServiceAccountTokenController controller(
      [&](const json::value& c) -> Result<std::string> {
        claims = c;
        return std::string("T");
      },
      "PEM");
  FixedWorld world;
  world.put(gvr::kServiceAccounts,
            *parse_yaml_one("{metadata: {name: bot, namespace: ns, uid: ub}}"));
  world.put(gvr::kSecrets, account_secret(""));
  const Plan plan = controller.reconcile(world.view(), "ns/s", kNow);
  REQUIRE(plan.writes.size() == 1);
  const json::value& filled = plan.writes[0].body;
  CHECK(decoded(filled, "token") == "T");
  CHECK(decoded(filled, "ca.crt") == "PEM");
  CHECK(decoded(filled, "namespace") == "ns");
  CHECK(api::annotation_of(filled, "kubernetes.io/service-account.uid") == "ub");
  CHECK(claims.as_object().at("sub") == json::value("system:serviceaccount:ns:bot"));
  CHECK(claims.as_object().at("kubernetes.io/serviceaccount/secret.name") == json::value("s"));
  world.put(gvr::kSecrets, filled);
  CHECK(controller.reconcile(world.view(), "ns/s", kNow).writes.empty());
}

TEST_CASE("a token goes with its account, when the server says that it is gone") {
  const ServiceAccountTokenController controller(nullptr, "");
  FixedWorld world;
  world.put(gvr::kSecrets, account_secret("ub"));
  Plan plan = controller.reconcile(world.view(), "ns/s", kNow);
  REQUIRE(plan.writes.size() == 2);
  REQUIRE(plan.writes[0].verb == Write::Verb::kLook);
  CHECK(plan.writes[0].holds({}));
  json::array there;
  there.push_back(*parse_yaml_one("{metadata: {name: bot, namespace: ns, uid: ub}}"));
  CHECK_FALSE(plan.writes[0].holds(there));
  CHECK(plan.writes[1].verb == Write::Verb::kDelete);
  world.put(gvr::kServiceAccounts,
            *parse_yaml_one("{metadata: {name: bot, namespace: ns, uid: another}}"));
  CHECK(controller.reconcile(world.view(), "ns/s", kNow).writes.size() == 2);
}

TEST_CASE("bootstrap tokens go when they expire") {
  const BootstrapTokenCleaner cleaner;
  FixedWorld world;
  const char* key = "kube-system/bootstrap-token-abcdef";
  world.put(gvr::kSecrets, bootstrap_secret(""));
  CHECK_FALSE(cleaner.reconcile(world.view(), key, kNow).again_after);
  world.put(gvr::kSecrets, bootstrap_secret("2026-01-01T12:00:10Z"));
  const Plan plan = cleaner.reconcile(world.view(), key, kNow);
  CHECK(plan.writes.empty());
  CHECK(plan.again_after == Duration(10s));
  for (const char* past : {"2026-01-01T12:00:00Z", "nonsense"}) {
    world.put(gvr::kSecrets, bootstrap_secret(past));
    CHECK(cleaner.reconcile(world.view(), key, kNow).writes.size() == 1);
  }
}

TEST_CASE("cluster-info is signed by each token that may, and by no other") {
  const BootstrapSigner signer(
      [](const std::string& key, const std::string& text) { return key + "|" + text; });
  FixedWorld world;
  world.put(gvr::kConfigMaps, *parse_yaml_one("{metadata: {name: cluster-info, namespace: "
                                              "kube-public}, data: {kubeconfig: K, "
                                              "jws-kubeconfig-gone: x}}"));
  world.put(gvr::kSecrets, bootstrap_secret(""));
  Plan plan = signer.reconcile(world.view(), "cluster-info", kNow);
  REQUIRE(plan.writes.size() == 1);
  const std::string head = base64url_encode(R"({"alg":"HS256","kid":"abcdef"})");
  CHECK(get_string(plan.writes[0].body, "data.jws-kubeconfig-abcdef") ==
        head + ".." + base64url_encode("0123456789abcdef|" + head + "." + base64url_encode("K")));
  CHECK(find(plan.writes[0].body, "data.jws-kubeconfig-gone") == nullptr);
  CHECK(get_string(plan.writes[0].body, "data.kubeconfig") == "K");
  world.put(gvr::kConfigMaps, plan.writes[0].body);
  CHECK(signer.reconcile(world.view(), "cluster-info", kNow).writes.empty());
  world.put(gvr::kSecrets, bootstrap_secret("2026-01-01T11:00:00Z"));
  plan = signer.reconcile(world.view(), "cluster-info", kNow);
  REQUIRE(plan.writes.size() == 1);
  CHECK(find(plan.writes[0].body, "data.jws-kubeconfig-abcdef") == nullptr);
}
