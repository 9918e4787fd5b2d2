// Alibaba cluster-trace-v2018: machine_meta, batch_task and container_meta, CSV without a header.
// 100 of CPU are a core; memory is in parts of 0..100, which become GiB. A task becomes as many
// pods as it has instances; a container one pod.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

constexpr double kMibOfPart = 1024;

Duration seconds(std::int64_t count) { return std::chrono::seconds(count); }

struct Sums {
  std::int64_t cpu = 0, memory_mib = 0, pods = 0;
  void add(std::int64_t cpu_milli, std::int64_t mib, std::int64_t times) {
    cpu += cpu_milli * times;
    memory_mib += mib * times;
    pods += times;
  }
};

// The first row of a machine is its arrival, later ones are of interest where its size changed.
Status read_machines(SourceFile& file, Imported& imported, LeftOut& left_out) {
  ASSIGN_OR_RETURN(Csv csv, Csv::open(*file.in, file.name,
                                      {"machine_id", "time_stamp", "failure_domain_1",
                                       "failure_domain_2", "cpu_num", "mem_size", "status"}));
  std::map<std::string, json::object> sizes;
  std::int64_t nodes = 0, resized = 0, same = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) break;
    ASSIGN_OR_RETURN(const std::int64_t at, csv.whole("time_stamp"));
    ASSIGN_OR_RETURN(const std::int64_t cpus, csv.whole("cpu_num"));
    ASSIGN_OR_RETURN(const double memory, csv.number("mem_size"));
    json::object size = amounts_of(cpus * 1000, std::llround(memory * kMibOfPart));
    size["pods"] = "1000";
    const std::string& name = csv.text("machine_id");
    const auto [known, fresh] = sizes.emplace(name, size);
    if (fresh) {
      TraceNode node;
      node.at = seconds(at);
      node.name = name;
      node.labels["failure-domain-1"] = csv.text("failure_domain_1");
      node.labels["failure-domain-2"] = csv.text("failure_domain_2");
      node.allocatable = std::move(size);
      imported.trace.events.emplace_back(std::move(node));
      ++nodes;
    } else if (known->second != size) {
      known->second = size;
      imported.trace.events.emplace_back(
          TraceNodeEvent{seconds(at), name, TraceNodeEvent::Kind::kResize, std::move(size)});
      ++resized;
    } else {
      ++same;
      left_out.count("rows of machines whose size did not change");
    }
  }
  imported.checks.push_back({"machine rows", csv.rows(), nodes + resized + same});
  return {};
}

Status read_tasks(SourceFile& file, Imported& imported, LeftOut& left_out, Sums& sums) {
  ASSIGN_OR_RETURN(Csv csv,
                   Csv::open(*file.in, file.name,
                             {"task_name", "instance_num", "job_name", "task_type", "status",
                              "start_time", "end_time", "plan_cpu", "plan_mem"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) return {};
    ASSIGN_OR_RETURN(const std::int64_t instances, csv.whole("instance_num"));
    ASSIGN_OR_RETURN(const std::optional<double> cpu, csv.number_or_none("plan_cpu"));
    ASSIGN_OR_RETURN(const std::optional<double> memory, csv.number_or_none("plan_mem"));
    ASSIGN_OR_RETURN(const std::optional<double> start, csv.number_or_none("start_time"));
    ASSIGN_OR_RETURN(const std::optional<double> end, csv.number_or_none("end_time"));
    if (!cpu || !memory) {
      left_out.count("tasks that do not say what they need");
      continue;
    }
    if (start.value_or(0) == 0) {
      left_out.count("tasks that never started");
      continue;
    }
    TracePod pod;
    pod.at = seconds(static_cast<std::int64_t>(*start));
    if (end.value_or(0) != 0) {
      if (*end < *start) return csv.wrong("end_time", "is before start_time");
      pod.lifetime = seconds(static_cast<std::int64_t>(*end)) - pod.at;
    }
    const std::int64_t milli = std::llround(*cpu * 10), mib = std::llround(*memory * kMibOfPart);
    pod.requests = amounts_of(milli, mib);
    pod.fails = csv.text("status") == "Failed";
    pod.annotations["alibaba/job"] = csv.text("job_name");
    pod.annotations["alibaba/task"] = csv.text("task_name");
    for (std::int64_t i = 0; i < instances; ++i) {
      pod.name = fmt::format("task-{}-{}", csv.rows(), i);
      imported.trace.events.emplace_back(pod);
    }
    sums.add(milli, mib, instances);
  }
}

// Rows of a container are in the order of time; the first is its arrival.
Status read_containers(SourceFile& file, Imported& imported, LeftOut& left_out, Sums& sums) {
  ASSIGN_OR_RETURN(Csv csv, Csv::open(*file.in, file.name,
                                      {"container_id", "machine_id", "time_stamp", "app_du",
                                       "status", "cpu_request", "cpu_limit", "mem_size"}));
  std::map<std::string, size_t> seen;  // -> index of its event
  auto& events = imported.trace.events;
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) return {};
    ASSIGN_OR_RETURN(const std::int64_t at, csv.whole("time_stamp"));
    const std::string& id = csv.text("container_id");
    const auto known = seen.find(id);
    if (known != seen.end()) {
      auto& pod = std::get<TracePod>(events[known->second]);
      if (seconds(at) < pod.at) return csv.wrong("time_stamp", "is before the container's first");
      if (csv.text("status") == "stopped" && !pod.until) {
        pod.until = seconds(at);
      } else {
        left_out.count("rows of containers that are there already");
      }
      continue;
    }
    ASSIGN_OR_RETURN(const double cpu, csv.number("cpu_request"));
    ASSIGN_OR_RETURN(const double memory, csv.number("mem_size"));
    const std::int64_t milli = std::llround(cpu * 10), mib = std::llround(memory * kMibOfPart);
    TracePod pod;
    pod.at = seconds(at);
    pod.name = fmt::format("container-{}", sums.pods);
    pod.requests = amounts_of(milli, mib);
    pod.annotations["alibaba/container"] = id;
    pod.labels["app"] = csv.text("app_du");
    pod.placed_on = csv.text("machine_id");
    if (!pod.placed_on.empty()) pod.placed_at = pod.at;
    seen.emplace(id, events.size());
    events.emplace_back(std::move(pod));
    sums.add(milli, mib, 1);
  }
}

}  // namespace

Result<Imported> import_alibaba2018(std::vector<SourceFile>& files) {
  Imported imported;
  imported.trace.name = "alibaba-2018";
  imported.trace.source = "Alibaba cluster-trace-v2018; memory in parts of 0..100, as GiB";
  LeftOut left_out;
  Sums tasks, containers;
  RETURN_IF_ERROR(read_machines(files[0], imported, left_out));
  RETURN_IF_ERROR(read_tasks(files[1], imported, left_out, tasks));
  RETURN_IF_ERROR(read_containers(files[2], imported, left_out, containers));
  const std::int64_t memory = tasks.memory_mib + containers.memory_mib;
  const Trace& trace = imported.trace;
  imported.checks.push_back(
      {"instances and containers", tasks.pods + containers.pods, trace.counts().pods});
  imported.checks.push_back(
      {"cpu milli", tasks.cpu + containers.cpu, sum_of_pods(trace, "cpu", true)});
  imported.checks.push_back({"memory MiB", memory, sum_of_pods(trace, "memory", false) >> 20});
  imported.left_out = left_out.texts();
  return imported;
}

}  // namespace coracle::sim
