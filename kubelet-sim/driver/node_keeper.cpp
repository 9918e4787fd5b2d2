#include "kubelet_driver/node_keeper.hpp"

#include <fmt/format.h>

namespace coracle::kubelet {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr char kShutdownMessage[] = "Pod was terminated in response to imminent node shutdown.";

}  // namespace

NodeKeeper::NodeKeeper(Executor& executor, client::Api& api, NodeAgent& nodes, PodManager& pods,
                       ShutdownGrace grace)
    : executor_(executor), api_(api), nodes_(nodes), pods_(pods), grace_(grace) {
  pods_.set_gate(
      [this](const std::string& node, const json::value& pod) { return refuse(node, pod); });
  nodes_.on_shutdown([this](const std::string& node, bool wanted) { on_shutdown(node, wanted); });
}

NodeKeeper::~NodeKeeper() { executor_.cancel(timer_); }

void NodeKeeper::start() {
  timer_ = executor_.after(kPeriod / kSlices, [this] { look(); });
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
  for (size_t i = static_cast<size_t>(slice_); i < names.size(); i += kSlices) look_at(names[i]);
  slice_ = (slice_ + 1) % kSlices;
  start();
}

void NodeKeeper::look_at(const std::string& node) {
  if (off_.contains(node)) return;
  const NodeFill fill = pods_.fill_of(node);
  const bool needy = fill.memory_short() || fill.disk_short();
  if (!needy && !pressures_.contains(node)) return;
  NodePressure& pressure = pressures_[node];
  if (pressure.see(fill, {executor_.now(), executor_.wall_now()})) {
    nodes_.set_pressure(node, pressure.memory(), pressure.disk());
  }
  if (!pressure.memory() && !pressure.disk()) pressures_.erase(node);
  if (!needy) return;
  tell(node, "EvictionThresholdMet",
       fmt::format("Attempting to reclaim {}",
                   fill.memory_short() ? "memory" : "ephemeral-storage"));
  const NodeUse use = pods_.usage(node);
  const auto chosen = choose_eviction(fill, pods_.candidates(node, use));
  if (chosen) pods_.end_pod(chosen->uid, "Evicted", chosen->message, Duration(0), true);
}

void NodeKeeper::on_shutdown(const std::string& node, bool wanted) {
  if (!wanted) {
    going_.erase(node);
    off_.erase(node);
    nodes_.set_off(node, false);
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
  nodes_.set_off(node, true);
}

void NodeKeeper::tell(const std::string& node, const std::string& reason,
                      const std::string& message) {
  auto& recorder = recorders_[node];
  if (!recorder) {
    recorder = std::make_unique<client::EventRecorder>(executor_, api_,
                                                       client::EventSource{"kubelet", node});
  }
  client::EventInput input;
  input.regarding = {{"kind", "Node"}, {"name", node}, {"uid", node}, {"apiVersion", "v1"}};
  input.type = "Warning";
  input.reason = reason;
  input.message = message;
  recorder->record(std::move(input));
}

}  // namespace coracle::kubelet
