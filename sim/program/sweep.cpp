// coracle sim sweep: every policy with every trace and every seed of a scenario.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/flags.hpp"
#include "program/commands.hpp"
#include "program/run_cell.hpp"
#include "program/workers.hpp"
#include "report/run_record.hpp"
#include "report/sweep_report.hpp"

namespace coracle::sim {
namespace {

std::string folder_name(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    out += plain ? c : '_';
  }
  return out;
}

struct Work {
  SweepCell cell;
  CellRequest request;
  std::string inputs;
};

std::vector<Work> all_cells(const Loaded& loaded, const std::string& out) {
  const Scenario& scenario = loaded.scenario;
  std::vector<const TraceSpec*> traces;
  for (const TraceSpec& trace : scenario.sweep_traces) traces.push_back(&trace);
  if (traces.empty()) traces.push_back(nullptr);
  std::vector<Work> cells;
  for (size_t p = 0; p < scenario.policies.size(); ++p) {
    for (size_t t = 0; t < traces.size(); ++t) {
      for (const std::uint64_t seed : scenario.seeds) {
        const PolicySpec& policy = scenario.policies[p];
        Work work;
        work.cell.policy = policy.name;
        work.cell.trace = traces[t] == nullptr ? "" : traces[t]->name;
        work.cell.seed = seed;
        // Numbered, so that names that look alike as folders stay apart.
        work.cell.dir = fmt::format(
            "cells/{}-{}{}-seed-{}", p + 1, folder_name(policy.name),
            traces[t] == nullptr ? "" : fmt::format("-{}-{}", t + 1, folder_name(traces[t]->name)),
            seed);
        work.request = {&loaded, &policy, traces[t], seed, out + "/" + work.cell.dir, nullptr};
        work.inputs = inputs_of(loaded, policy, traces[t], seed);
        cells.push_back(std::move(work));
      }
    }
  }
  return cells;
}

// Whole, and of these very inputs.
bool is_done(Work& work) {
  auto run = read_run_json(work.request.dir, true);
  if (!run.ok() || get_string(*run, "inputs") != work.inputs) return false;
  work.cell.run = std::move(*run);
  return true;
}

std::string failure_file(const Work& work) { return work.request.dir + "/failure.txt"; }

int run_here(const Work& work) {
  const auto result = run_cell(work.request);
  if (result.ok()) return 0;
  std::ofstream(failure_file(work)) << result.status().message();
  return 1;
}

class Sweep {
 public:
  Sweep(std::vector<Work> cells, bool skip) : cells_(std::move(cells)), skip_(skip) {}

  // False: it stopped.
  bool run(size_t jobs) {
    std::vector<size_t> todo;
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (!is_done(cells_[i])) todo.push_back(i);
    }
    std::fprintf(stderr, "%zu experiments, %zu of them there already; %zu at a time\n",
                 cells_.size(), cells_.size() - todo.size(), jobs);
    std::vector<std::function<int()>> pieces;
    for (const size_t i : todo) {
      std::error_code error;
      std::filesystem::remove(failure_file(cells_[i]), error);
      pieces.emplace_back([this, i] { return run_here(cells_[i]); });
    }
    size_t ended = 0;
    bool go_on = true;
    run_in_processes(pieces, jobs, [&](size_t piece, int code) {
      Work& work = cells_[todo[piece]];
      go_on = finish(work, code) && go_on;
      std::fprintf(stderr, "%zu of %zu: policy %s, seed %llu%s\n", ++ended, todo.size(),
                   work.cell.policy.c_str(), static_cast<unsigned long long>(work.cell.seed),
                   work.cell.failure.empty() ? "" : (": " + work.cell.failure).c_str());
      return go_on;
    });
    return go_on;
  }

  std::vector<SweepCell> cells() const {
    std::vector<SweepCell> out;
    for (const Work& work : cells_) out.push_back(work.cell);
    return out;
  }

 private:
  bool finish(Work& work, int code) {
    if (code == 0 && is_done(work)) return true;
    const auto why = read_text(failure_file(work));
    constexpr int kSignalled = 256;
    work.cell.failure = why.ok() ? *why
                        : code >= kSignalled
                            ? fmt::format("its process was killed by signal {}", code - kSignalled)
                            : "it left no result";
    return skip_;
  }

  std::vector<Work> cells_;
  const bool skip_;
};

}  // namespace

int run_sweep(int argc, char** argv) {
  std::string out;
  std::int64_t jobs = static_cast<std::int64_t>(core_count());
  const auto operands = take_operands(&argc, argv);
  Flags flags(
      "coracle sim sweep",
      "Runs every policy of a scenario with every trace of its sweep and every seed, "
      "each in a process of its own, and compares them. What is there already, whole and of the "
      "same inputs, is kept.\n"
      "Usage: coracle sim sweep FILE [flags]\n"
      "Exit code: 0 all assertions held everywhere, 1 not so, 2 the file is wrong.",
      "coracle sim sweep examples/research/policies.yaml --out policies");
  flags.add("--out", &out, "the directory (default: out/SCENARIO-sweep)");
  flags.add("--jobs", &jobs, "experiments at a time (default: the cores)");
  flags.parse(argc, argv);
  if (operands.size() != 1 || jobs < 1) {
    std::fputs("coracle sim sweep: want one scenario file before the flags, and --jobs above 0\n",
               stderr);
    return 2;
  }
  const Loaded loaded = must_load(operands[0]);
  if (out.empty()) out = fmt::format("out/{}-sweep", loaded.scenario.name);
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) {
    std::fprintf(stderr, "coracle sim sweep: --out %s: %s\n", out.c_str(), error.message().c_str());
    return 1;
  }
  Sweep sweep(all_cells(loaded, out), loaded.scenario.skip_failed_policies);
  const bool whole = sweep.run(static_cast<size_t>(jobs));
  const std::vector<SweepCell> cells = sweep.cells();
  if (!whole) {
    std::fputs("stopped, as onPluginFailure says; the finished experiments are kept\n", stderr);
    return 1;
  }
  if (const Status written = write_sweep(out, loaded.scenario, cells); !written.ok()) {
    std::fprintf(stderr, "coracle sim sweep: %s\n", written.message().c_str());
    return 1;
  }
  std::fputs(sweep_text(cells).c_str(), stdout);
  std::printf("%s\n", (out + "/sweep.html").c_str());
  const bool held = std::all_of(cells.begin(), cells.end(), [](const SweepCell& cell) {
    return cell.failure.empty() && get_bool(cell.run, "held");
  });
  return held ? 0 : 1;
}

}  // namespace coracle::sim
