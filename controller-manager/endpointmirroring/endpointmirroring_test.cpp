#include "endpointmirroring/endpointmirroring.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

struct Bench {
  FixedWorld world;
  void service(const std::string& spec = "") {
    world.put(gvr::kServices,
              *parse_yaml_one("{metadata: {name: db, namespace: ns}, spec: {" + spec + "}}"));
  }
  void endpoints(const std::string& address, const std::string& labels = "app: db") {
    world.put(gvr::kEndpoints,
              *parse_yaml_one("{apiVersion: v1, kind: Endpoints, metadata: {name: db, namespace: "
                              "ns, uid: u, labels: {" +
                              labels + "}}, subsets: [{addresses: [{ip: " + address +
                              ", hostname: one}], notReadyAddresses: [{ip: 192.0.2.9}], ports: "
                              "[{name: sql, port: 5432}]}]}"));
  }
  Plan plan() { return EndpointMirroringController().reconcile(world.view(), "ns/db", {}); }
};

}  // namespace

TEST_CASE("Endpoints of a Service without a selector are mirrored, and follow") {
  Bench b;
  b.endpoints("192.0.2.1");
  CHECK(b.plan().writes.empty());  // no Service
  b.service();
  Plan plan = b.plan();
  REQUIRE(plan.writes.size() == 1);
  json::value slice = plan.writes[0].body;
  CHECK(to_json(get_array(slice, "endpoints")) ==
        R"([{"addresses":["192.0.2.1"],"conditions":{"ready":true},"hostname":"one"},)"
        R"({"addresses":["192.0.2.9"],"conditions":{"ready":false}}])");
  CHECK(to_json(get_array(slice, "ports")) == R"([{"name":"sql","port":5432,"protocol":"TCP"}])");
  CHECK(to_json(api::labels_of(slice)) ==
        R"({"app":"db","endpointslice.kubernetes.io/managed-by":)"
        R"("endpointslicemirroring-controller.k8s.io","kubernetes.io/service-name":"db"})");
  CHECK(get_string(*api::controller_of(slice), "kind") == "Endpoints");

  set_path(slice, "metadata.name", json::value("db-x"));
  b.world.put(gvr::kEndpointSlices, slice);
  CHECK(b.plan().writes.empty());
  b.endpoints("192.0.2.2");
  plan = b.plan();
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kUpdate);

  b.service("selector: {app: db}");  // now the endpoint slice controller's
  plan = b.plan();
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kDelete);
}

TEST_CASE("who does not want to be mirrored is not") {
  Bench b;
  b.service();
  b.endpoints("192.0.2.1", "endpointslice.kubernetes.io/skip-mirror: 'true'");
  CHECK(b.plan().writes.empty());
}

TEST_CASE("addresses of two families get a slice each") {
  Bench b;
  b.service();
  b.endpoints("'2001:db8::1'");
  CHECK(b.plan().writes.size() == 2);
}
