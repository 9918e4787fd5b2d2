#include "kubelet/node_usage.hpp"

#include <catch2/catch.hpp>

#include "kubelet/request_access.hpp"
#include "kubelet/usage_pages.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

Instant at(Duration t) { return {TimePoint(1h + t), WallTime(Duration(1'700'000'000s) + t)}; }

PodUse pod(const std::string& name, std::vector<ContainerUse> containers) {
  return {"ns", name, "uid-" + name, at(0s).wall, std::move(containers)};
}

ContainerUse use(const std::string& name, Duration started, double cpu_seconds,
                 std::int64_t memory = 0) {
  return {name, at(started).wall, static_cast<std::int64_t>(cpu_seconds * 1e9), memory};
}

std::int64_t nanos(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

}  // namespace

TEST_CASE("a rate is of the time since the last measurement") {
  NodeMeter meter(at(0s));
  NodeUse node = meter.measure({pod("a", {use("c", 0s, 1)})}, at(10s));
  CHECK(node.pods[0].cpu_rate_nanos == nanos(0.1));  // since its start
  node = meter.measure({pod("a", {use("c", 0s, 6)})}, at(20s));
  CHECK(node.pods[0].cpu_rate_nanos == nanos(0.5));
  // Too short a time to say something new.
  node = meter.measure({pod("a", {use("c", 0s, 7)})}, at(20s + 500ms));
  CHECK(node.pods[0].cpu_rate_nanos == nanos(0.5));
  node = meter.measure({pod("a", {use("c", 0s, 8)})}, at(22s));
  CHECK(node.pods[0].cpu_rate_nanos == nanos(1));
}

TEST_CASE("totals of pod and node do not go back when containers start again or pods go") {
  NodeMeter meter(at(0s));
  const auto system = [](double s) { return nanos(NodeMeter::kSystemCpu * s); };
  NodeUse node = meter.measure({pod("a", {use("c", 0s, 4)}), pod("b", {use("c", 0s, 1)})}, at(5s));
  CHECK(node.cpu_nanos == nanos(5) + system(5));
  node = meter.measure({pod("a", {use("c", 6s, 0.5)}), pod("b", {use("c", 0s, 2)})}, at(10s));
  CHECK(node.pods[0].containers[0].cpu_nanos == nanos(0.5));
  CHECK(node.pods[0].cpu_nanos == nanos(4.5));
  CHECK(node.cpu_nanos == nanos(6.5) + system(10));
  node = meter.measure({pod("b", {use("c", 0s, 2)})}, at(20s));
  CHECK(node.cpu_nanos == nanos(6.5) + system(20));
  CHECK(node.cpu_rate_nanos == system(1));
}

TEST_CASE("/metrics/resource has upstream's families") {
  NodeMeter meter(at(0s));
  NodeUse node = meter.measure({pod("a", {use("c", 0s, 1.5, 4096)})}, at(10s));
  const std::string page = resource_metrics_page(node);
  for (const char* line :
       {"# TYPE container_cpu_usage_seconds_total counter",
        "container_cpu_usage_seconds_total{container=\"c\",namespace=\"ns\",pod=\"a\"} 1.5 "
        "1700000010000\n",
        "container_memory_working_set_bytes{container=\"c\",namespace=\"ns\",pod=\"a\"} 4096 "
        "1700000010000\n",
        "container_start_time_seconds{container=\"c\",namespace=\"ns\",pod=\"a\"} 1700000000\n",
        "node_cpu_usage_seconds_total 1.7 1700000010000\n",
        "pod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"a\"} 1.5 1700000010000\n",
        "pod_memory_working_set_bytes{namespace=\"ns\",pod=\"a\"} 4096 1700000010000\n",
        "# TYPE node_memory_working_set_bytes gauge", "resource_scrape_error 0\n"}) {
    INFO(line);
    CHECK(page.find(line) != std::string::npos);
  }
}

TEST_CASE("/metrics/cadvisor has the same figures under cAdvisor's names") {
  NodeMeter meter(at(0s));
  PodUse used = pod("a", {use("c", 0s, 1.5, 4096)});
  used.uid = "u";
  used.containers[0].image = "nginx";
  const std::string page = cadvisor_metrics_page(meter.measure({used}, at(10s)));
  for (const char* line :
       {"# TYPE container_cpu_usage_seconds_total counter",
        "container_cpu_usage_seconds_total{container=\"c\",cpu=\"total\",id=\"/kubepods/podu/c\","
        "image=\"nginx\",name=\"c\",namespace=\"ns\",pod=\"a\"} 1.5 1700000010000\n",
        "container_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/"
        "\",image=\"\",name=\"\","
        "namespace=\"\",pod=\"\"} 1.7 1700000010000\n",
        "container_memory_working_set_bytes{container=\"c\",id=\"/kubepods/podu/"
        "c\",image=\"nginx\","
        "name=\"c\",namespace=\"ns\",pod=\"a\"} 4096 1700000010000\n"}) {
    INFO(line);
    CHECK(page.find(line) != std::string::npos);
  }
}

TEST_CASE("/stats/summary") {
  NodeMeter meter(at(0s));
  NodeUse node = meter.measure({pod("a", {use("c", 0s, 1.5, 4096)})}, at(10s));
  node.name = "node-1";
  node.memory_capacity = 1ll << 30;
  const json::value all = stats_summary(node, false);
  CHECK(get_string(all, "node.nodeName") == "node-1");
  CHECK(get_int(all, "node.memory.availableBytes") ==
        (1ll << 30) - NodeMeter::kSystemMemory - 4096);
  const json::value& p = get_array(all, "pods").at(0);
  CHECK(get_string(p, "podRef.uid") == "uid-a");
  CHECK(get_int(p, "cpu.usageCoreNanoSeconds") == nanos(1.5));
  CHECK(get_int(get_array(p, "containers").at(0), "memory.workingSetBytes") == 4096);
  CHECK(find(p, "ephemeral-storage") != nullptr);
  CHECK(find(get_array(stats_summary(node, true), "pods").at(0), "ephemeral-storage") == nullptr);
}

TEST_CASE("which right a request needs") {
  using V = std::vector<std::string>;
  CHECK(access_of("GET", "/metrics").subresources == V{"metrics"});
  CHECK(access_of("GET", "/metrics/resource").subresources == V{"metrics"});
  CHECK(access_of("GET", "/metricsish").subresources == V{"proxy"});
  CHECK(access_of("GET", "/stats/summary").subresources == V{"stats"});
  CHECK(access_of("GET", "/pods").subresources == V{"pods", "proxy"});
  CHECK(access_of("GET", "/healthz").subresources == V{"healthz", "proxy"});
  CHECK(access_of("GET", "/configz").subresources == V{"configz", "proxy"});
  CHECK(access_of("POST", "/exec/ns/pod/c").subresources == V{"proxy"});
  CHECK(access_of("POST", "/exec/ns/pod/c").verb == "create");
  CHECK(access_of("GET", "/containerLogs/ns/pod/c").verb == "get");
  CHECK(access_of("TRACE", "/pods").verb.empty());
}
