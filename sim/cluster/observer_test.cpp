#include "cluster_sim/observer.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

namespace coracle::cluster_sim {
namespace {

json::value a_node(const std::string& cpu) {
  return *parse_json(R"({"kind":"Node","metadata":{"name":"n1","uid":"u-n1"},)"
                     R"("status":{"allocatable":{"cpu":")" +
                     cpu + R"(","pods":"110"}}})");
}

json::value a_pod(const std::string& name, const std::string& cpu, const std::string& node,
                  const std::string& phase) {
  return *parse_json(R"({"kind":"Pod","metadata":{"namespace":"default","name":")" + name +
                     R"(","uid":"u-)" + name + R"("},"spec":{"nodeName":")" + node +
                     R"(","containers":[{"name":"c","resources":{"requests":{"cpu":")" + cpu +
                     R"("}}}]},"status":{"phase":")" + phase + R"("}})");
}

// Both watches have begun, and told that nothing is there.
struct Watched {
  Watched() {
    observer.start();
    executor.run_ready();
    for (const auto& stream : api.open_streams()) {
      api.head(*stream);
      (stream->request.target.find("/nodes") == std::string::npos ? pods : nodes) = stream;
      api.event(*stream, "BOOKMARK",
                *parse_json(R"({"metadata":{"resourceVersion":"1","annotations":)"
                            R"({"k8s.io/initial-events-end":"true"}}})"));
    }
    REQUIRE(observer.has_synced());
  }
  std::string told() {
    observer.check_capacity();
    return std::exchange(last, "");
  }

  ManualExecutor executor;
  client::FakeApi api{executor};
  std::string last;
  Observer observer{executor, api, Rng(1), [this](const std::string& what) { last = what; }};
  std::shared_ptr<client::FakeApi::Stream> pods, nodes;
};

TEST_CASE("a node that holds more than it has is found when it or its pods change") {
  Watched w;
  w.api.event(*w.nodes, "ADDED", a_node("1"));
  w.api.event(*w.pods, "ADDED", a_pod("a", "600m", "n1", "Running"));
  w.api.event(*w.pods, "ADDED", a_pod("b", "600m", "", "Pending"));
  w.api.event(*w.pods, "ADDED", a_pod("c", "900m", "n1", "Succeeded"));
  CHECK(w.told() == "");

  // Bound, a look later than what was there before it.
  w.api.event(*w.pods, "MODIFIED", a_pod("b", "600m", "n1", "Pending"));
  CHECK(w.told() == "node n1 has 1000m of cpu, its pods ask for 1200m");
  w.api.event(*w.pods, "MODIFIED", a_pod("a", "600m", "n1", "Failed"));
  CHECK(w.told() == "");

  // Resized; and a node that shrinks below what it holds.
  w.api.event(*w.pods, "MODIFIED", a_pod("b", "1100m", "n1", "Running"));
  CHECK(w.told() == "node n1 has 1000m of cpu, its pods ask for 1100m");
  w.api.event(*w.nodes, "MODIFIED", a_node("2"));
  CHECK(w.told() == "");
  w.api.event(*w.nodes, "MODIFIED", a_node("1"));
  CHECK(w.told() == "node n1 has 1000m of cpu, its pods ask for 1100m");
  w.api.event(*w.pods, "DELETED", a_pod("b", "1100m", "n1", "Running"));
  CHECK(w.told() == "");
}

}  // namespace
}  // namespace coracle::cluster_sim
