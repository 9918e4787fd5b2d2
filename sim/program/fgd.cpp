// coracle sim fgd: the GPU policies of the paper of fragmentation gradient descent on OpenB or any
// other trace (docs/research/gpu-sharing.md).
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/check.hpp"
#include "base/flags.hpp"
#include "gpu_demand/demand_report.hpp"
#include "gpu_demand/demand_table.hpp"
#include "gpu_demand/policy_config.hpp"
#include "program/commands.hpp"
#include "trace/trace_file.hpp"
#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

struct Options {
  std::string trace, pods = "default", out, ties = "first";
  std::vector<std::string> policies;
  std::int64_t seeds = 10, first_seed = 42;
  double demand = 1.3;
  int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
};

int fail(const Status& status) {
  std::fprintf(stderr, "coracle sim fgd: %s\n", status.message().c_str());
  return 1;
}

Result<SourceFile> opened(const std::string& path) {
  auto in = std::make_unique<std::ifstream>(path);
  if (!*in) return not_found("--trace: " + path + ": cannot be read");
  return SourceFile{path, std::move(in)};
}

// A trace file, or the folder of OpenB.
Result<Trace> read(const Options& options) {
  if (!std::filesystem::is_directory(options.trace)) return read_trace_file(options.trace);
  std::vector<SourceFile> files;
  for (const std::string& name : {std::string("openb_node_list_gpu_node.csv"),
                                  fmt::format("openb_pod_list_{}.csv", options.pods)}) {
    ASSIGN_OR_RETURN(SourceFile file, opened(options.trace + "/" + name));
    files.push_back(std::move(file));
  }
  ASSIGN_OR_RETURN(Imported imported, import_trace("openb", std::move(files)));
  for (const ImportCheck& check : imported.checks) {
    std::printf("%-16s %12lld\n", check.what.c_str(), static_cast<long long>(check.read));
  }
  return std::move(imported.trace);
}

std::vector<GpuPolicy> chosen(const Options& options) {
  std::vector<GpuPolicy> policies;
  for (const std::string& name : options.policies) {
    const auto all = gpu_policies();
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const GpuPolicy& policy) { return policy.name == name; });
    if (at == all.end()) {
      fail_startup("--policies: there is no policy " + name +
                   "; there are Random, DotProd, GpuClustering, GpuPacking, BestFit, FGD");
    }
    policies.push_back(*at);
  }
  if (policies.empty()) policies.assign(gpu_policies().begin(), gpu_policies().end());
  return policies;
}

// Every policy with every seed; `jobs` at a time, each on data of its own.
std::vector<DemandRun> run_all(const GpuDemandTrace& trace, const std::vector<GpuPolicy>& policies,
                               const Options& options) {
  std::vector<DemandRun> runs(policies.size() * static_cast<size_t>(options.seeds));
  std::atomic<size_t> next{0};
  const Ties ties = options.ties == "first" ? Ties::kFirst : Ties::kRoundRobin;
  const auto work = [&] {
    for (size_t i = next++; i < runs.size(); i = next++) {
      const auto seed =
          static_cast<std::uint64_t>(options.first_seed) + i % static_cast<size_t>(options.seeds);
      runs[i] = run_gpu_demand(trace, policies[i / static_cast<size_t>(options.seeds)],
                               {options.demand, seed, ties});
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return runs;
}

Status write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  return out ? Status() : unavailable("--out: " + path + ": cannot be written");
}

// And each policy's configuration, for a live scheduler.
Status write_all(const DemandTable& table, const std::vector<DemandRun>& runs,
                 const std::vector<GpuPolicy>& policies, const GpuDemandTrace& trace,
                 const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return unavailable("--out: " + folder + ": " + error.message());
  for (const GpuPolicy& policy : policies) {
    RETURN_IF_ERROR(write(fmt::format("{}/scheduler-{}.yaml", folder, policy.name),
                          policy_config(policy, trace)));
  }
  RETURN_IF_ERROR(write(folder + "/curves.csv", curves_csv(runs)));
  RETURN_IF_ERROR(write(folder + "/table.csv", table_csv(table)));
  return write(folder + "/report.html", demand_report(table, runs));
}

}  // namespace

int run_fgd(int argc, char** argv) {
  Options options;
  Flags flags(
      "coracle sim fgd",
      "How much GPU each policy allocates as the demand grows: the experiment of \"Beware of "
      "Fragmentation\" (USENIX ATC'23).",
      "coracle sim fgd --trace ../openb --out fgd\n"
      "coracle sim fgd --trace ../openb --pods gpuspec33 --policies BestFit,FGD --seeds 3");
  flags.add("--trace", &options.trace, "the folder of OpenB, or a trace file").required();
  flags.add("--pods", &options.pods, "of OpenB: which list of pods, openb_pod_list_NAME.csv");
  flags.add("--policies", &options.policies, "only these, with commas between");
  flags.add("--seeds", &options.seeds, "how many orders of arrival");
  flags.add("--first-seed", &options.first_seed, "the seed of the first of them");
  flags.add("--demand", &options.demand, "how much is asked for, in parts of the cluster's GPUs");
  flags
      .add("--ties", &options.ties,
           "which of equally good nodes: first, as the paper, or round-robin")
      .one_of({"first", "round-robin"});
  flags.add("--jobs", &options.jobs, "how many runs at a time");
  flags.add(
      "--out", &options.out,
      "a folder for table.csv, curves.csv, report.html and each policy's scheduler-NAME.yaml");
  flags.parse(argc, argv);
  if (options.seeds < 1) fail_startup("--seeds: want at least 1");
  if (options.jobs < 1) fail_startup("--jobs: want at least 1");
  if (options.demand <= 0 || options.demand > 10) fail_startup("--demand: want 0..10, such as 1.3");
  const std::vector<GpuPolicy> policies = chosen(options);
  const Result<Trace> read_trace = read(options);
  if (!read_trace.ok()) return fail(read_trace.status());
  const Result<GpuDemandTrace> trace = gpu_demand_trace(*read_trace);
  if (!trace.ok()) return fail(trace.status());
  const std::vector<DemandRun> runs = run_all(*trace, policies, options);
  const bool openb = std::filesystem::is_directory(options.trace);
  const DemandTable table = demand_table(runs, options.demand, openb ? options.pods : "");
  std::fputs(table_text(table).c_str(), stdout);
  if (!options.out.empty()) {
    const Status written = write_all(table, runs, policies, *trace, options.out);
    if (!written.ok()) return fail(written);
  }
  return table.holds() ? 0 : 1;
}

}  // namespace coracle::sim
