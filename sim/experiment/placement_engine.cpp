#include "experiment/placement_engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "cycle/reserve.hpp"

namespace coracle::sim {

using scheduler::Decision;
using scheduler::PodInfo;
using scheduler::PodPtr;
using scheduler::Point;

PlacementEngine::PlacementEngine(EngineInput input, Ledger* ledger)
    : input_(std::move(input)), ledger_(*ledger), names_(input_.seed ^ 0x6e616d6573) {
  for (const scheduler::Profile& profile : input_.policy.profiles) {
    profiles_.emplace(profile.name, profile);
  }
  scheduler::QueueOptions options;
  options.backoff_first = std::chrono::seconds(input_.policy.backoff_first_seconds);
  options.backoff_max = std::chrono::seconds(input_.policy.backoff_max_seconds);
  const auto& sorters = profiles_.begin()->second.at(Point::kQueueSort);
  if (!sorters.empty()) options.sort = sorters.front();
  options.keeps_out = [this](const PodInfo& pod) {
    const auto& gates = profile_of(pod)->at(Point::kPreEnqueue);
    return std::any_of(gates.begin(), gates.end(), [&](const scheduler::Plugin* plugin) {
      return !plugin->pre_enqueue(pod, cache_.snapshot()).is_yes();
    });
  };
  queue_ = std::make_unique<scheduler::Queue>(std::move(options));
  rotation_.chance = Rng(input_.seed ^ 0x6368616e6365);
}

const scheduler::Profile* PlacementEngine::profile_of(const PodInfo& pod) const {
  const auto found = profiles_.find(pod.scheduler_name);
  return found == profiles_.end() ? nullptr : &found->second;
}

Status PlacementEngine::begin() {
  const Plan& plan = *input_.plan;
  for (const TraceNode& node : plan.nodes) {
    if (node.at > Duration(0)) {
      agenda_.at(node.at, [this, &node] { add_node(node); });
    } else {
      add_node(node);
    }
  }
  plan_all();
  return {};
}

// In this order at equal times: nodes (above), what befalls them, pods.
void PlacementEngine::plan_all() {
  const Plan& plan = *input_.plan;
  for (const TraceNodeEvent& event : plan.node_events) {
    agenda_.at(event.at, [this, &event] { on_node_event(event); });
  }
  for (const PlannedFault& fault : plan.faults) {
    agenda_.at(fault.at, [this, &fault] { begin_fault(fault); });
    if (fault.until) agenda_.at(*fault.until, [this, &fault] { end_fault(fault); });
  }
  for (const Arrival& arrival : plan.arrivals) {
    agenda_.at(arrival.at, [this, &arrival] { arrive(arrival); });
  }
  for (const TraceUsage& usage : plan.usages) {
    agenda_.at(usage.at, [this, &usage] {
      ledger_.pod_uses(usage.pod, scheduler::parse_resources(usage.usage));
    });
  }
}

Result<bool> PlacementEngine::run_until(Duration at, bool stop_at_decision) {
  decided_ = false;
  while (failure_.ok()) {
    const auto next = agenda_.next();
    if (!next || *next > at) {
      agenda_.pass_until(at);
      return true;
    }
    agenda_.run_next();
    if (decided_ && stop_at_decision && failure_.ok()) return false;
  }
  return failure_;
}

QueueSizes PlacementEngine::queue() const { return sizes_of(queue_->sizes()); }

// One decision at a time, each at the end of the time it takes.
void PlacementEngine::wake() {
  if (decide_planned_) return;
  if (queue_->sizes().active == 0) {
    const auto due = queue_->next_due();
    if (!due) return;
    const Duration when = *due - TimePoint(std::chrono::hours(1));
    if (when > agenda_.now()) {
      if (timer_ > agenda_.now() && timer_ <= when) return;
      timer_ = when;
      agenda_.at(when, [this] { wake(); });
      return;
    }
  }
  decide_planned_ = true;
  agenda_.at(agenda_.now() + input_.scenario->cluster.decision_time, [this] { decide_next(); });
}

void PlacementEngine::decide_next() {
  decide_planned_ = false;
  const PodPtr pod = queue_->take(queue_now());
  if (pod != nullptr) {
    settle(pod, scheduler::decide(*profile_of(*pod), pod, cache_.snapshot(), rotation_));
    decided_ = true;
  }
  wake();
}

void PlacementEngine::settle(const PodPtr& pod, Decision decision) {
  auto& world = cache_.surroundings();
  if (decision.kind == Decision::Kind::kPlaced) {
    world.nominations.remove(pod->uid);
    const auto [verdict, by] = scheduler::reserve_all(*profile_of(*pod), *pod, decision.node,
                                                      cache_.snapshot(), world.reservations);
    if (verdict.is_yes()) {
      cache_.assume(*pod, decision.node);
    } else {
      decision.kind = verdict.kind() == scheduler::Verdict::Kind::kBroken
                          ? Decision::Kind::kBroken
                          : Decision::Kind::kFitsNowhere;
      decision.message = fmt::format("running Reserve plugin \"{}\": {}", by->name(),
                                     join(verdict.reasons(), ", "));
      decision.rejected_by = {by};
      decision.node.clear();
    }
  }
  ledger_.decided(agenda_.now(), decision);
  switch (decision.kind) {
    case Decision::Kind::kPlaced:
      ask_permits(pod, decision.node);
      look_again();
      break;
    case Decision::Kind::kFitsNowhere:
      queue_->park(pod->key, decision.rejected_by, queue_now());
      if (!decision.nominated.empty()) {
        preempt(pod, decision);
      } else if (decision.clear_nomination) {
        world.nominations.remove(pod->uid);
      }
      break;
    case Decision::Kind::kBroken:
      queue_->retry(pod->key, queue_now());
      failure_ = internal_error(fmt::format("the decision about pod {} failed at {}: {}", pod->key,
                                            human_duration(agenda_.now()), decision.message));
      break;
  }
}

void PlacementEngine::preempt(const PodPtr& pod, const Decision& decision) {
  auto& nominations = cache_.surroundings().nominations;
  nominations.set(pod, decision.nominated);
  for (const PodPtr& victim : decision.victims) pod_over(victim->key, PodEnd::kPreempted);
  const std::vector<PodPtr> there = nominations.on(decision.nominated);
  for (const PodPtr& other : there) {
    if (other->uid == pod->uid || other->priority >= pod->priority) continue;
    nominations.remove(other->uid);
    queue_->activate(other->key);
  }
}

void PlacementEngine::changed(scheduler::Change change) {
  change.world = &cache_.snapshot();
  queue_->on_change(change, queue_now());
  look_again();
  wake();
}

std::unique_ptr<Engine> make_placement_engine(EngineInput input, Ledger* ledger) {
  return std::make_unique<PlacementEngine>(std::move(input), ledger);
}

}  // namespace coracle::sim
