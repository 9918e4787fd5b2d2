#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "config/config.hpp"
#include "gpu_demand/demand_report.hpp"
#include "gpu_demand/demand_table.hpp"
#include "gpu_demand/gpu_demand.hpp"
#include "gpu_demand/policy_config.hpp"

using namespace coracle;
using namespace coracle::sim;

namespace {

TraceNode a_node(const std::string& name, int gpus, const std::string& cpu = "64") {
  TraceNode node;
  node.name = name;
  node.allocatable = {{"cpu", cpu},
                      {"memory", "256Gi"},
                      {"lab.coracle.dev/gpu-milli", std::to_string(gpus * 1000)}};
  node.labels = {{"lab.coracle.dev/gpu-model", "T4"}};
  return node;
}

TracePod a_pod(const std::string& name, int gpu_milli, const std::string& cpu = "1") {
  TracePod pod;
  pod.name = name;
  pod.requests = {{"cpu", cpu}, {"lab.coracle.dev/gpu-milli", std::to_string(gpu_milli)}};
  return pod;
}

// 3 nodes of 4, 2 and 1 GPUs; pods that ask for 5.5 of these 7.
Trace small() {
  Trace trace;
  trace.events = {a_node("a", 4), a_node("b", 2), a_node("c", 1)};
  for (int i = 0; i < 5; ++i) trace.events.emplace_back(a_pod("half-" + std::to_string(i), 500));
  trace.events.emplace_back(a_pod("two", 2000));
  trace.events.emplace_back(a_pod("one", 1000));
  return trace;
}

std::int64_t asked(const std::vector<scheduler::PodPtr>& pods) {
  std::int64_t sum = 0;
  for (const auto& pod : pods) sum += pod->gpu == nullptr ? 0 : pod->gpu->total();
  return sum;
}

}  // namespace

