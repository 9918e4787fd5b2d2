#include "kubelet_driver/fault_keeper.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr Duration kAgain = std::chrono::seconds(1);
constexpr char kOurs[] = "lab.coracle.dev/";

// Those that may ask for a fault.
json::object ours_of(const json::object& annotations) {
  json::object ours;
  for (const auto& member : annotations) {
    if (member.key().starts_with(kOurs)) ours.insert(member);
  }
  return ours;
}

}  // namespace

FaultKeeper::FaultKeeper(Executor& executor, client::Api& api, NodeAgent& nodes, PodManager& pods,
                         Hooks hooks)
    : executor_(executor),
      nodes_(nodes),
      pods_(pods),
      hooks_(std::move(hooks)),
      nodes_api_(api, {"", "v1", "nodes", false}),
      events_(executor, api) {
  nodes_.on_annotations([this](const std::string& name, const json::object& annotations) {
    json::object ours = ours_of(annotations);
    if (ours.empty() && !faulty_.contains(name)) return;
    faulty_[name].annotations = std::move(ours);
    look(name);
  });
}

FaultKeeper::~FaultKeeper() {
  for (auto& [name, node] : faulty_) executor_.cancel(node.timer);
}

void FaultKeeper::look(const std::string& name) {
  Node& node = faulty_.at(name);
  const WallTime now = executor_.wall_now();
  const NodeFaults asked = faults_asked(node.annotations, now);
  executor_.cancel(node.timer);
  if (const auto end = asked.next_end()) {
    node.timer = executor_.after(*end - now, [this, name] { look(name); });
  }
  node.cut_off = asked.cut_off;
  isolate(name, node);
  if (nodes_.find(name) == nullptr) return;
  if (node.lag != asked.delay) {
    node.lag = asked.delay;
    pods_.set_lag(name, asked.delay);
    hooks_.kubelet_lag(name, asked.delay);
  }
  for (const std::string& problem : asked.problems) {
    if (node.told.insert(problem).second) events_.tell(name, "Warning", "InvalidFault", problem);
  }
  for (const std::string& annotation : asked.over) take_away(name, annotation);
  if (asked.reboot && node.power == Power::kOn) begin_reboot(name, node);
  if (!asked.reboot && node.power == Power::kBooted) node.power = Power::kOn;
}

void FaultKeeper::isolate(const std::string& name, Node& node) {
  const bool isolated = node.cut_off || node.power == Power::kDown;
  if (std::exchange(node.isolated, isolated) == isolated) return;
  hooks_.network(name, isolated);
  if (nodes_.find(name) == nullptr) return;
  hooks_.kubelet(name, !isolated);
  nodes_.set_silent(name, NodeAgent::Silence::kCutOff, isolated);
  isolated ? pods_.cut_off(name) : pods_.reconnect(name);
  log::info("node {} is {}", name, isolated ? "cut off" : "connected again");
}

void FaultKeeper::begin_reboot(const std::string& name, Node& node) {
  node.power = Power::kDown;
  node.down_since = executor_.now();
  isolate(name, node);
  pods_.power_off(name);
  wait_down(name);
}

void FaultKeeper::wait_down(const std::string& name) {
  Node& node = faulty_.at(name);
  if (executor_.now() - node.down_since >= kDownFor && !pods_.any_process(name)) {
    return boot(name, node);
  }
  executor_.after(kLook, [this, name] { wait_down(name); });
}

// Its pods are there again before it hears what the API has for them.
void FaultKeeper::boot(const std::string& name, Node& node) {
  node.power = Power::kBooting;
  nodes_.begin_boot(name);
  pods_.power_on(name);
  isolate(name, node);
  executor_.after(kBootFor, [this, name] { end_boot(name); });
  if (node.cut_off) return;
  events_.tell(name, "Normal", "Starting", "Starting kubelet.");
  events_.tell(name, "Warning", "Rebooted",
               fmt::format("Node {} has been rebooted, boot id: {}", name, nodes_.boot_id(name)));
}

void FaultKeeper::end_boot(const std::string& name) {
  Node& node = faulty_.at(name);
  node.power = Power::kBooted;
  nodes_.end_boot(name);
  take_away(name, kRebootFault);
}

void FaultKeeper::take_away(const std::string& name, const std::string& annotation) {
  json::value patch = json::object();
  json::object& metadata = make_object(patch, "metadata");
  metadata["annotations"] = json::object{{annotation, nullptr}};
  spawn<client::ApiResult<json::value>>(
      nodes_api_.patch("", name, client::PatchType::kMerge, patch, {}, ""),
      [this, name, annotation](const client::ApiResult<json::value>& answer) {
        if (answer.ok() || answer.error().is_not_found()) return;
        log::warn("node {}: annotation {} stays: {}", name, annotation, answer.error().message);
        executor_.after(kAgain, [this, name, annotation] {
          if (faulty_.at(name).annotations.contains(annotation)) take_away(name, annotation);
        });
      });
}

}  // namespace coracle::kubelet
