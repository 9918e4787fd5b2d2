#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "network/policy_table.hpp"

namespace coracle::network {
namespace {

client::ObjectPtr object(const std::string& yaml) {
  return std::make_shared<const json::value>(parse_yaml_one(yaml).value());
}

client::ObjectPtr pod(const std::string& ns, const std::string& name, const std::string& address,
                      const std::string& labels, const std::string& more = "") {
  return object("{metadata: {namespace: " + ns + ", name: " + name + ", labels: {" + labels +
                "}}, spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]" +
                more + "}, status: {phase: Running, podIP: " + address + "}}");
}

client::ObjectPtr ns(const std::string& name, const std::string& labels) {
  return object("{metadata: {name: " + name + ", labels: {" + labels + "}}}");
}

client::ObjectPtr policy(const std::string& spec, const std::string& name = "p") {
  return object("{metadata: {namespace: shop, name: " + name + "}, spec: " + spec + "}");
}

constexpr const char *kWeb = "127.128.0.1", *kDb = "127.128.0.2", *kOther = "127.128.0.3",
                     *kFar = "127.128.0.4", *kDns = "127.96.0.10", *kHost = "127.128.0.9";

PolicyTable table(const Objects& policies) {
  return PolicyTable::make(
      policies, {ns("shop", "team: a"), ns("far", "tenant: web"), ns("kube-system", "")},
      {pod("shop", "web", kWeb, "app: web"), pod("shop", "db", kDb, "app: db"),
       pod("shop", "other", kOther, "app: other"), pod("far", "web", kFar, "app: web"),
       pod("shop", "host", kHost, "app: db", ", hostNetwork: true")},
      kDns);
}

bool allowed(const PolicyTable& t, const char* from, const char* to, std::uint16_t port = 5432,
             Transport transport = Transport::kTcp) {
  return t.decide({from, to, port, transport}).allowed;
}

}  // namespace

TEST_CASE("without a policy everybody reaches everybody") {
  const PolicyTable none = table({});
  CHECK(none.empty());
  CHECK(allowed(none, kWeb, kDb));
}

TEST_CASE("deny all isolates the pods of its namespace, one direction at a time") {
  const PolicyTable t = table({policy("{podSelector: {}, policyTypes: [Ingress]}", "deny-all")});
  CHECK_FALSE(allowed(t, kWeb, kDb));
  CHECK_FALSE(allowed(t, kFar, kDb));
  CHECK_FALSE(allowed(t, "127.0.0.1", kDb));
  CHECK(allowed(t, kDb, kFar));  // another namespace takes it
  CHECK(allowed(t, kDb, "8.8.8.8"));
  CHECK(allowed(t, kDb, kDb));     // itself
  CHECK(allowed(t, kWeb, kHost));  // in the host's network
  const Verdict refused = t.decide({kWeb, kDb, 5432, Transport::kTcp});
  CHECK(refused.reason ==
        "TCP ingress from pod shop/web to pod shop/db port 5432 is not allowed by any rule of "
        "NetworkPolicy shop/deny-all");
  CHECK(refused.pod == "shop/db");
}

TEST_CASE("peers and ports") {
  struct Case {
    const char* name;
    const char* spec;
    const char* from;
    std::uint16_t port;
    bool allowed;
  };
  const auto c = GENERATE(values<Case>({
      {"a label",
       "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
       "{matchLabels: {app: web}}}]}]}",
       kWeb, 1, true},
      {"another label",
       "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
       "{matchLabels: {app: web}}}]}]}",
       kOther, 1, false},
      {"the label, in another namespace",
       "{podSelector: {}, ingress: [{from: [{podSelector: "
       "{matchLabels: {app: web}}}]}]}",
       kFar, 1, false},
      {"a namespace",
       "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
       "{tenant: web}}}]}]}",
       kFar, 1, true},
      {"not this namespace",
       "{podSelector: {}, ingress: [{from: [{namespaceSelector: "
       "{matchLabels: {tenant: web}}}]}]}",
       kWeb, 1, false},
      {"both in one peer",
       "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, "
       "podSelector: {matchLabels: {app: other}}}]}]}",
       kFar, 1, false},
      {"either of two peers",
       "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: "
       "{app: x}}}, {namespaceSelector: {}}]}]}",
       kFar, 1, true},
      {"the port", "{podSelector: {}, ingress: [{ports: [{port: 5432}]}]}", kFar, 5432, true},
      {"another port", "{podSelector: {}, ingress: [{ports: [{port: 5432}]}]}", kFar, 80, false},
      {"another protocol", "{podSelector: {}, ingress: [{ports: [{port: 5432, protocol: UDP}]}]}",
       kFar, 5432, false},
      {"a range", "{podSelector: {}, ingress: [{ports: [{port: 5000, endPort: 6000}]}]}", kFar,
       5432, true},
      {"over the range", "{podSelector: {}, ingress: [{ports: [{port: 5000, endPort: 5431}]}]}",
       kFar, 5432, false},
      {"a named port", "{podSelector: {}, ingress: [{ports: [{port: sql}]}]}", kFar, 5432, true},
      {"a name nobody has", "{podSelector: {}, ingress: [{ports: [{port: web}]}]}", kFar, 5432,
       false},
      {"a block", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/24}}]}]}",
       "127.0.0.1", 1, true},
      {"outside of it", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/24}}]}]}",
       "127.0.1.1", 1, false},
      {"an exception",
       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8, except: "
       "[127.0.1.0/24]}}]}]}",
       "127.0.1.1", 1, false},
      {"a block has pods, too",
       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "
       "127.128.0.0/16}}]}]}",
       kWeb, 1, true},
      {"an empty rule allows all", "{podSelector: {}, ingress: [{}]}", "10.0.0.1", 1, true},
      {"a selector that selects nobody here", "{podSelector: {matchLabels: {app: none}}}", kFar, 1,
       true},
  }));
  CAPTURE(c.name);
  CHECK(allowed(table({policy(c.spec)}), c.from, kDb, c.port) == c.allowed);
}

