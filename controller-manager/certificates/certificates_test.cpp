#include "certificates/certificates.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;

namespace {

const Instant kNow{TimePoint(), *parse_time("2026-01-01T12:00:00Z")};
const char* kClient = "kubernetes.io/kube-apiserver-client";
const char* kKubelet = "kubernetes.io/kube-apiserver-client-kubelet";
const char* kServing = "kubernetes.io/kubelet-serving";

RequestFacts node_facts() {
  RequestFacts facts;
  facts.common_name = "system:node:n1";
  facts.organizations = {"system:nodes"};
  return facts;
}

struct Bench {
  FixedWorld world;
  RequestFacts facts = node_facts();
  WallTime signed_until{};

  CertificateTools tools() {
    CertificateTools t;
    t.read = [this](const std::string&) -> Result<RequestFacts> { return facts; };
    t.sign = [this](const std::string&, const std::vector<std::string>&, WallTime,
                    WallTime end) -> Result<std::string> {
      signed_until = end;
      return std::string("PEM");
    };
    t.not_after = [](const std::string&) -> Result<WallTime> { return kNow.wall + 24h; };
    return t;
  }
  void request(const std::string& spec, const std::string& status = "") {
    world.put(gvr::kCertificateSigningRequests,
              *parse_yaml_one("{apiVersion: certificates.k8s.io/v1, kind: "
                              "CertificateSigningRequest, metadata: {name: r, uid: u, "
                              "creationTimestamp: '2026-01-01T11:00:00Z'}, spec: {request: eA==, " +
                              spec + "}, status: {" + status + "}}"));
  }
  Plan approve() { return CertificateApprover(tools()).reconcile(world.view(), "r", kNow); }
  Plan sign() { return CertificateSigner(tools()).reconcile(world.view(), "r", kNow); }
};

std::string verdict(const std::string& type, const std::string& time = "2026-01-01T11:30:00Z") {
  return "conditions: [{type: " + type + ", status: 'True', lastUpdateTime: '" + time + "'}]";
}

const std::string kUsages = ", usages: [client auth, digital signature]";

}  // namespace

