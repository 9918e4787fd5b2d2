#include "metrics_core/usage_store.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::metrics;
using namespace std::chrono_literals;

namespace {

WallTime at(Duration t) { return WallTime(Duration(1'700'000'000s) + t); }

Point point(Duration started, Duration when, double cpu_seconds, std::int64_t memory = 0) {
  return {at(started), at(when), static_cast<std::int64_t>(cpu_seconds * 1e9), memory};
}

std::map<std::string, NodeScrape> round(Point node, Point container) {
  NodeScrape scrape;
  scrape.node = node;
  scrape.pods["ns/p"]["c"] = container;
  return {{"n", scrape}};
}

}  // namespace

TEST_CASE("a page of a kubelet") {
  const NodeScrape scrape = parse_resource_page(
      "# HELP node_cpu_usage_seconds_total x\n# TYPE node_cpu_usage_seconds_total counter\n"
      "node_cpu_usage_seconds_total 12.5 1700000010000\n"
      "node_memory_working_set_bytes 1.5e+09 1700000010000\n"
      "container_cpu_usage_seconds_total{container=\"c\",namespace=\"ns\",pod=\"p\"} 0.25 "
      "1700000009000\n"
      "container_memory_working_set_bytes{pod=\"p\",container=\"c\",namespace=\"ns\"} 4096 "
      "1700000009000\n"
      "container_start_time_seconds{container=\"c\",namespace=\"ns\",pod=\"p\"} 1700000000.5\n"
      "pod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"p\"} 0.25 1700000009000\n"
      "scrape_error 0\nnonsense\nbroken{a=\"b 3\n",
      at(0s));
  REQUIRE(scrape.node);
  CHECK(scrape.node->cpu_nanos == 12'500'000'000);
  CHECK(scrape.node->memory_bytes == 1'500'000'000);
  CHECK(scrape.node->at == at(10s));
  REQUIRE(scrape.pods.size() == 1);
  const Point& c = scrape.pods.at("ns/p").at("c");
  CHECK(c.cpu_nanos == 250'000'000);
  CHECK(c.memory_bytes == 4096);
  CHECK(c.at == at(9s));
  CHECK(c.started == at(500ms));
}

TEST_CASE("a pod of which one container is not measured whole is left out") {
  const NodeScrape scrape = parse_resource_page(
      "container_cpu_usage_seconds_total{container=\"a\",namespace=\"ns\",pod=\"p\"} 1\n"
      "container_memory_working_set_bytes{container=\"a\",namespace=\"ns\",pod=\"p\"} 1\n"
      "container_cpu_usage_seconds_total{container=\"b\",namespace=\"ns\",pod=\"p\"} 1\n",
      at(0s));
  CHECK(scrape.pods.empty());
  CHECK(!scrape.node);
}

TEST_CASE("nothing is known before the second round") {
  UsageStore store(15s);
  store.store(round(point(0s, 20s, 1), point(0s, 20s, 1)));
  CHECK(!store.of_node("n"));
  CHECK(!store.of_pod("ns/p"));
  CHECK(!store.ready());
  store.store(round(point(0s, 35s, 4, 100), point(0s, 35s, 2.5, 50)));
  REQUIRE(store.of_node("n"));
  CHECK(store.of_node("n")->cpu_nanos == 200'000'000);
  CHECK(store.of_node("n")->window == 15s);
  CHECK(store.of_node("n")->memory_bytes == 100);
  CHECK(store.of_pod("ns/p")->containers.at("c").cpu_nanos == 100'000'000);
  CHECK(store.ready());
}

TEST_CASE("a measurement that comes twice does not become its own partner") {
  UsageStore store(15s);
  store.store(round(point(0s, 20s, 1), point(0s, 20s, 1)));
  store.store(round(point(0s, 30s, 2), point(0s, 30s, 2)));
  store.store(round(point(0s, 30s, 2), point(0s, 30s, 2)));
  CHECK(store.of_node("n")->window == 10s);
  CHECK(store.of_pod("ns/p")->window == 10s);
}

TEST_CASE("a container that was started again is not compared with its last run") {
  UsageStore store(15s);
  store.store(round(point(0s, 20s, 1), point(0s, 20s, 9)));
  store.store(round(point(0s, 35s, 2), point(30s, 35s, 1)));
  CHECK(!store.of_pod("ns/p"));
  store.store(round(point(0s, 50s, 2), point(30s, 50s, 2.5)));
  CHECK(store.of_pod("ns/p")->containers.at("c").cpu_nanos == 100'000'000);
}

TEST_CASE("a fresh container is shown by what it used since its start") {
  UsageStore store(15s);
  store.store(round(point(0s, 20s, 1), point(8s, 20s, 6)));
  REQUIRE(store.of_pod("ns/p"));
  CHECK(store.of_pod("ns/p")->window == 12s);
  CHECK(store.of_pod("ns/p")->containers.at("c").cpu_nanos == 500'000'000);
  store.store({});
  CHECK(!store.of_pod("ns/p"));  // what a round does not show is forgotten
}
