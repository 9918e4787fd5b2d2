#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/encoding.hpp"
#include "report/run_output.hpp"
#include "scenario/metric_names.hpp"

namespace coracle::sim {
namespace {

// Rounded, so that it reads well; what is exact is in the tables.
json::value rounded(double value) {
  if (std::isnan(value)) return nullptr;
  return std::round(value * 1e6) / 1e6;
}

json::object distribution(const std::vector<Measures::Point>& points) {
  std::vector<double> values;
  double sum = 0;
  for (const auto& point : points) {
    values.push_back(point.value);
    sum += point.value;
  }
  json::object out;
  out["count"] = values.size();
  if (values.empty()) return out;
  out["mean"] = rounded(sum / static_cast<double>(values.size()));
  std::sort(values.begin(), values.end());
  out["min"] = rounded(values.front());
  for (const int p : {50, 90, 99}) {
    out[fmt::format("p{}", p)] = rounded(percentile_of_sorted(values, p));
  }
  out["max"] = rounded(values.back());
  out["last"] = rounded(points.back().value);
  return out;
}

}  // namespace

std::vector<Judged> judge_all(const Scenario& scenario, const Measures& measures) {
  std::vector<Judged> out;
  for (const AssertionSpec& one : scenario.assertions) {
    const auto outcome = one.assertion.judge(measures);
    if (outcome.ok()) {
      out.push_back({one.text, outcome->found, outcome->held});
    } else {
      out.push_back({one.text, outcome.status().message(), false});
    }
  }
  return out;
}

json::object run_summary(const RunIdentity& identity, const Scenario& scenario,
                         const Ledger& ledger, const std::vector<Judged>& judged) {
  json::object run;
  run["format"] = kRunFormat;
  run["scenario"] = identity.scenario;
  run["engine"] = identity.engine;
  run["policy"] = identity.policy;
  if (!identity.trace.empty()) run["trace"] = identity.trace;
  run["seed"] = identity.seed;
  run["duration"] = std::chrono::duration<double>(scenario.duration).count();
  run["inputs"] = identity.inputs;
  json::object totals, spread, series;
  for (const std::string& name : numbers()) totals[name] = ledger.number(name).value();
  for (const std::string& name : distributions()) {
    spread[name] = distribution(ledger.points(name).value());
  }
  for (const std::string& name : ledger.columns()) {
    const auto points = ledger.points(name).value();
    if (!points.empty()) series[name] = distribution(points);
  }
  run["numbers"] = std::move(totals);
  run["distributions"] = std::move(spread);
  run["series"] = std::move(series);
  json::array assertions;
  bool held = true;
  for (const Judged& one : judged) {
    held = held && one.held;
    assertions.push_back(
        json::object{{"assertion", one.text}, {"held", one.held}, {"found", one.found}});
  }
  run["assertions"] = std::move(assertions);
  run["held"] = held;
  return run;
}

std::string inputs_digest(const Scenario& scenario, const std::string& policy, std::uint64_t seed,
                          const InputFiles& files) {
  std::string all = fmt::format("{}\n{}\n{}\n", kRunFormat, policy, seed);
  const auto add = [&all](const std::string& text) {
    all += fmt::format("{}:", text.size()) + text;
  };
  add(scenario.text);
  for (const auto& [path, text] : files) {
    add(path);
    add(text);
  }
  return hex_encode(sha256(all));
}

}  // namespace coracle::sim
