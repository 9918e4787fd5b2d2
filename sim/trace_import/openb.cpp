// OpenB, the GPU cluster trace of "Beware of Fragmentation" (USENIX ATC'23): Alibaba
// cluster-trace-gpu-v2023. Nodes: sn, cpu_milli, memory_mib, gpu, model. Pods: name, cpu_milli,
// memory_mib, num_gpu, gpu_milli (of each GPU), gpu_spec (models, "|" between), qos, pod_phase, and
// creation_time, deletion_time, scheduled_time in seconds. GPUs become lab.coracle.dev/gpu-milli.
#include <fmt/format.h>

#include "base/strings.hpp"
#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

// The paper's cluster lets so many pods on a node.
constexpr const char* kPodsMax = "1001";

struct Sums {
  std::int64_t nodes = 0, node_cpu = 0, node_gpu = 0;
  std::int64_t pods = 0, cpu = 0, memory_mib = 0, gpu = 0;
};

Duration seconds(std::int64_t count) { return std::chrono::seconds(count); }

Status read_nodes(Csv& csv, Trace& trace, Sums& sums) {
  RETURN_IF_ERROR(csv.must_have({"sn", "cpu_milli", "memory_mib", "gpu", "model"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) return {};
    ASSIGN_OR_RETURN(const std::int64_t cpu, csv.whole("cpu_milli"));
    ASSIGN_OR_RETURN(const std::int64_t memory, csv.whole("memory_mib"));
    ASSIGN_OR_RETURN(const std::int64_t gpus, csv.whole("gpu"));
    TraceNode node;
    node.name = csv.text("sn");
    node.allocatable = amounts_of(cpu, memory);
    node.allocatable["pods"] = kPodsMax;
    if (gpus > 0) {
      if (csv.text("model").empty()) return csv.wrong("model", "is empty, but there are GPUs");
      node.allocatable["lab.coracle.dev/gpu-milli"] = std::to_string(gpus * 1000);
      node.labels["lab.coracle.dev/gpu-model"] = csv.text("model");
    }
    ++sums.nodes;
    sums.node_cpu += cpu;
    sums.node_gpu += gpus * 1000;
    trace.events.emplace_back(std::move(node));
  }
}

Result<std::int64_t> gpu_of(const Csv& csv) {
  ASSIGN_OR_RETURN(const std::int64_t devices, csv.whole("num_gpu"));
  ASSIGN_OR_RETURN(const std::int64_t milli, csv.whole("gpu_milli"));
  if (devices == 0 && milli != 0) return csv.wrong("gpu_milli", "is not 0, but num_gpu is");
  if (devices > 0 && (milli == 0 || milli > 1000)) {
    return csv.wrong("gpu_milli", fmt::format("{} is not in 1..1000", milli));
  }
  if (devices > 1 && milli != 1000) {
    return csv.wrong("gpu_milli",
                     fmt::format("{} of each of {} GPUs: only one is shared", milli, devices));
  }
  return devices * milli;
}

Status set_times(const Csv& csv, TracePod& pod) {
  ASSIGN_OR_RETURN(const std::int64_t created, csv.whole("creation_time"));
  ASSIGN_OR_RETURN(const std::optional<double> deleted, csv.number_or_none("deletion_time"));
  ASSIGN_OR_RETURN(const std::optional<double> placed, csv.number_or_none("scheduled_time"));
  pod.at = seconds(created);
  if (placed) {
    pod.placed_at = seconds(static_cast<std::int64_t>(*placed));
    if (*pod.placed_at < pod.at) return csv.wrong("scheduled_time", "is before creation_time");
  }
  if (!deleted) return {};
  const Duration end = seconds(static_cast<std::int64_t>(*deleted));
  if (end < pod.placed_at.value_or(pod.at)) {
    return csv.wrong("deletion_time",
                     placed ? "is before scheduled_time" : "is before creation_time");
  }
  if (placed) {
    pod.lifetime = end - *pod.placed_at;
  } else {
    pod.until = end;
  }
  return {};
}

Status read_pods(Csv& csv, Trace& trace, Sums& sums) {
  RETURN_IF_ERROR(
      csv.must_have({"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "qos",
                     "pod_phase", "creation_time", "deletion_time", "scheduled_time"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) return {};
    TracePod pod;
    pod.name = csv.text("name");
    ASSIGN_OR_RETURN(const std::int64_t cpu, csv.whole("cpu_milli"));
    ASSIGN_OR_RETURN(const std::int64_t memory, csv.whole("memory_mib"));
    ASSIGN_OR_RETURN(const std::int64_t gpu, gpu_of(csv));
    RETURN_IF_ERROR(set_times(csv, pod));
    pod.requests = amounts_of(cpu, memory);
    if (gpu > 0) pod.requests["lab.coracle.dev/gpu-milli"] = std::to_string(gpu);
    const std::string models = join(split(csv.text("gpu_spec"), '|'), ",");
    if (gpu > 0 && !models.empty()) pod.annotations["lab.coracle.dev/gpu-models"] = models;
    if (!csv.text("qos").empty()) pod.labels["qos"] = csv.text("qos");
    pod.fails = csv.text("pod_phase") == "Failed";
    ++sums.pods;
    sums.cpu += cpu;
    sums.memory_mib += memory;
    sums.gpu += gpu;
    trace.events.emplace_back(std::move(pod));
  }
}

}  // namespace

Result<Imported> import_openb(std::vector<SourceFile>& files) {
  Imported imported;
  Trace& trace = imported.trace;
  trace.name = "openb";
  trace.source = "Alibaba cluster-trace-gpu-v2023: " + files[0].name + ", " + files[1].name;
  Sums sums;
  ASSIGN_OR_RETURN(Csv nodes, Csv::open(*files[0].in, files[0].name));
  RETURN_IF_ERROR(read_nodes(nodes, trace, sums));
  ASSIGN_OR_RETURN(Csv pods, Csv::open(*files[1].in, files[1].name));
  RETURN_IF_ERROR(read_pods(pods, trace, sums));
  const TraceCounts made = trace.counts();
  constexpr std::string_view kGpu = "lab.coracle.dev/gpu-milli";
  imported.checks = {
      {"nodes", nodes.rows(), made.nodes},
      {"node cpu milli", sums.node_cpu, sum_of_nodes(trace, "cpu", true)},
      {"node gpu milli", sums.node_gpu, sum_of_nodes(trace, kGpu, false)},
      {"pods", pods.rows(), made.pods},
      {"pod cpu milli", sums.cpu, sum_of_pods(trace, "cpu", true)},
      {"pod memory MiB", sums.memory_mib, sum_of_pods(trace, "memory", false) >> 20},
      {"pod gpu milli", sums.gpu, sum_of_pods(trace, kGpu, false)},
  };
  return imported;
}

}  // namespace coracle::sim