TEST_CASE("what the signers demand") {
  struct Case {
    const char* name;
    const char* signer;
    std::vector<std::string> usages;
    void (*change)(RequestFacts&);
    const char* why;
  };
  const std::vector<std::string> client = {"client auth", "digital signature"};
  const std::vector<std::string> server = {"server auth", "key encipherment", "digital signature"};
  const auto nothing = [](RequestFacts&) {};
  const std::vector<Case> cases = {
      {"a user", kClient, client, nothing, ""},
      {"a user who would serve", kClient, server, nothing,
       "invalid usage for client certificate: server auth"},
      {"a user who would nothing",
       kClient,
       {"digital signature"},
       nothing,
       "missing required usage for client certificate: client auth"},
      {"a kubelet", kKubelet, client, nothing, ""},
      {"a kubelet of another group", kKubelet, client,
       [](RequestFacts& f) { f.organizations = {"system:masters"}; },
       "subject organization is not system:nodes"},
      {"a kubelet of another name", kKubelet, client, [](RequestFacts& f) { f.common_name = "n1"; },
       "subject common name does not begin with system:node:"},
      {"a kubelet with an address", kKubelet, client,
       [](RequestFacts& f) { f.ip_addresses = {"1.2.3.4"}; }, "IP subjectAltNames are not allowed"},
      {"a kubelet with too much", kKubelet, server, nothing,
       "usages did not match [client auth digital signature key encipherment]"},
      {"a kubelet's server", kServing, server,
       [](RequestFacts& f) { f.ip_addresses = {"1.2.3.4"}; }, ""},
      {"a server without an address", kServing, server, nothing,
       "DNS or IP subjectAltName is required"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    RequestFacts facts = node_facts();
    c.change(facts);
    CHECK(why_not_signed(c.signer, facts, c.usages) == c.why);
  }
}

TEST_CASE("kubelets are approved if they may, and only they") {
  Bench b;
  b.request("username: system:bootstrap:abcdef, groups: [g], signerName: " + std::string(kKubelet) +
            kUsages);
  Plan plan = b.approve();
  REQUIRE(plan.writes.size() == 2);
  REQUIRE(plan.writes[0].verb == Write::Verb::kAsk);
  CHECK(get_string(plan.writes[0].body, "spec.user") == "system:bootstrap:abcdef");
  CHECK(get_string(plan.writes[0].body, "spec.resourceAttributes.subresource") == "nodeclient");
  CHECK(plan.writes[0].agrees(*parse_yaml_one("{status: {allowed: true}}")));
  CHECK_FALSE(plan.writes[0].agrees(*parse_yaml_one("{status: {allowed: false}}")));
  CHECK(plan.writes[1].subresource == "approval");
  CHECK(get_string(get_array(plan.writes[1].body, "status.conditions").at(0), "reason") ==
        "AutoApproved");

  b.request("username: 'system:node:n1', signerName: " + std::string(kKubelet) + kUsages);
  plan = b.approve();
  REQUIRE(plan.writes.size() == 2);
  CHECK(get_string(plan.writes[0].body, "spec.resourceAttributes.subresource") == "selfnodeclient");

  b.request("username: kit, signerName: " + std::string(kClient) + kUsages);
  CHECK(b.approve().writes.empty());
  b.request("username: x, signerName: " + std::string(kKubelet) + kUsages, verdict("Denied"));
  CHECK(b.approve().writes.empty());
  b.facts.common_name = "other";
  b.request("username: x, signerName: " + std::string(kKubelet) + kUsages);
  CHECK(b.approve().writes.empty());
}

TEST_CASE("approved requests are signed for as long as asked, or fail with a reason") {
  Bench b;
  const std::string user = "signerName: " + std::string(kClient) + kUsages;
  b.request(user);
  CHECK(b.sign().writes.empty());
  b.request(user + ", expirationSeconds: 3600", verdict("Approved"));
  Plan plan = b.sign();
  REQUIRE(plan.writes.size() == 1);
  CHECK(get_string(plan.writes[0].body, "status.certificate") == base64_encode("PEM"));
  CHECK(b.signed_until == kNow.wall + 1h);
  b.request(user + ", expirationSeconds: 999999999", verdict("Approved"));
  b.sign();
  CHECK(b.signed_until == kNow.wall + 24h * 365 - 5min);

  b.request("signerName: " + std::string(kClient) + ", usages: [server auth]", verdict("Approved"));
  plan = b.sign();
  REQUIRE(plan.writes.size() == 1);
  const json::array& conditions = get_array(plan.writes[0].body, "status.conditions");
  CHECK(get_string(conditions.at(1), "type") == "Failed");
  CHECK(get_string(conditions.at(1), "reason") == "SignerValidationFailure");
  b.request("signerName: example.com/own" + kUsages, verdict("Approved"));
  CHECK(b.sign().writes.empty());
}

TEST_CASE("without a CA nothing is signed") {
  Bench b;
  b.request("signerName: " + std::string(kClient) + kUsages, verdict("Approved"));
  CertificateTools tools = b.tools();
  tools.sign = nullptr;
  CHECK(CertificateSigner(tools).reconcile(b.world.view(), "r", kNow).writes.empty());
}

TEST_CASE("old requests go") {
  struct Case {
    const char* name;
    std::string status;
    WallTime gone;  // at this time, not before
  };
  const auto at = [](const char* time) { return *parse_time(time); };
  const std::vector<Case> cases = {
      {"undecided", "", at("2026-01-02T11:00:00Z")},
      {"denied", verdict("Denied"), at("2026-01-01T12:30:00Z")},
      {"issued", verdict("Approved") + ", certificate: eA==", at("2026-01-01T12:30:00Z")},
      {"run out", verdict("Approved", "2026-01-02T11:50:00Z") + ", certificate: eA==",
       at("2026-01-02T12:00:00Z")},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Bench b;
    b.request("signerName: x/y", c.status);
    const CertificateCleaner cleaner(b.tools());
    const Plan before = cleaner.reconcile(b.world.view(), "r", {TimePoint(), c.gone - 1s});
    CHECK(before.writes.empty());
    CHECK(before.again_after == Duration(1s));
    CHECK(cleaner.reconcile(b.world.view(), "r", {TimePoint(), c.gone}).writes.size() == 1);
  }
  Bench b;  // approved and not signed yet
  b.request("signerName: x/y", verdict("Approved"));
  CHECK_FALSE(CertificateCleaner(b.tools()).reconcile(b.world.view(), "r", kNow).again_after);
}
