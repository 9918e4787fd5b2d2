// The plan's faults and its nodes' events, as those of the simulated world.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "cluster_engine/cluster_engine.hpp"

namespace coracle::sim {
namespace {

using cluster_sim::World;
using Aspect = StandingFaults::Aspect;

// What a trace's events are, as faults.
const FaultSpec& silent() {
  static const FaultSpec spec{.kind = "node-silent"};
  return spec;
}
const FaultSpec& cordoned() {
  static const FaultSpec spec{.kind = "node-cordon"};
  return spec;
}
const FaultSpec& away() {
  static const FaultSpec spec{.kind = "node-down"};
  return spec;
}

}  // namespace

// Of the store, whoever leads it now; of others, the first.
std::vector<std::string> ClusterEngine::machines_of(const PlannedFault& fault) const {
  if (fault.spec->kind.starts_with("node-")) return fault.nodes;
  if (!fault.spec->machine.empty()) return {fault.spec->machine};
  const std::string part = fault.spec->kind.substr(0, fault.spec->kind.rfind('-'));
  const std::string leader = part == "store" ? world_->leader() : "";
  return {leader.empty() ? part + "-1" : leader};
}

void ClusterEngine::begin_fault(const PlannedFault& fault) {
  std::vector<std::string> machines = machines_of(fault);
  const std::string whom =
      machines.size() == 1 ? machines.front() : fmt::format("{} nodes", machines.size());
  ledger_.happened(now(),
                   fmt::format("{}: {}{}", fault.spec->kind, whom,
                               fault.spec->zone.empty() ? "" : " of zone " + fault.spec->zone));
  const Aspect aspect = StandingFaults::aspect_of(fault.spec->kind);
  for (const std::string& machine : machines) {
    faults_.begin(machine, fault.spec);
    if (aspect == Aspect::kPause) {
      fail(world_->pause(machine, fault.until.value_or(input_.scenario->duration) - fault.at));
    } else {
      settle(machine, aspect);
    }
  }
  struck_[&fault] = std::move(machines);
}

void ClusterEngine::end_fault(const PlannedFault& fault) {
  ledger_.happened(now(), fmt::format("{} is over", fault.spec->kind));
  for (const std::string& machine : struck_[&fault]) {
    faults_.end(machine, fault.spec);
    settle(machine, StandingFaults::aspect_of(fault.spec->kind));
  }
  struck_.erase(&fault);
}

// Makes the machine what the faults that stand now come to.
void ClusterEngine::settle(const std::string& machine, Aspect aspect) {
  const FaultSpec* const last = faults_.last(machine, aspect);
  switch (aspect) {
    case Aspect::kPower:
      return settle_power(machine);
    case Aspect::kLink:
      return fail(last != nullptr ? world_->cut_off(machine) : world_->rejoin(machine));
    case Aspect::kCordon:
      return cordon(machine);
    case Aspect::kPause:
      return;  // it ends by itself
    case Aspect::kNetwork:
      return fail(last != nullptr ? world_->degrade(machine, last->delay, last->loss)
                                  : world_->degrade(machine, Duration(0), 0));
    case Aspect::kClock:
      return fail(world_->shift_clock(machine, faults_.clock_shift(machine)));
    case Aspect::kDisk: {
      const auto fault = last == nullptr        ? World::DiskFault::kOk
                         : last->disk == "torn" ? World::DiskFault::kTorn
                         : last->disk == "full" ? World::DiskFault::kFull
                                                : World::DiskFault::kSlow;
      fail(world_->disk(machine, fault, last == nullptr ? Duration(0) : last->delay));
      // A torn or full disk ends the member; whoever mends the disk starts it again.
      if (last == nullptr) settle_power(machine);
      return;
    }
  }
}

// In a turn of its own: what was asked for before has happened then.
void ClusterEngine::settle_power(const std::string& machine) {
  world_->after(Duration(0), [this, machine] {
    const bool up = !faults_.any(machine, Aspect::kPower);
    if (up == world_->running(machine)) return;
    fail(up ? world_->start(machine) : world_->kill(machine));
  });
}

void ClusterEngine::cordon(const std::string& node) {
  const bool on = faults_.any(node, Aspect::kCordon);
  json::value patch = json::object();
  set_path(patch, "spec.unschedulable", on ? json::value(true) : json::value(nullptr));
  const client::ResourceClient nodes(world_->api(), {"", "v1", "nodes", false});
  spawn<client::ApiResult<json::value>>(nodes.patch("", node, client::PatchType::kMerge, patch),
                                        [this, node](const client::ApiResult<json::value>& answer) {
                                          if (answer.ok() || !answer.error().is_retryable())
                                            return;  // not there: nothing to cordon
                                          world_->after(std::chrono::seconds(1),
                                                        [this, node] { cordon(node); });
                                        });
}

void ClusterEngine::keep_away(const std::string& node) { faults_.begin(node, &away()); }

// For the first time, or after it was removed.
void ClusterEngine::join(const std::string& node) {
  faults_.end(node, &away());
  settle_power(node);
}

void ClusterEngine::on_node_event(const TraceNodeEvent& event) {
  using Kind = TraceNodeEvent::Kind;
  const auto change = [&](const FaultSpec& fault, bool begins) {
    if (begins) {
      faults_.begin(event.node, &fault);
    } else {
      faults_.end(event.node, &fault);
    }
    settle(event.node, StandingFaults::aspect_of(fault.kind));
  };
  switch (event.kind) {
    case Kind::kRemove:
      ledger_.happened(now(), fmt::format("node {} is removed", event.node));
      change(away(), true);
      change(silent(), false);  // of one that joins later under its name nothing stands
      change(cordoned(), false);
      return remove_node(event.node);
    case Kind::kFail:
      return change(silent(), true);
    case Kind::kRecover:
      return change(silent(), false);
    case Kind::kCordon:
      return change(cordoned(), true);
    case Kind::kUncordon:
      return change(cordoned(), false);
    case Kind::kResize:
      return;  // such traces are refused when the scenario is read
  }
}

}  // namespace coracle::sim
