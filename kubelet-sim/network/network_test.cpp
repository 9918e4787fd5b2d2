#include <catch2/catch.hpp>

#include "network/balancer.hpp"
#include "network/service_table.hpp"

namespace coracle::network {
namespace {

client::ObjectPtr object(std::string_view text) {
  return std::make_shared<const json::value>(parse_json(text).value());
}

client::ObjectPtr service(std::string_view spec, std::string_view status = "{}") {
  return object(R"({"metadata":{"name":"web","namespace":"default"},"spec":)" + std::string(spec) +
                R"(,"status":)" + std::string(status) + "}");
}

client::ObjectPtr slice(std::string_view endpoints, std::string_view ports) {
  return object(R"({"metadata":{"name":"web-x","namespace":"default","labels":)"
                R"({"kubernetes.io/service-name":"web"}},"addressType":"IPv4","endpoints":)" +
                std::string(endpoints) + R"(,"ports":)" + std::string(ports) + "}");
}

client::ObjectPtr node(const std::string& name, const std::string& address) {
  return object(R"({"metadata":{"name":")" + name +
                R"("},"status":{"addresses":[{"type":"InternalIP","address":")" + address +
                R"("},{"type":"Hostname","address":")" + name + R"("}]}})");
}

constexpr std::string_view kPorts = R"([{"name":"http","port":8080,"protocol":"TCP"}])";
constexpr std::string_view kClusterIp =
    R"({"clusterIP":"127.96.0.5","ports":[{"name":"http","port":80,"targetPort":8080}]})";

TEST_CASE("which endpoints get traffic") {
  struct Case {
    const char* name;
    const char* endpoints;
    std::vector<Endpoint> used;
  };
  const auto c = GENERATE(values<Case>({
      {"ready ones",
       R"([{"addresses":["127.128.0.1"],"conditions":{"ready":true}},
           {"addresses":["127.128.0.2"],"conditions":{"ready":false}}])",
       {{"127.128.0.1", 8080}}},
      {"without conditions they are ready",
       R"([{"addresses":["127.128.0.1"]}])",
       {{"127.128.0.1", 8080}}},
      {"a terminating one only while nobody is ready",
       R"([{"addresses":["127.128.0.1"],"conditions":{"ready":false,"serving":true,
            "terminating":true}},
           {"addresses":["127.128.0.2"],"conditions":{"ready":true}}])",
       {{"127.128.0.2", 8080}}},
      {"the last one that still serves",
       R"([{"addresses":["127.128.0.1"],"conditions":{"ready":false,"serving":true,
            "terminating":true}},
           {"addresses":["127.128.0.2"],"conditions":{"ready":false,"serving":false,
            "terminating":true}}])",
       {{"127.128.0.1", 8080}}},
      {"nobody", R"([{"addresses":["127.128.0.2"],"conditions":{"ready":false}}])", {}},
  }));
  CAPTURE(c.name);
  const auto table = make_service_table({service(kClusterIp)}, {slice(c.endpoints, kPorts)}, {});
  if (c.used.empty()) {
    CHECK(table.empty());  // nobody listens: clients are refused
    return;
  }
  REQUIRE(table.size() == 1);
  CHECK(table.begin()->first == Listening{"127.96.0.5", 80, Transport::kTcp});
  CHECK(table.begin()->second.endpoints == c.used);
}

TEST_CASE("what is listened on") {
  struct Case {
    const char* name;
    const char* spec;
    const char* status;
    std::vector<Listening> listening;
  };
  const auto c = GENERATE(values<Case>({
      {"a node port is on every node and localhost",
       R"({"type":"NodePort","clusterIP":"127.96.0.5",
           "ports":[{"name":"http","port":80,"nodePort":30080}]})",
       "{}",
       {{"", 30080, Transport::kTcp}, {"127.96.0.5", 80, Transport::kTcp}}},
      {"a load balancer's address, external addresses",
       R"({"type":"LoadBalancer","clusterIP":"127.96.0.5","externalIPs":["127.64.0.9","8.8.8.8"],
           "ports":[{"name":"http","port":80}]})",
       R"({"loadBalancer":{"ingress":[{"ip":"127.64.0.1"}]}})",
       {{"127.64.0.1", 80, Transport::kTcp},
        {"127.64.0.9", 80, Transport::kTcp},
        {"127.96.0.5", 80, Transport::kTcp}}},
      {"headless", R"({"clusterIP":"None","ports":[{"name":"http","port":80}]})", "{}", {}},
      {"a name outside",
       R"({"type":"ExternalName","externalName":"example.com",
           "ports":[{"name":"http","port":80}]})",
       "{}",
       {}},
      {"symbolic addresses",
       R"({"clusterIP":"10.96.0.5","ports":[{"name":"http","port":80}]})",
       "{}",
       {}},
      {"another protocol has other endpoints",
       R"({"clusterIP":"127.96.0.5","ports":[{"name":"http","port":80,"protocol":"UDP"}]})",
       "{}",
       {}},
  }));
  CAPTURE(c.name);
  const auto table = make_service_table({service(c.spec, c.status)},
                                        {slice(R"([{"addresses":["127.128.0.1"]}])", kPorts)}, {});
  std::vector<Listening> listening;
  for (const auto& [at, frontend] : table) listening.push_back(at);
  CHECK(listening == c.listening);
}

