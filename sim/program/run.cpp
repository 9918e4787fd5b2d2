// coracle sim run: one experiment.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/flags.hpp"
#include "program/commands.hpp"
#include "program/run_cell.hpp"
#include "report/svg.hpp"

namespace coracle::sim {
namespace {

constexpr Duration kShowEvery = std::chrono::milliseconds(200);

// One line of standard error that is written over, when it is a terminal.
class Progress {
 public:
  Progress(const Clock& clock, Duration end)
      : clock_(clock), end_(end), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(Duration at, const Ledger& ledger) {
    if (!shown_ || clock_.now() - last_ < kShowEvery) return;
    last_ = clock_.now();
    const double share = std::chrono::duration<double>(at) / std::chrono::duration<double>(end_);
    std::fputs(fmt::format("\r\033[K{:3.0f} %  {} of {}  {:.0f} pods placed, {} wait", share * 100,
                           human_duration(at), human_duration(end_),
                           ledger.number("pods.scheduled").value(), ledger.waiting())
                   .c_str(),
               stderr);
    std::fflush(stderr);
  }
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }

 private:
  const Clock& clock_;
  const Duration end_;
  const bool shown_;
  TimePoint last_;
};

void print(const CellResult& result, const std::string& dir) {
  const json::value run = result.summary;
  const auto number = [&](const char* name) {
    const json::value* value = find_keys(run, {"numbers", name});
    return value == nullptr ? 0.0 : value->to_number<double>();
  };
  std::printf("%s\n", fmt::format("{:.0f} pods created, {:.0f} placed, {:.0f} wait at the end; "
                                  "{:.0f} decisions",
                                  number("pods.created"), number("pods.scheduled"),
                                  number("unscheduled"), number("decisions"))
                          .c_str());
  for (const Judged& one : result.judged) {
    std::printf("%s  %s   (%s)\n", one.held ? "held    " : "NOT HELD", one.text.c_str(),
                one.found.c_str());
  }
  std::printf("%s\n", (dir + "/report.html").c_str());
}

}  // namespace

int run_run(int argc, char** argv) {
  std::string policy_name, out;
  std::int64_t seed = -1;
  const auto operands = take_operands(&argc, argv);
  Flags flags("coracle sim run",
              "Runs the experiment of a scenario file (docs/formats/scenario.md) on virtual time, "
              "and writes its tables and report (docs/formats/simulation-output.md).\n"
              "Usage: coracle sim run FILE [flags]\n"
              "Exit code: 0 all assertions held, 1 not all did, 2 the file is wrong.",
              "coracle sim run examples/research/first.yaml --out first\n"
              "  coracle sim run zone.yaml --policy packed --seed 7 --out packed-7");
  flags.add("--policy", &policy_name, "which policy of the file (default: its first)");
  flags.add("--seed", &seed, "instead of the file's first seed");
  flags.add("--out", &out, "the directory to write (default: out/SCENARIO-POLICY-SEED)");
  flags.parse(argc, argv);
  if (operands.size() != 1) {
    std::fputs("coracle sim run: want one scenario file, before the flags\n", stderr);
    return 2;
  }
  const Loaded loaded = must_load(operands[0]);
  const Scenario& scenario = loaded.scenario;
  CellRequest request;
  request.loaded = &loaded;
  request.policy = policy_name.empty() ? &scenario.policies.front() : scenario.policy(policy_name);
  if (request.policy == nullptr) {
    std::fprintf(stderr, "coracle sim run: --policy: %s has no policy \"%s\"\n",
                 operands[0].c_str(), policy_name.c_str());
    return 2;
  }
  request.seed = seed < 0 ? scenario.seeds.front() : static_cast<std::uint64_t>(seed);
  request.dir = out.empty()
                    ? fmt::format("out/{}-{}-{}", scenario.name, request.policy->name, request.seed)
                    : out;
  const Clock& clock = real_clock();
  const TimePoint began = clock.now();
  Progress progress(clock, scenario.duration);
  request.progress = [&](Duration at, const Ledger& ledger) { progress.show(at, ledger); };
  const auto result = run_cell(request);
  progress.clear();
  if (!result.ok()) {
    std::fprintf(stderr, "coracle sim run: policy %s: %s\n", request.policy->name.c_str(),
                 result.status().message().c_str());
    return 1;
  }
  print(*result, request.dir);
  std::fprintf(stderr, "%s of virtual time in %.1f s\n", human_duration(scenario.duration).c_str(),
               std::chrono::duration<double>(clock.now() - began).count());
  return result->held ? 0 : 1;
}

}  // namespace coracle::sim
