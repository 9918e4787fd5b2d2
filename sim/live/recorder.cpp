#include "live_sim/recorder.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/timestamp.hpp"
#include "client/object_cache.hpp"

namespace coracle::sim {
namespace {

constexpr std::string_view kOurAnnotations = "lab.coracle.dev/";
constexpr std::string_view kDevicesGiven = "lab.coracle.dev/gpu-devices";  // a decision, no wish

json::object copy_of(const json::object& from, std::initializer_list<std::string_view> names) {
  json::object out;
  for (const std::string_view name : names) {
    if (const json::value* value = from.if_contains(name)) out[name] = *value;
  }
  return out;
}

// What admission adds to every pod says nothing about it.
json::array own_tolerations(const json::value& pod) {
  json::array out;
  for (const json::value& toleration : get_array(pod, "spec.tolerations")) {
    const std::string_view key = get_string(toleration, "key");
    const bool added =
        (key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable") &&
        get_int(toleration, "tolerationSeconds") == 300;
    if (!added) out.push_back(toleration);
  }
  return out;
}

json::array containers(const json::value& pod, const char* list) {
  json::array out;
  for (const json::value& container : get_array(pod, list)) {
    if (!container.is_object()) continue;
    out.push_back(
        copy_of(container.get_object(), {"name", "image", "resources", "ports", "restartPolicy"}));
  }
  return out;
}

TracePod trace_pod(Duration at, const json::value& pod) {
  TracePod out;
  out.at = at;
  out.ns = api::namespace_of(pod);
  out.name = api::name_of(pod);
  out.labels = api::labels_of(pod);
  for (const auto& annotation : get_object(pod, "metadata.annotations")) {
    // Ours are for schedulers (docs/formats/gpu-sharing.md).
    const std::string_view name = annotation.key();
    if (name.starts_with(kOurAnnotations) && name != kDevicesGiven) {
      out.annotations[name] = annotation.value();
    }
  }
  const json::object& spec = get_object(pod, "spec");
  out.spec = copy_of(spec, {"nodeSelector", "affinity", "priority", "preemptionPolicy",
                            "topologySpreadConstraints", "overhead", "schedulingGates"});
  if (get_int(pod, "spec.priority") == 0) out.spec.erase("priority");
  if (get_string(pod, "spec.preemptionPolicy") == "PreemptLowerPriority") {
    out.spec.erase("preemptionPolicy");
  }
  if (const auto scheduler = get_string(pod, "spec.schedulerName");
      !scheduler.empty() && scheduler != "default-scheduler") {
    out.spec["schedulerName"] = scheduler;
  }
  if (json::array tolerations = own_tolerations(pod); !tolerations.empty()) {
    out.spec["tolerations"] = std::move(tolerations);
  }
  json::array main = containers(pod, "spec.containers");
  json::array init = containers(pod, "spec.initContainers");
  const bool ports = !main.empty() && find(main[0], "ports") != nullptr;
  if (main.size() == 1 && init.empty() && !ports) {
    out.requests = get_object(main[0], "resources.requests");
  } else {
    out.spec["containers"] = std::move(main);
    if (!init.empty()) out.spec["initContainers"] = std::move(init);
  }
  return out;
}

std::optional<Duration> between(const json::value& status, std::string_view from,
                                std::string_view to) {
  const auto began = parse_time(get_string(status, from));
  const auto ended = parse_time(get_string(status, to));
  if (!began.ok() || !ended.ok() || *ended < *began) return {};
  return *ended - *began;
}

// From the first container's start to the last one's end, as the kubelet wrote it down.
std::optional<Duration> run_time(const json::value& pod) {
  std::optional<Duration> longest;
  for (const json::value& container : get_array(pod, "status.containerStatuses")) {
    const json::value* state = find(container, "state.terminated");
    if (state == nullptr) continue;
    const auto ran = between(*state, "startedAt", "finishedAt");
    if (ran && (!longest || *ran > *longest)) longest = ran;
  }
  return longest;
}

bool is_ready(const json::value& node) {
  for (const json::value& condition : get_array(node, "status.conditions")) {
    if (get_string(condition, "type") == "Ready") return get_string(condition, "status") == "True";
  }
  return false;
}

json::object allocatable_of(const json::value& node) {
  return get_object(node, "status.allocatable");
}

// Those a node controller adds and takes away are nodeEvents.
json::array own_taints(const json::value& node) {
  json::array out;
  for (const json::value& taint : get_array(node, "spec.taints")) {
    if (!get_string(taint, "key").starts_with("node.kubernetes.io/")) out.push_back(taint);
  }
  return out;
}

}  // namespace

Recorder::Run* Recorder::find(const json::value& pod) {
  const auto found = newest_.find(client::object_key(pod));
  if (found == newest_.end() || pods_[found->second].uid != api::uid_of(pod)) return nullptr;
  return &pods_[found->second];
}

void Recorder::pod(Duration at, const json::value* before, const json::value* after) {
  if (after == nullptr) {
    if (Run* gone = find(*before)) leaves(at, *gone);
    return;
  }
  const json::value& pod = *after;
  const std::string_view phase = get_string(pod, "status.phase");
  const bool ended = phase == "Succeeded" || phase == "Failed";
  const bool leaving = !get_string(pod, "metadata.deletionTimestamp").empty();
  Run* run = find(pod);
  if (run == nullptr) {
    if (full() || ((ended || leaving) && at == Duration(0)))
      return;  // it was over before the recording
    const auto earlier = newest_.find(client::object_key(pod));
    if (earlier != newest_.end()) leaves(at, pods_[earlier->second]);  // its end was not seen
    newest_[client::object_key(pod)] = pods_.size();
    pods_.push_back({trace_pod(at, pod), std::string(api::uid_of(pod)), {}, false});
    run = &pods_.back();
  }
  if (const auto node = get_string(pod, "spec.nodeName"); !node.empty() && !run->pod.placed_at) {
    run->pod.placed_on = node;
    run->pod.placed_at = at;
  }
  if (phase == "Running" && !run->started) run->started = at;
  if (ended && !run->over) {
    run->over = true;
    run->pod.fails = phase == "Failed";
    // Of what ran before the recording only the part in it counts.
    const bool began_before = run->started == Duration(0);
    if (!began_before) run->pod.lifetime = run_time(pod);
    if (!run->pod.lifetime) run->pod.lifetime = at - run->started.value_or(at);
  }
  if (leaving) leaves(at, *run);
}

// Its owner, or whoever, asked for its end.
void Recorder::leaves(Duration at, Run& run) {
  run.over = true;
  if (!run.pod.until) run.pod.until = at;
}

void Recorder::node(Duration at, const json::value* before, const json::value* after) {
  using Kind = TraceNodeEvent::Kind;
  const json::value& any = after == nullptr ? *before : *after;
  const std::string name(api::name_of(any));
  const auto known = nodes_.find(name);
  if (after == nullptr) {
    if (known == nodes_.end()) return;
    events_.emplace_back(TraceNodeEvent{at, name, Kind::kRemove, {}});
    nodes_.erase(known);
    return;
  }
  const json::value& node = *after;
  const bool ready = is_ready(node), cordoned = get_bool(node, "spec.unschedulable");
  json::object allocatable = allocatable_of(node);
  if (known == nodes_.end()) {
    if (full()) return;
    events_.emplace_back(TraceNode{at, name, allocatable, api::labels_of(node), own_taints(node)});
    nodes_[name] = {true, false, allocatable};
  }
  Node& seen = nodes_[name];
  if (seen.ready != ready) {
    events_.emplace_back(TraceNodeEvent{at, name, ready ? Kind::kRecover : Kind::kFail, {}});
  }
  if (seen.cordoned != cordoned) {
    events_.emplace_back(TraceNodeEvent{at, name, cordoned ? Kind::kCordon : Kind::kUncordon, {}});
  }
  if (seen.allocatable != allocatable) {
    events_.emplace_back(TraceNodeEvent{at, name, Kind::kResize, allocatable});
  }
  seen = {ready, cordoned, std::move(allocatable)};
}

Trace Recorder::finish(std::string name, std::string source, WallTime begin) const {
  Trace trace;
  trace.name = std::move(name);
  trace.source = std::move(source);
  trace.begin = begin;
  trace.events = events_;
  for (const Run& run : pods_) trace.events.emplace_back(run.pod);
  // Of equal times nodes come first, as they were put in.
  std::stable_sort(trace.events.begin(), trace.events.end(),
                   [](const TraceEvent& a, const TraceEvent& b) { return at_of(a) < at_of(b); });
  return trace;
}

}  // namespace coracle::sim