TEST_CASE("externalTrafficPolicy Local keeps to the node that was asked") {
  const auto table = make_service_table(
      {service(R"({"type":"NodePort","clusterIP":"127.96.0.5","externalTrafficPolicy":"Local",
                   "ports":[{"name":"http","port":80,"nodePort":30080}]})")},
      {slice(R"([{"addresses":["127.128.0.1"],"nodeName":"n1"},
                 {"addresses":["127.128.0.2"],"nodeName":"n2"}])",
             kPorts)},
      {node("n1", "127.32.0.1"), node("n2", "127.32.0.2"), node("n3", "127.32.0.3")});
  Balancer outside(table.at({"", 30080, Transport::kTcp}));
  const TimePoint now{};
  for (int i = 0; i < 3; ++i) {
    CHECK(outside.choose({"127.0.0.1", "127.32.0.2", {}}, now) == Endpoint{"127.128.0.2", 8080});
  }
  CHECK_FALSE(outside.choose({"127.0.0.1", "127.32.0.3", {}}, now));
  CHECK(outside.choose({"127.0.0.1", "127.0.0.1", {}}, now));
  Balancer inside(table.at({"127.96.0.5", 80, Transport::kTcp}));
  CHECK(inside.choose({"127.0.0.1", "127.96.0.5", {}}, now) !=
        inside.choose({"127.0.0.1", "127.96.0.5", {}}, now));
}

Frontend three() {
  Frontend frontend;
  frontend.endpoints = {{"127.128.0.1", 80}, {"127.128.0.2", 80}, {"127.128.0.3", 80}};
  return frontend;
}

TEST_CASE("in turn, without those that did not answer") {
  Balancer balancer(three());
  const TimePoint now{};
  std::map<std::string, int> hits;
  for (int i = 0; i < 30; ++i) ++hits[balancer.choose({"c", "l", {}}, now)->address];
  CHECK(hits ==
        std::map<std::string, int>{{"127.128.0.1", 10}, {"127.128.0.2", 10}, {"127.128.0.3", 10}});
  const std::vector<Endpoint> dead = {{"127.128.0.1", 80}, {"127.128.0.3", 80}};
  CHECK(balancer.choose({"c", "l", dead}, now) == Endpoint{"127.128.0.2", 80});
  CHECK_FALSE(balancer.choose({"c", "l", three().endpoints}, now));
}

TEST_CASE("a client with affinity stays until it was silent for too long or its endpoint goes") {
  Frontend frontend = three();
  frontend.affinity = std::chrono::seconds(10);
  Balancer balancer(frontend);
  TimePoint now{};
  const auto first = balancer.choose({"c", "l", {}}, now);
  for (int i = 0; i < 5; ++i) {
    now += std::chrono::seconds(9);
    CHECK(balancer.choose({"c", "l", {}}, now) == first);
  }
  CHECK(balancer.choose({"other", "l", {}}, now) != first);
  now += std::chrono::seconds(10);
  CHECK(balancer.choose({"c", "l", {}}, now) != first);
  const auto second = balancer.choose({"c", "l", {}}, now);
  CHECK(balancer.choose({"c", "l", {*second}}, now) != second);
  const auto third = balancer.choose({"c", "l", {}}, now);
  std::erase(frontend.endpoints, *third);
  balancer.update(frontend);
  CHECK(balancer.choose({"c", "l", {}}, now) != third);
}

TEST_CASE("only the ranges a load balancer is open to") {
  Frontend frontend = three();
  frontend.source_ranges = {"10.0.0.0/8", "127.0.0.0/30"};
  Balancer balancer(frontend);
  CHECK(balancer.choose({"127.0.0.1", "l", {}}, {}));
  CHECK_FALSE(balancer.choose({"127.0.0.9", "l", {}}, {}));
  CHECK(cidr_contains("0.0.0.0/0", "127.0.0.9"));
  CHECK_FALSE(cidr_contains("10.0.0.0/33", "10.0.0.1"));
  CHECK_FALSE(cidr_contains("10.0.0.0", "10.0.0.1"));
}

}  // namespace
}  // namespace coracle::network