TEST_CASE("a demand is the trace's pods in an order of the seed, topped up or cut down") {
  const Result<GpuDemandTrace> trace = gpu_demand_trace(small());
  REQUIRE(trace.ok());
  CHECK(trace->capacity_milli == 7000);
  CHECK(trace->asked_milli == 5500);
  const auto pods = gpu_demand_pods(*trace, 2.0, 7);
  CHECK(asked(pods) <= 14'000 + 1000);
  CHECK(asked(pods) > 12'000);
  const auto names = [](const std::vector<scheduler::PodPtr>& list, size_t count) {
    std::vector<std::string> all;
    for (size_t i = 0; i < count; ++i) all.push_back(list[i]->name);
    return all;
  };
  CHECK(names(pods, pods.size()) == names(gpu_demand_pods(*trace, 2.0, 7), pods.size()));
  CHECK(names(pods, 7) != names(gpu_demand_pods(*trace, 2.0, 8), 7));
  std::vector<std::string> first = names(pods, 7);
  std::sort(first.begin(), first.end());
  CHECK(first.front() == "half-0");
  CHECK(first.back() == "two");
  CHECK(pods[7]->name.find("-again-0") != std::string::npos);
  CHECK(asked(gpu_demand_pods(*trace, 0.5, 7)) <= 3500);
}

TEST_CASE("what the experiment cannot use is named") {
  Trace none;
  none.events = {a_node("a", 0), a_pod("p", 500)};
  CHECK(gpu_demand_trace(none).status().message() == "no node has GPUs");
  Trace odd = small();
  odd.events.emplace_back(a_pod("odd", 1500));
  CHECK(gpu_demand_trace(odd).status().message().find("pod default/odd: ") == 0);
  Trace moving = small();
  moving.events.emplace_back(TraceNodeEvent{Duration{0}, "a", TraceNodeEvent::Kind::kFail, {}});
  CHECK(gpu_demand_trace(moving).status().message().find("node a: fail") == 0);
}

TEST_CASE("every policy fills what can be filled, and the same seed gives the same run") {
  const Result<GpuDemandTrace> trace = gpu_demand_trace(small());
  REQUIRE(trace.ok());
  for (const GpuPolicy& policy : gpu_policies()) {
    CAPTURE(policy.name);
    const DemandRun run = run_gpu_demand(*trace, policy, {2.0, 3});
    const DemandRun again = run_gpu_demand(*trace, policy, {2.0, 3});
    REQUIRE(!run.points.empty());
    CHECK(run.points.back().arrived_percent >= 180);
    CHECK(run.points.back().allocated_percent > 75);
    CHECK(run.points.back().allocated_percent <= 100.001);
    CHECK(run.placed + run.unfit == again.placed + again.unfit);
    CHECK(run.points.size() == again.points.size());
    CHECK(run.allocated_at(150) == again.allocated_at(150));
  }
}

TEST_CASE("the table tells the same order and the distance from what was published") {
  std::vector<DemandRun> runs;
  for (const auto& [variant, policy, at_100, at_130] : published_allocations()) {
    if (variant != "default") continue;
    for (const double off : {-0.2, 0.2}) {
      runs.push_back(
          {std::string(policy), 1, {{100, at_100 + off, 3}, {130, at_130 + off, 2}}, 1, 0});
    }
  }
  DemandTable table = demand_table(runs, 1.3, "default");
  REQUIRE(table.rows.size() == 6);
  CHECK(table.seeds == 2);
  CHECK(table.holds());
  CHECK(table.rows[5].at_end.mean == Approx(95.39));
  CHECK(table.rows[5].at_end.deviation == Approx(std::sqrt(0.08)));
  table.rows[0].at_end.mean = 97;
  CHECK_FALSE(table.same_order());
  CHECK_FALSE(table.close());
  CHECK(demand_table(runs, 1.2, "default").holds());  // nothing was published of that
  CHECK(curves_csv(runs).find("FGD,1,130,95.5900,2.0000\n") != std::string::npos);
}

TEST_CASE("the plot draws the mean of the seeds and their band, from a demand on") {
  std::vector<DemandRun> runs;
  for (const double off : {0.0, 10.0}) {
    runs.push_back({"FGD", 1, {{50, 1, 0}, {80, 70 + off, 0}, {130, 80 + off, 0}}, 1, 0});
  }
  const DemandTable table = demand_table(runs, 1.3, "");
  const std::string plot = demand_plot("t", table, runs, &DemandPoint::allocated_percent, 75);
  // x: 70..130 on 50..630; y: 70..90 on 280..34; the mean goes from (80, 75) to (130, 85).
  CHECK(plot.find("points=\"146.7,218.5 630.0,95.5 \"") != std::string::npos);
  CHECK(plot.find("points=\"146.7,157.0 630.0,34.0 630.0,157.0 146.7,280.0 \"") !=
        std::string::npos);
  CHECK(demand_plot("t", table, runs, &DemandPoint::allocated_percent, 131).empty());
  CHECK(demand_report(table, runs).find("<td>FGD</td>") != std::string::npos);
}

TEST_CASE("a policy's configuration is one that the scheduler reads, and has its plugins") {
  Trace trace = small();
  TracePod pod = a_pod("constrained", 300, "1500m");
  pod.annotations = {{"lab.coracle.dev/gpu-models", "T4,A10"}};
  trace.events.emplace_back(pod);
  const Result<GpuDemandTrace> demand = gpu_demand_trace(trace);
  REQUIRE(demand.ok());
  for (const GpuPolicy& policy : gpu_policies()) {
    const std::string text = policy_config(policy, *demand);
    CAPTURE(text);
    scheduler::Config config;
    REQUIRE(scheduler::parse_config(text, &config) == Status());
    REQUIRE(config.profiles.size() == 1);
    const scheduler::Profile& profile = config.profiles[0];
    REQUIRE(profile.scorers.size() == 1);
    CHECK(profile.scorers[0].plugin->name() == policy.plugin);
    CHECK(profile.percentage_of_nodes == 100);
    CHECK(profile.at(scheduler::Point::kReserve).back()->name() == "GpuShare");
    CHECK(text.find("gpuModels: [T4, A10]") != std::string::npos);
  }
}
