// store-differential: the same random operations on a stock etcd and on kvstore.
#include <fmt/format.h>

#include <cstdio>
#include <future>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/flags.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "differential/runner.hpp"
#include "differential/shrink.hpp"

namespace {

using namespace coracle;
using namespace coracle::differential;

constexpr std::size_t kShrinkTries = 200;

struct Settings {
  Programs programs{"etcd", "kvstore"};
  std::int64_t operations = 20000;
  std::int64_t seed = 1;
  int logs = 4;
  std::string replay;
  Duration shrink_time = std::chrono::minutes(2);
  bool keep_going = false;
  bool no_shrink = false;
};

using Log = std::vector<std::uint64_t>;

struct LogResult {
  Status status;
  std::vector<Finding> findings;
  Figures figures;
};

LogResult run_log(const Settings& settings, const Log& log) {
  LogResult result;
  Runner runner(settings.programs);
  result.status = runner.start();
  if (!result.status.ok()) return result;
  for (std::size_t i = 0; i < log.size(); ++i) {
    auto finding = runner.step(i, log[i]);
    if (!finding) continue;
    result.findings.push_back(std::move(*finding));
    if (!settings.keep_going) break;
  }
  if (result.findings.empty() || settings.keep_going) {
    if (auto finding = runner.finish(log.size())) result.findings.push_back(std::move(*finding));
  }
  result.figures = runner.figures();
  return result;
}

Log log_of(std::uint64_t seed, std::int64_t operations) {
  Rng rng(seed);
  Log log;
  for (std::int64_t i = 0; i < operations; ++i) log.push_back(rng.next());
  return log;
}

void print(const Finding& finding) {
  fmt::print("operation {} (its seed {:x}): {}\n{}\n", finding.index, finding.seed,
             finding.operation, finding.detail);
}

void print_shrunk(const Settings& settings, Log log, const Finding& finding) {
  if (finding.index < log.size()) log.resize(finding.index + 1);
  Settings quiet = settings;
  quiet.keep_going = false;
  std::fflush(stdout);
  const TimePoint deadline = real_clock().now() + settings.shrink_time;
  const std::function<bool(const Log&)> fails = [&](const Log& shorter) {
    return real_clock().now() < deadline && !run_log(quiet, shorter).findings.empty();
  };
  const Log small = shrink<std::uint64_t>(log, fails, kShrinkTries);
  std::vector<std::string> seeds;
  for (const std::uint64_t seed : small) seeds.push_back(fmt::format("{:x}", seed));
  fmt::print("\nshrunk to {} operations; replay with --replay={}\n", small.size(),
             join(seeds, ","));
  const LogResult again = run_log(quiet, small);
  for (const Finding& found : again.findings) print(found);
}

Log parse_replay(const std::string& text) {
  Log log;
  for (const std::string& part : split(text, ',')) {
    char* end = nullptr;
    log.push_back(std::strtoull(part.c_str(), &end, 16));
    if (part.empty() || *end != '\0') fail_startup("--replay: " + part + " is no seed");
  }
  return log;
}

void print_figures(const Figures& figures, std::size_t findings) {
  fmt::print("\n{:<34}{:>9}{:>9}\n", "operation", "times", "refused");
  for (const auto& [kind, count] : figures.operations) {
    const auto refused = figures.refused.find(kind);
    fmt::print("{:<34}{:>9}{:>9}\n", kind, count,
               refused == figures.refused.end() ? 0 : refused->second);
  }
  fmt::print("\nknown differences between etcd 3.4 and the contract:\n");
  for (const KnownDifference& known : known_differences()) {
    const auto met = figures.known.find(known.name);
    const std::string times = known.explains == nullptr ? "masked"
                              : met == figures.known.end()
                                  ? "not met"
                                  : fmt::format("met {} times", met->second);
    fmt::print("  {} ({}): {}\n", known.name, times, known.reason);
  }
  fmt::print("\n{} operations and {} watch responses compared, {} differences\n", figures.total(),
             figures.watch_responses, findings);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  Flags flags("store-differential",
              "Runs the same random operations on a stock etcd and on kvstore and compares every "
              "answer.",
              "store-differential --kvstore build/bin/kvstore --operations 20000");
  flags.add("--etcd", &settings.programs.etcd, "the reference");
  flags.add("--kvstore", &settings.programs.kvstore, "what is compared with it");
  flags.add("--operations", &settings.operations, "how many, in all logs together");
  flags.add("--seed", &settings.seed, "of the first log; the others count up from it");
  flags.add("--logs", &settings.logs, "how many logs, each with servers of its own");
  flags.add("--replay", &settings.replay, "the operations of one log, as a failure printed them");
  flags.add("--keep-going", &settings.keep_going, "print every difference, not each log's first");
  flags.add("--shrink-time", &settings.shrink_time, "how long to look for a shorter failing log");
  flags.add("--no-shrink", &settings.no_shrink, "print a failing log's difference only");
  flags.parse(argc, argv);
  if (settings.logs < 1) fail_startup("--logs: must be positive");

  std::vector<Log> logs;
  if (!settings.replay.empty()) {
    logs.push_back(parse_replay(settings.replay));
  } else {
    for (int i = 0; i < settings.logs; ++i) {
      logs.push_back(log_of(std::uint64_t(settings.seed + i), settings.operations / settings.logs));
    }
  }
  std::vector<std::future<LogResult>> running;
  for (const Log& log : logs) {
    running.push_back(std::async(std::launch::async, [&] { return run_log(settings, log); }));
  }
  Figures figures;
  std::size_t findings = 0;
  bool failed = false;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const LogResult result = running[i].get();
    figures.add(result.figures);
    findings += result.findings.size();
    if (!result.status.ok()) fmt::print("log {}: {}\n", i, result.status.message());
    failed = failed || !result.status.ok() || !result.findings.empty();
    if (result.findings.empty()) continue;
    fmt::print("\nlog of seed {}:\n", settings.seed + std::int64_t(i));
    for (const Finding& finding : result.findings) print(finding);
    if (!settings.no_shrink) print_shrunk(settings, logs[i], result.findings.front());
  }
  print_figures(figures, findings);
  return failed ? 1 : 0;
}
