// coracle sim replay: an experiment up to a moment, and on from there decision by decision.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "base/flags.hpp"
#include "base/strings.hpp"
#include "experiment/brief.hpp"
#include "program/commands.hpp"
#include "program/run_cell.hpp"
#include "report/run_record.hpp"
#include "report/svg.hpp"

namespace coracle::sim {
namespace {

std::string amount_text(const Resources& amount, const std::string& resource) {
  if (resource == "cpu") return fmt::format("{:.2f}", double(amount.cpu_milli) / 1000);
  if (resource == "memory") return fmt::format("{:.1f}Gi", double(amount.memory) / (1 << 30));
  return std::to_string(amount.scalar(resource));
}

void print_nodes(const Ledger& ledger, size_t limit) {
  std::printf("%-20s%-8s%6s", "NODE", "READY", "PODS");
  for (const std::string& resource : ledger.resources()) std::printf("  %20s", resource.c_str());
  std::printf("\n");
  size_t shown = 0;
  for (const NodeRow& node : ledger.nodes()) {
    if (!node.there || shown++ >= limit) continue;
    std::printf("%-20s%-8s%6lld", node.name.c_str(), node.ready ? "yes" : "no",
                static_cast<long long>(node.pods));
    for (const std::string& resource : ledger.resources()) {
      std::printf("  %20s", fmt::format("{} / {}", amount_text(node.requested, resource),
                                        amount_text(node.allocatable, resource))
                                .c_str());
    }
    std::printf("\n");
  }
  if (shown > limit) std::printf("... and %zu more (--rows N shows N)\n", shown - limit);
}

void print_state(const Setup& setup, size_t limit) {
  const Ledger& ledger = *setup.ledger;
  const Duration now = setup.engine->now();
  const QueueSizes queue = setup.engine->queue();
  std::printf("time %s: %s\n", human_duration(now).c_str(),
              fmt::format("{} pods were created, {} run, {} wait", ledger.pods().size(),
                          ledger.running(), ledger.waiting())
                  .c_str());
  if (queue.active >= 0) {
    std::printf("queue: %lld next, %lld back off, %lld fit nowhere, %lld gated\n",
                static_cast<long long>(queue.active), static_cast<long long>(queue.backoff),
                static_cast<long long>(queue.parked), static_cast<long long>(queue.gated));
  }
  std::printf("\n");
  print_nodes(ledger, limit);
  std::printf("\n%-36s%-10s%-12s%s\n", "PODS THAT WAIT", "SINCE", "DECISIONS", "LAST NO");
  size_t shown = 0;
  for (const PodRow& pod : ledger.pods()) {
    if (pod.bound || pod.end != PodEnd::kNone || shown++ >= limit) continue;
    std::printf("%-36s%-10s%-12d%s\n", pod.key.c_str(), human_duration(now - pod.created).c_str(),
                pod.attempts, pod.message.c_str());
  }
  if (shown > limit) std::printf("... and %zu more\n", shown - limit);
}

void print_decision(const DecisionRow& row, size_t nodes) {
  const scheduler::Decision& decision = *row.decision;
  std::printf("\n#%llu at %s: %s, decision %d: %s\n", static_cast<unsigned long long>(row.number),
              axis_text(Axis::kSeconds, std::chrono::duration<double>(row.at).count()).c_str(),
              decision.pod->key.c_str(), row.attempt,
              decision.kind == scheduler::Decision::Kind::kPlaced
                  ? ("placed on " + decision.node).c_str()
                  : decision.message.c_str());
  std::string why = brief_text(brief(decision, nodes));
  for (size_t at = 0; at < why.size();) {
    const size_t end = why.find('\n', at);
    std::printf("  %s\n", why.substr(at, end - at).c_str());
    at = end + 1;
  }
}

constexpr const char* kHelp =
    "Enter: the next decision; N: the next N; s: the state; t TIME: on to that time; q: the end\n";

// What a person (or a script, by lines) asks for. False: it was the last.
class Steps {
 public:
  Steps(Setup& setup, Duration end, size_t rows) : setup_(setup), end_(end), rows_(rows) {}

  Result<bool> obey(const std::string& line) {
    long long count = 1;
    if (line == "q") return false;
    if (line == "s") {
      print_state(setup_, rows_);
      return true;
    }
    if (line.starts_with("t ")) {
      const auto span = parse_span(line.substr(2));
      if (!span.ok() || *span < setup_.engine->now()) {
        std::printf("t wants a time that is to come, like 6h30m\n");
        return true;
      }
      ASSIGN_OR_RETURN(const bool there, setup_.engine->run_until(std::min(*span, end_)));
      CHECK(there);
      print_state(setup_, rows_);
      return true;
    }
    if (!line.empty() && (!parse_int(line, &count) || count < 1)) {
      std::fputs(kHelp, stdout);
      return true;
    }
    for (long long i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const bool over, setup_.engine->run_until(end_, true));
      if (!over) continue;
      std::printf("\nthe experiment ends at %s\n", human_duration(end_).c_str());
      return false;
    }
    return true;
  }