TEST_CASE("both ends must agree, and policies add up") {
  const auto out = policy(
      "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: "
      "[{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]}",
      "out");
  const auto in = policy(
      "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
      "{matchLabels: {app: other}}}]}]}",
      "in");
  CHECK(allowed(table({out}), kWeb, kDb));
  CHECK_FALSE(allowed(table({out}), kWeb, kDb, 80));
  CHECK_FALSE(allowed(table({out}), kWeb, kOther));
  CHECK(allowed(table({out}), kOther, kWeb));  // egress only
  CHECK_FALSE(allowed(table({out, in}), kWeb, kDb));
  const auto more = policy(
      "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: "
      "web}}}]}]}",
      "more");
  const Verdict both = table({out, in, more}).decide({kWeb, kDb, 5432, Transport::kTcp});
  CHECK(both.allowed);
  CHECK(both.reason ==
        "NetworkPolicy shop/out allows egress; NetworkPolicy shop/more allows ingress");
}

TEST_CASE("no egress but DNS") {
  const PolicyTable t = table(
      {policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, "
              "podSelector: "
              "{matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]}")});
  CHECK(allowed(t, kWeb, kDns, 53, Transport::kUdp));
  CHECK_FALSE(allowed(t, kWeb, kDns, 53));
  CHECK_FALSE(allowed(t, kWeb, kDb));
  CHECK_FALSE(allowed(t, kWeb, "8.8.8.8", 443));
  CHECK(t.decide({kWeb, "8.8.8.8", 443, Transport::kTcp}).pod == "shop/web");
}

TEST_CASE("types without a list are the API server's default") {
  const PolicyTable t = table({policy("{podSelector: {matchLabels: {app: web}}, egress: []}")});
  CHECK_FALSE(allowed(t, kWeb, kDb));
  CHECK_FALSE(allowed(t, kDb, kWeb));
}

}  // namespace coracle::network
