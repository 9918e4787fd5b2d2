// Microsoft Philly (Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters", ATC'19):
// cluster_machine_list (CSV: machineId, number of GPUs, single GPU mem) and cluster_job_log (JSON:
// a list of jobs with attempts). Tells no CPU and no memory. A job becomes a pod on each server of
// its first attempt with servers, with that server's GPUs; it runs as long as all its attempts did
// together.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.hpp"
#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

constexpr std::string_view kGpu = "lab.coracle.dev/gpu-milli";

// "2017-10-07 01:12:09", of a clock without a zone. Nothing: null or not told.
Result<std::optional<Duration>> time_of(const json::value& object, std::string_view name) {
  const std::string text(get_string(object, name));
  if (text.empty() || text == "None") return std::optional<Duration>();
  std::string rfc = text + "Z";
  if (rfc.size() > 10 && rfc[10] == ' ') rfc[10] = 'T';
  const Result<WallTime> parsed = parse_time(rfc);
  if (!parsed.ok()) {
    return invalid_argument(
        fmt::format("{}: {} is no time like 2017-10-07 01:12:09", name, quoted(text)));
  }
  return std::optional(parsed->time_since_epoch());
}

Status read_machines(SourceFile& file, Trace& trace, std::int64_t* gpus, std::int64_t* rows) {
  ASSIGN_OR_RETURN(Csv csv, Csv::open(*file.in, file.name));
  RETURN_IF_ERROR(csv.must_have({"machineId", "number of GPUs", "single GPU mem"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) break;
    ASSIGN_OR_RETURN(const std::int64_t count, csv.whole("number of GPUs"));
    TraceNode node;
    node.name = csv.text("machineId");
    node.allocatable[kGpu] = std::to_string(count * 1000);
    node.allocatable["pods"] = "1000";
    node.labels["lab.coracle.dev/gpu-model"] = trim(csv.text("single GPU mem"));
    *gpus += count;
    trace.events.emplace_back(std::move(node));
  }
  *rows = csv.rows();
  return {};
}

struct Job {
  Duration submitted{0}, ran{0};
  std::optional<Duration> started;
  bool ended = true;
  const json::array* servers = nullptr;
};

Result<Job> read_job(const json::value& job, LeftOut& left_out) {
  Job read;
  ASSIGN_OR_RETURN(const std::optional<Duration> submitted, time_of(job, "submitted_time"));
  if (!submitted) return invalid_argument("submitted_time: is missing");
  read.submitted = *submitted;
  for (const json::value& attempt : get_array(job, "attempts")) {
    const json::array& servers = get_array(attempt, "detail");
    if (read.servers == nullptr && !servers.empty()) read.servers = &servers;
    ASSIGN_OR_RETURN(const std::optional<Duration> start, time_of(attempt, "start_time"));
    ASSIGN_OR_RETURN(const std::optional<Duration> end, time_of(attempt, "end_time"));
    read.ended = end.has_value();
    if (!start || !end) {
      left_out.count("attempts without a start or an end");
    } else if (*end < *start) {
      left_out.count("attempts that end before they start");
    } else {
      read.ran += *end - *start;
    }
    if (start && !read.started && *start >= read.submitted) read.started = start;
  }
  return read;
}

std::vector<TracePod> pods_of(const json::value& object, const Job& job, std::int64_t* gpus) {
  std::vector<TracePod> pods;
  TracePod pod;
  pod.at = job.submitted;
  pod.labels["vc"] = std::string(get_string(object, "vc"));
  pod.labels["user"] = std::string(get_string(object, "user"));
  pod.labels["job"] = std::string(get_string(object, "jobid"));
  pod.fails = get_string(object, "status") == "Failed";
  if (job.ended) pod.lifetime = job.ran;
  for (const json::value& server : *job.servers) {
    const auto count = static_cast<std::int64_t>(get_array(server, "gpus").size());
    *gpus += count;
    pod.name = fmt::format(
        "{}-{}", to_lower(replace_all(std::string(get_string(object, "jobid")), "_", "-")),
        pods.size());
    pod.requests = {};
    pod.requests[kGpu] = std::to_string(count * 1000);
    pod.placed_on = get_string(server, "ip");
    pod.placed_at = job.started;
    pods.push_back(pod);
  }
  return pods;
}

}  // namespace

Result<Imported> import_philly(std::vector<SourceFile>& files) {
  Imported imported;
  Trace& trace = imported.trace;
  trace.name = "philly";
  trace.source = "Microsoft Philly, 2017: GPUs only";
  std::int64_t node_gpus = 0, machines = 0, pod_gpus = 0, jobs_made = 0, pods = 0;
  RETURN_IF_ERROR(read_machines(files[0], trace, &node_gpus, &machines));
  const std::string text{std::istreambuf_iterator<char>(*files[1].in), {}};
  const Result<json::value> jobs = parse_json(text);
  if (!jobs.ok()) return jobs.status().with_context(files[1].name);
  if (!jobs->is_array()) return invalid_argument(files[1].name + ": want a list of jobs");
  LeftOut jobs_left_out, attempts_left_out;
  std::vector<TracePod> made;
  for (size_t i = 0; i < jobs->as_array().size(); ++i) {
    const json::value& object = jobs->as_array()[i];
    const Result<Job> job = read_job(object, attempts_left_out);
    if (!job.ok())
      return job.status().with_context(fmt::format("{}: job {}", files[1].name, i + 1));
    if (job->servers == nullptr) {
      jobs_left_out.count("jobs that never ran: how many GPUs they wanted is not told");
      continue;
    }
    ++jobs_made;
    for (TracePod& pod : pods_of(object, *job, &pod_gpus)) made.push_back(std::move(pod));
  }
  pods = static_cast<std::int64_t>(made.size());
  const auto first = std::min_element(made.begin(), made.end(),
                                      [](const auto& a, const auto& b) { return a.at < b.at; });
  const Duration begin = first == made.end() ? Duration{0} : first->at;
  for (TracePod& pod : made) {
    pod.at -= begin;
    if (pod.placed_at) *pod.placed_at -= begin;
    trace.events.emplace_back(std::move(pod));
  }
  const TraceCounts counts = trace.counts();
  imported.checks = {
      {"machines", machines, counts.nodes},
      {"GPUs of machines", node_gpus, sum_of_nodes(trace, kGpu, false) / 1000},
      {"jobs", static_cast<std::int64_t>(jobs->as_array().size()) - jobs_left_out.total(),
       jobs_made},
      {"servers of jobs", pods, counts.pods},
      {"GPUs of jobs", pod_gpus, sum_of_pods(trace, kGpu, false) / 1000},
  };
  imported.left_out = jobs_left_out.texts();
  for (std::string& text_of : attempts_left_out.texts()) imported.left_out.push_back(text_of);
  return imported;
}

}  // namespace coracle::sim
