#include "loadbalancer/loadbalancer.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const char* kHeld = ", finalizers: [service.kubernetes.io/load-balancer-cleanup]";

struct Bench {
  FixedWorld world;
  LoadBalancerController controller{*AddressPool::parse("127.80.0.0/30")};

  void service(const std::string& name, const std::string& spec, const std::string& meta = kHeld,
               const std::string& address = "") {
    world.put(gvr::kServices,
              *parse_yaml_one("{metadata: {name: " + name + ", namespace: ns, uid: u-" + name +
                              meta + "}, spec: {" + spec + "}, status: {loadBalancer: {" +
                              (address.empty() ? "" : "ingress: [{ip: " + address + "}]") + "}}}"));
  }
  // The address written, "-" for none written, "" for taken away.
  std::string given(const std::string& name) {
    const Plan plan = controller.reconcile(world.view(), "ns/" + name, {});
    if (plan.writes.empty() || plan.writes[0].verb != Write::Verb::kUpdateStatus) return "-";
    const auto& ingress = get_array(plan.writes[0].body, "status.loadBalancer.ingress");
    return ingress.empty() ? "" : std::string(get_string(ingress[0], "ip"));
  }
};

const char* kWants = "type: LoadBalancer";

}  // namespace

TEST_CASE("a pool is a range without its ends") {
  const auto pool = AddressPool::parse("127.80.0.0/30");
  REQUIRE(pool.ok());
  CHECK(ipv4_text(pool->first) == "127.80.0.1");
  CHECK(ipv4_text(pool->last) == "127.80.0.2");
  for (const char* bad : {"127.80.0.0", "127.80.0.0/31", "x/24", "127.80.0.0/0", "::1/64"}) {
    CHECK_FALSE(AddressPool::parse(bad).ok());
  }
}

TEST_CASE("a finalizer first, then the first free address; each has its own") {
  Bench b;
  b.service("a", kWants, "");
  const Plan plan = b.controller.reconcile(b.world.view(), "ns/a", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::has_finalizer(plan.writes[0].body, "service.kubernetes.io/load-balancer-cleanup"));
  b.service("a", kWants);
  CHECK(b.given("a") == "127.80.0.1");
  b.service("a", kWants, kHeld, "127.80.0.1");
  CHECK(b.given("a") == "-");
  b.service("b", kWants);
  CHECK(b.given("b") == "127.80.0.2");
  b.service("b", kWants, kHeld, "127.80.0.2");
  b.service("c", kWants);
  CHECK(b.given("c") == "-");
  CHECK(b.controller.reconcile(b.world.view(), "ns/c", {}).again_after);
}

TEST_CASE("who asks for an address gets that or none; other classes are others'") {
  Bench b;
  b.service("a", "type: LoadBalancer, loadBalancerIP: 127.80.0.2");
  CHECK(b.given("a") == "127.80.0.2");
  b.service("a", "type: LoadBalancer, loadBalancerIP: 10.0.0.1");
  CHECK(b.given("a") == "-");
  b.service("a", "type: LoadBalancer, loadBalancerClass: example.com/x", "");
  CHECK(b.controller.reconcile(b.world.view(), "ns/a", {}).writes.empty());
  b.service("a", "type: ClusterIP", "");
  CHECK(b.controller.reconcile(b.world.view(), "ns/a", {}).writes.empty());
}

TEST_CASE("an address is given back, by the Service that took it second too") {
  Bench b;
  b.service("a", kWants, kHeld, "127.80.0.1");
  b.service("b", kWants, kHeld, "127.80.0.1");
  CHECK(b.given("a") == "-");
  CHECK(b.given("b") == "");
  b.service("a", "type: ClusterIP", kHeld, "127.80.0.1");
  CHECK(b.given("a") == "");
  b.service("a", "type: ClusterIP");
  Plan plan = b.controller.reconcile(b.world.view(), "ns/a", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::finalizers_of(plan.writes[0].body).empty());
  b.service("a", kWants, std::string(kHeld) + ", deletionTimestamp: '2026-01-01T00:00:00Z'",
            "127.80.0.1");
  plan = b.controller.reconcile(b.world.view(), "ns/a", {});
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::finalizers_of(plan.writes[0].body).empty());
}
