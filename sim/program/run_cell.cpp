#include "program/run_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "cluster_engine/cluster_engine.hpp"
#include "report/run_report.hpp"

namespace coracle::sim {
namespace {

// Whose utilisation is worth a line: cpu, memory, then the extended ones nodes have.
std::vector<std::string> sampled_resources(const Plan& plan) {
  std::set<std::string> extended;
  for (const TraceNode& node : plan.nodes) {
    for (const auto& amount : node.allocatable) {
      const std::string name(amount.key());
      if (name != "pods" && scheduler::is_extended(name)) extended.insert(name);
    }
  }
  std::vector<std::string> names{"cpu", "memory"};
  names.insert(names.end(), extended.begin(), extended.end());
  return names;
}

}  // namespace

std::string inputs_of(const Loaded& loaded, const PolicySpec& policy, const TraceSpec* trace,
                      std::uint64_t seed) {
  return inputs_digest(loaded.scenario, policy.name + (trace == nullptr ? "" : "\n" + trace->name),
                       seed, loaded.files);
}

Result<std::unique_ptr<Setup>> set_up(const Loaded& loaded, const PolicySpec& policy,
                                      const TraceSpec* trace, std::uint64_t seed) {
  const Scenario& scenario = loaded.scenario;
  auto setup = std::make_unique<Setup>();
  setup->plan = make_plan(scenario, seed, trace);
  setup->identity = {
      scenario.name, scenario.engine == EngineKind::kPlacement ? "placement" : "cluster",
      policy.name,   trace == nullptr ? "" : trace->name,
      seed,          inputs_of(loaded, policy, trace, seed)};
  setup->ledger = std::make_unique<Ledger>(sampled_resources(setup->plan));
  EngineInput input{&scenario, &setup->plan, {}, seed};
  if (!policy.config.empty()) {
    RETURN_IF_ERROR(scheduler::parse_config(policy.config, &input.policy));
  }
  // What simulated daemons log is of no machine, and at no time of it.
  if (scenario.engine == EngineKind::kCluster) log::init(log::program_name(), log::Level::kError);
  const auto make =
      scenario.engine == EngineKind::kPlacement ? make_placement_engine : make_cluster_engine;
  setup->engine = make(std::move(input), setup->ledger.get());
  return setup;
}

Result<CellResult> run_cell(const CellRequest& request) {
  const Scenario& scenario = request.loaded->scenario;
  ASSIGN_OR_RETURN(auto setup,
                   set_up(*request.loaded, *request.policy, request.trace, request.seed));
  Ledger& ledger = *setup->ledger;
  ASSIGN_OR_RETURN(auto output, RunOutput::open(request.dir, scenario, request.loaded->files));
  ledger.on_decision([&](const DecisionRow& row) { output->decision(row); });
  RETURN_IF_ERROR(setup->engine->begin());

  Duration next_sample{0}, next_nodes{0};
  while (true) {
    const Duration at = std::min({next_sample, next_nodes, scenario.duration});
    ASSIGN_OR_RETURN(const bool there, setup->engine->run_until(at));
    CHECK(there);
    if (at == next_sample || at == scenario.duration) {
      ledger.sample(at, setup->engine->queue());
      next_sample += scenario.sample_every;
    }
    if (at == next_nodes || at == scenario.duration) {
      output->nodes(at, ledger);
      next_nodes += scenario.node_sample_every;
    }
    if (request.progress) request.progress(at, ledger);
    if (at == scenario.duration) break;
  }
  CellResult result;
  result.judged = judge_all(scenario, ledger);
  result.held = std::all_of(result.judged.begin(), result.judged.end(),
                            [](const Judged& one) { return one.held; });
  result.summary = run_summary(setup->identity, scenario, ledger, result.judged);
  RETURN_IF_ERROR(output->finish(ledger, result.judged, result.summary,
                                 run_report(scenario, setup->identity, ledger, result.judged)));
  return result;
}

}  // namespace coracle::sim
