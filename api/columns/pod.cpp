#include <map>
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"

namespace coracle::api {
namespace {

// What READY, STATUS and RESTARTS are made from. One walk over the container statuses, because
// each of the three depends on how far the pod got with its init containers.
struct PodSummary {
  std::string reason;
  std::int64_t ready = 0;
  std::int64_t total = 0;
  std::int64_t restarts = 0;
  std::string last_restart;  // RFC 3339; "" = never
};

using Names = std::map<std::string_view, const json::value*>;

void count_restarts(const json::value& status, std::int64_t& restarts, std::string& last) {
  restarts += get_int(status, "restartCount");
  const std::string_view finished = get_string(status, "lastState.terminated.finishedAt");
  // RFC 3339 in UTC orders as text.
  if (finished > std::string_view(last)) {
    last = finished;
  }
}

std::string terminated_text(const json::value& terminated) {
  if (const auto reason = get_string(terminated, "reason"); !reason.empty()) {
    return std::string(reason);
  }
  if (const auto signal = get_int(terminated, "signal"); signal != 0) {
    return "Signal:" + std::to_string(signal);
  }
  return "ExitCode:" + std::to_string(get_int(terminated, "exitCode"));
}

// A side-car: an init container that keeps running beside the others.
bool is_restartable(const Names& specs, std::string_view name) {
  const auto found = specs.find(name);
  return found != specs.end() && get_string(*found->second, "restartPolicy") == "Always";
}

// Whether an init container holds the pod back; fills in what was counted so far.
bool summarize_init(const json::value& pod, const Names& specs, PodSummary& summary,
                    PodSummary& sidecars) {
  std::int64_t index = -1;
  for (const json::value& status : get_array(pod, "status.initContainerStatuses")) {
    ++index;
    const bool sidecar = is_restartable(specs, get_string(status, "name"));
    count_restarts(status, summary.restarts, summary.last_restart);
    if (sidecar) {
      count_restarts(status, sidecars.restarts, sidecars.last_restart);
    }
    const json::value* terminated = find(status, "state.terminated");
    if (terminated != nullptr && get_int(*terminated, "exitCode") == 0) {
      continue;
    }
    if (sidecar && get_bool(status, "started")) {
      summary.ready += get_bool(status, "ready") ? 1 : 0;
      continue;
    }
    const std::string_view waiting = get_string(status, "state.waiting.reason");
    if (terminated != nullptr) {
      summary.reason = "Init:" + terminated_text(*terminated);
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary.reason = "Init:" + std::string(waiting);
    } else {
      summary.reason = "Init:" + std::to_string(index) + "/" +
                       std::to_string(get_array(pod, "spec.initContainers").size());
    }
    return true;
  }
  return false;
}

void summarize_containers(const json::value& pod, PodSummary& summary) {
  bool running = false;
  const json::array& statuses = get_array(pod, "status.containerStatuses");
  for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
    count_restarts(*status, summary.restarts, summary.last_restart);
    const std::string_view waiting = get_string(*status, "state.waiting.reason");
    if (!waiting.empty()) {
      summary.reason = waiting;
    } else if (const json::value* terminated = find(*status, "state.terminated")) {
      summary.reason = terminated_text(*terminated);
    } else if (get_bool(*status, "ready") && find(*status, "state.running") != nullptr) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.reason == "Completed" && running) {
    summary.reason = cells::condition_is_true(pod, "Ready") ? "Running" : "NotReady";
  }
}

PodSummary summarize(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  const std::string_view status_reason = get_string(pod, "status.reason");
  PodSummary summary;
  summary.reason = status_reason.empty() ? phase : status_reason;
  for (const json::value& condition : get_array(pod, "status.conditions")) {
    if (get_string(condition, "type") == "PodScheduled" &&
        get_string(condition, "reason") == "SchedulingGated") {
      summary.reason = "SchedulingGated";
    }
  }
  summary.total = static_cast<std::int64_t>(get_array(pod, "spec.containers").size());
  Names specs;
  for (const json::value& container : get_array(pod, "spec.initContainers")) {
    specs[get_string(container, "name")] = &container;
    summary.total += get_string(container, "restartPolicy") == "Always" ? 1 : 0;
  }
  PodSummary sidecars;
  const bool initializing = summarize_init(pod, specs, summary, sidecars);
  if (!initializing || cells::condition_is_true(pod, "Initialized")) {
    summary.restarts = sidecars.restarts;
    summary.last_restart = sidecars.last_restart;
    summarize_containers(pod, summary);
  }
  if (!deletion_timestamp_of(pod).empty()) {
    if (status_reason == "NodeLost") {
      summary.reason = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      summary.reason = "Terminating";
    }
  }
  return summary;
}

json::value ready(const json::value& pod, WallTime) {
  const PodSummary summary = summarize(pod);
  return cells::text(std::to_string(summary.ready) + "/" + std::to_string(summary.total));
}

json::value status(const json::value& pod, WallTime) { return cells::text(summarize(pod).reason); }

json::value restarts(const json::value& pod, WallTime now) {
  const PodSummary summary = summarize(pod);
  std::string text = std::to_string(summary.restarts);
  if (summary.restarts != 0 && !summary.last_restart.empty()) {
    text += " (" + cells::age(summary.last_restart, now) + " ago)";
  }
  return cells::text(text);
}

json::value ip(const json::value& pod, WallTime) {
  const json::array& ips = get_array(pod, "status.podIPs");
  const std::string_view first =
      ips.empty() ? get_string(pod, "status.podIP") : get_string(ips.front(), "ip");
  return cells::text_or(first, cells::kNone);
}

json::value node(const json::value& pod, WallTime) {
  return cells::string_at(pod, "spec.nodeName", cells::kNone);
}

json::value nominated_node(const json::value& pod, WallTime) {
  return cells::string_at(pod, "status.nominatedNodeName", cells::kNone);
}

json::value readiness_gates(const json::value& pod, WallTime) {
  const json::array& gates = get_array(pod, "spec.readinessGates");
  if (gates.empty()) {
    return cells::text(cells::kNone);
  }
  int passed = 0;
  for (const json::value& gate : gates) {
    passed += cells::condition_is_true(pod, get_string(gate, "conditionType")) ? 1 : 0;
  }
  return cells::text(std::to_string(passed) + "/" + std::to_string(gates.size()));
}

constexpr ColumnHook kColumns[] = {
    {"pod.ready", ready},
    {"pod.status", status},
    {"pod.restarts", restarts},
    {"pod.ip", ip},
    {"pod.node", node},
    {"pod.nominatedNode", nominated_node},
    {"pod.readinessGates", readiness_gates},
};

}  // namespace

std::span<const ColumnHook> pod_columns() { return kColumns; }

}  // namespace coracle::api
