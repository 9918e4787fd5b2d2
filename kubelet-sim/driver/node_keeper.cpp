#include "kubelet_driver/node_keeper.hpp"

#include <fmt/format.h>

namespace coracle::kubelet {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr char kShutdownMessage[] = "Pod was terminated in response to imminent node shutdown.";

}  // namespace

NodeKeeper::NodeKeeper(Executor& executor, client::Api& api, NodeAgent& nodes, PodManager& pods,
                       ShutdownGrace grace, Duration period)
    : executor_(executor),
      nodes_(nodes),
      pods_(pods),
      grace_(grace),
      period_(period),
      slices_(nodes.only_node() ? 1 : kSlices),
      events_(executor, api) {
  pods_.set_gate(
      [this](const std::string& node, const json::value& pod) { return refuse(node, pod); });
  nodes_.on_annotations([this](const std::string& node, const json::object& annotations) {
    if (nodes_.find(node) != nullptr) on_shutdown(node, annotations.contains(kShutdown));
  });
  nodes_.on_cordon([this](const std::string& node, bool cordoned) {
    if (nodes_.silent(node)) return;
    const char* const now = cordoned ? "NodeNotSchedulable" : "NodeSchedulable";
    events_.tell(node, "Normal", now, fmt::format("Node {} status is now: {}", node, now));
  });
  nodes_.on_health([this](const std::string& node, bool starts, const auto& reasons) {
    on_health(node, starts, reasons);
  });
}

NodeKeeper::~NodeKeeper() { executor_.cancel(timer_); }

void NodeKeeper::start() {
  if (period_ == Duration(0)) return;
  timer_ = executor_.after(period_ / slices_, [this] { look(); });
}

void NodeKeeper::on_health(const std::string& node, bool starts,
                           const std::vector<std::string_view>& reasons) {
  const bool all = nodes_.names().size() <= kTellAllMax;
  if (starts && !all) return;
  if (starts) events_.tell(node, "Normal", "Starting", "Starting kubelet.");
  for (const std::string_view reason : reasons) {
    if (!all && reason != "NodeReady" && reason != "NodeNotReady") continue;
    events_.tell(node, "Normal", std::string(reason),
                 fmt::format("Node {} status is now: {}", node, reason));
  }
  if (!starts) return;
  events_.tell(node, "Normal", "NodeAllocatableEnforced",
               "Updated Node Allocatable limit across pods");
}

std::optional<Rejection> NodeKeeper::refuse(const std::string& node, const json::value& pod) const {
  if (going_.contains(node) || off_.contains(node)) {
    return Rejection{"NodeShutdown", "Pod was rejected as the node is shutting down."};
  }
  const auto pressure = pressures_.find(node);
  if (pressure == pressures_.end()) return std::nullopt;
  const std::string why = refuse_under_pressure(pod, pressure->second);
  if (why.empty()) return std::nullopt;
  return Rejection{"Evicted", why};
}

void NodeKeeper::look() {
  const std::vector<std::string> names = nodes_.names();
  for (size_t i = static_cast<size_t>(slice_); i < names.size();
       i += static_cast<size_t>(slices_)) {
    look_at(names[i]);
  }
  slice_ = (slice_ + 1) % slices_;
  start();
}

void NodeKeeper::look_at(const std::string& node) {
  if (off_.contains(node)) return;
  look_at_storage(node);
  const NodeFill fill = pods_.fill_of(node);
  const bool needy = fill.memory_short() || fill.disk_short();
  if (!needy && !pressures_.contains(node)) return;
  NodePressure& pressure = pressures_[node];
  if (pressure.see(fill, {executor_.now(), executor_.wall_now()})) {
    nodes_.set_pressure(node, pressure.memory(), pressure.disk());
  }
  if (!pressure.memory() && !pressure.disk()) pressures_.erase(node);
  if (!needy) return;
  if (!nodes_.silent(node)) {
    events_.tell(node, "Warning", "EvictionThresholdMet",
                 fmt::format("Attempting to reclaim {}",
                             fill.memory_short() ? "memory" : "ephemeral-storage"));
  }
  const NodeUse use = pods_.usage(node);
  const auto chosen = choose_eviction(fill, pods_.candidates(node, use));
  if (chosen) pods_.end_pod(chosen->uid, "Evicted", chosen->message, Duration(0), true);
}

void NodeKeeper::look_at_storage(const std::string& node) {
  if (pods_.runner().runtime() == nullptr) return;  // only processes have files
  for (const std::string& uid : pods_.uids_of(node)) {
    const json::value* pod = pods_.object_of(uid);
    if (pod == nullptr || !has_storage_limit(*pod)) continue;
    const auto why = over_storage_limit(*pod, pods_.runner().storage_use(uid));
    if (why) pods_.end_pod(uid, "Evicted", *why, Duration(0), true);
  }
}

void NodeKeeper::on_shutdown(const std::string& node, bool wanted) {
  if (!wanted) {
    if (going_.erase(node) + off_.erase(node) == 0) return;
    nodes_.set_silent(node, NodeAgent::Silence::kOff, false);
    return nodes_.set_shutting_down(node, false);
  }
  if (going_.contains(node) || off_.contains(node)) return;
  nodes_.set_shutting_down(node, true);
  begin_stage(node, Going::kOrdinary);
  go_on(node);
}

void NodeKeeper::begin_stage(const std::string& node, Going stage) {
  const bool critical = stage == Going::kCritical;
  const Duration limit = critical ? grace_.critical : grace_.all - grace_.critical;
  going_[node] = {stage, executor_.now() + limit};
  for (const std::string& uid : pods_.uids_of(node)) {
    const json::value* pod = pods_.object_of(uid);
    if (pod == nullptr || is_critical(*pod) != critical) continue;
    const auto own = std::chrono::seconds(get_int(*pod, "spec.terminationGracePeriodSeconds", 30));
    pods_.end_pod(uid, "Terminated", kShutdownMessage, std::min<Duration>(own, limit), false);
  }
}

void NodeKeeper::go_on(const std::string& node) {
  const auto found = going_.find(node);
  if (found == going_.end()) return;
  const Shutdown& going = found->second;
  const bool critical = going.stage == Going::kCritical;
  const bool some = pods_.any_runs(
      node, [critical](const json::value& pod) { return is_critical(pod) == critical; });
  if (some && executor_.now() < going.until) {
    executor_.after(kLook, [this, node] { go_on(node); });
    return;
  }
  if (!critical) {
    begin_stage(node, Going::kCritical);
    executor_.after(kLook, [this, node] { go_on(node); });
    return;
  }
  going_.erase(found);
  off_.insert(node);
  nodes_.set_silent(node, NodeAgent::Silence::kOff, true);
}

}  // namespace coracle::kubelet
