#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "scenario/plan.hpp"

namespace coracle::sim {
namespace {

using Kind = Distribution::Kind;

double mean_of(const Distribution& distribution, int draws) {
  Rng rng(7);
  double sum = 0;
  for (int i = 0; i < draws; ++i) sum += distribution.draw(rng);
  return sum / draws;
}

TEST_CASE("distributions have the means they should") {
  constexpr int kDraws = 200'000;
  struct Case {
    const char* name;
    Distribution distribution;
    double mean;
  };
  const std::vector<Case> cases = {
      {"constant", {Kind::kConstant, 3}, 3},
      {"uniform", {Kind::kUniform, 2, 4}, 3},
      {"exponential", {Kind::kExponential, 5}, 5},
      {"lognormal: median times exp(sigma^2 / 2)", {Kind::kLognormal, 2, 0.5}, 2.2663},
      {"pareto: from times shape / (shape - 1)", {Kind::kPareto, 1, 3}, 1.5},
      {"choice", {Kind::kChoice, 0, 0, {}, {}, {{1, 3}, {5, 1}}}, 2},
      {"exponential, cut", {Kind::kExponential, 5, 0, 2.0, 2.0}, 2},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    REQUIRE(mean_of(one.distribution, kDraws) == Approx(one.mean).epsilon(0.01));
  }
}

TEST_CASE("arrivals come as their process says") {
  constexpr auto kHour = std::chrono::hours(1);
  Rng rng(3);
  ArrivalSpec spec;
  SECTION("poisson: about the rate, in order, before the end") {
    spec.per_second = 1;
    const auto times = arrival_times(spec, 10 * kHour, rng);
    REQUIRE(static_cast<double>(times.size()) == Approx(36000).epsilon(0.02));
    REQUIRE(std::is_sorted(times.begin(), times.end()));
    REQUIRE(times.back() < 10 * kHour);
  }
  SECTION("poisson with a daily swing: the same number, most of it around the peak") {
    spec.per_second = 0.5;
    spec.daily_swing = 1;
    spec.daily_peak = 12 * kHour;
    const auto times = arrival_times(spec, 24 * kHour, rng);
    REQUIRE(static_cast<double>(times.size()) == Approx(43200).epsilon(0.03));
    const auto near = std::count_if(times.begin(), times.end(),
                                    [&](Duration t) { return t > 6 * kHour && t < 18 * kHour; });
    REQUIRE(static_cast<double>(near) / static_cast<double>(times.size()) > 0.8);
  }
  SECTION("constant, within its window") {
    spec.process = ArrivalSpec::Process::kConstant;
    spec.every = std::chrono::minutes(10);
    spec.from = std::chrono::minutes(5);
    spec.until = std::chrono::minutes(30);
    const auto times = arrival_times(spec, kHour, rng);
    REQUIRE(times == std::vector<Duration>{std::chrono::minutes(5), std::chrono::minutes(15),
                                           std::chrono::minutes(25)});
  }
  SECTION("burst: several at once, at most so many in all") {
    spec.process = ArrivalSpec::Process::kBurst;
    spec.every = std::chrono::minutes(20);
    spec.size.a = 4;
    spec.count = 10;
    const auto times = arrival_times(spec, kHour, rng);
    REQUIRE(times.size() == 10);
    REQUIRE(std::set<Duration>(times.begin(), times.end()).size() == 3);
  }
  SECTION("uniform: exactly so many") {
    spec.process = ArrivalSpec::Process::kUniform;
    spec.count = 500;
    REQUIRE(arrival_times(spec, kHour, rng).size() == 500);
  }
}

Scenario two_generators() {
  Scenario scenario;
  scenario.duration = std::chrono::hours(1);
  scenario.cluster.nodes.push_back({"n", 9, {"a", "b", "c"}, {}, {{"cpu", "4"}}, {}});
  GeneratorSpec one;
  one.name = "one";
  one.owner.words = {{"Pod", 1}};
  one.replicas.a = 1;
  one.arrivals.per_second = 0.1;
  one.requests = {{"cpu", {Kind::kUniform, 0.1, 2}}};
  scenario.generators.push_back(one);
  one.name = "two";
  scenario.generators.push_back(one);
  return scenario;
}

std::vector<std::string> of(const Plan& plan, const std::string& source) {
  std::vector<std::string> out;
  for (const Arrival& arrival : plan.arrivals) {
    if (arrival.source == source) {
      out.push_back(std::to_string(arrival.at.count()) + to_json(arrival.object));
    }
  }
  return out;
}

TEST_CASE("equal seeds, equal plans; another seed, another plan") {
  const Scenario scenario = two_generators();
  REQUIRE(of(make_plan(scenario, 1), "one") == of(make_plan(scenario, 1), "one"));
  REQUIRE(of(make_plan(scenario, 1), "one") != of(make_plan(scenario, 2), "one"));
}

TEST_CASE("a generator at the end leaves the draws of those before it") {
  Scenario scenario = two_generators();
  const auto before = of(make_plan(scenario, 5), "one");
  scenario.generators.pop_back();
  REQUIRE(of(make_plan(scenario, 5), "one") == before);
}

TEST_CASE("faults are planned on nodes that are there") {
  Scenario scenario = two_generators();
  FaultSpec zone;
  zone.kind = "node-down";
  zone.zone = "b";
  zone.at = std::chrono::minutes(10);
  zone.span = std::chrono::minutes(5);
  FaultSpec again;
  again.kind = "node-silent";
  again.count = 2;
  again.every = Distribution{Kind::kConstant, 600};
  again.lasts = Distribution{Kind::kConstant, 60};
  scenario.faults = {zone, again};
  const Plan plan = make_plan(scenario, 1);
  REQUIRE(plan.faults.size() == 1 + 5);
  REQUIRE(plan.faults[0].nodes == std::vector<std::string>{"n-2", "n-5", "n-8"});
  REQUIRE(plan.faults[0].until == std::chrono::minutes(15));
  for (size_t i = 1; i < plan.faults.size(); ++i) {
    REQUIRE(std::set(plan.faults[i].nodes.begin(), plan.faults[i].nodes.end()).size() == 2);
    REQUIRE(*plan.faults[i].until - plan.faults[i].at == std::chrono::minutes(1));
  }
}

}  // namespace
}  // namespace coracle::sim