 private:
  Setup& setup_;
  const Duration end_;
  const size_t rows_;
};

// A directory of a run says which of its scenario's experiments it was.
struct Chosen {
  std::string policy, trace;
  std::uint64_t seed = 0;
};

int fail(const Status& status, int code) {
  std::fprintf(stderr, "coracle sim replay: %s\n", status.message().c_str());
  return code;
}

const TraceSpec* trace_of(const Scenario& scenario, const std::string& name) {
  for (const TraceSpec& trace : scenario.sweep_traces) {
    if (trace.name == name) return &trace;
  }
  return nullptr;
}

int replay(const Loaded& loaded, const Chosen& chosen, Duration until, bool step, size_t rows) {
  const Scenario& scenario = loaded.scenario;
  const PolicySpec* policy =
      chosen.policy.empty() ? &scenario.policies.front() : scenario.policy(chosen.policy);
  if (policy == nullptr) {
    return fail(not_found(fmt::format("there is no policy \"{}\"", chosen.policy)), 2);
  }
  auto setup = set_up(loaded, *policy, trace_of(scenario, chosen.trace), chosen.seed);
  if (!setup.ok()) return fail(setup.status(), 1);
  if (const Status begun = (*setup)->engine->begin(); !begun.ok()) return fail(begun, 1);
  const auto there = (*setup)->engine->run_until(std::min(until, scenario.duration));
  if (!there.ok()) return fail(there.status(), 1);
  print_state(**setup, rows);
  if (!step) return 0;
  (*setup)->ledger->on_decision([&](const DecisionRow& row) {
    print_decision(row, static_cast<size_t>(scenario.explained_nodes));
  });
  Steps steps(**setup, scenario.duration, rows);
  std::printf("\n%s", kHelp);
  for (std::string line; std::getline(std::cin, line);) {
    const auto more = steps.obey(line);
    if (!more.ok()) return fail(more.status(), 1);
    std::fflush(stdout);
    if (!*more) break;
  }
  return 0;
}

}  // namespace

int run_replay(int argc, char** argv) {
  std::string until_text = "0s";
  Chosen chosen;
  std::int64_t seed = -1, rows = 20;
  bool step = false;
  const auto operands = take_operands(&argc, argv);
  Flags flags("coracle sim replay",
              "Runs an experiment up to a moment, prints its pods, queue and nodes, and goes on "
              "decision by decision.\n"
              "Usage: coracle sim replay DIR|FILE [flags]    a directory that a run left, or a "
              "scenario file",
              "coracle sim replay out/first --until 6h\n"
              "  coracle sim replay zone.yaml --until 5h59m --step");
  flags.add("--until", &until_text, "the moment, from the beginning, like 6h30m");
  flags.add("--step", &step, "then read commands from standard input (Enter: the next decision)");
  flags.add("--policy", &chosen.policy, "of a scenario file (default: its first)");
  flags.add("--seed", &seed, "of a scenario file (default: its first)");
  flags.add("--rows", &rows, "of nodes and of pods, at most");
  flags.parse(argc, argv);
  if (operands.size() != 1) {
    return fail(invalid_argument("want one directory of a run, or one scenario file, before the "
                                 "flags"),
                2);
  }
  const auto until = parse_span(until_text);
  if (!until.ok() || *until < Duration(0) || rows < 1) {
    return fail(invalid_argument("--until wants a duration like 6h30m, --rows a number above 0"),
                2);
  }
  const bool is_run = std::filesystem::is_directory(operands[0]);
  auto loaded = is_run ? load_run(operands[0]) : load_scenario(operands[0]);
  if (!loaded.ok()) return fail(loaded.status(), 2);
  if (is_run) {
    const auto run = read_run_json(operands[0], false);
    if (!run.ok()) return fail(run.status(), 2);
    chosen.policy = get_string(*run, "policy");
    chosen.trace = get_string(*run, "trace");
    chosen.seed = static_cast<std::uint64_t>(get_int(*run, "seed"));
  } else {
    chosen.seed = loaded->scenario.seeds.front();
  }
  if (seed >= 0) chosen.seed = static_cast<std::uint64_t>(seed);
  return replay(*loaded, chosen, *until, step, static_cast<size_t>(rows));
}

}  // namespace coracle::sim
