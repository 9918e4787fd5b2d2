#include "cluster_engine/cluster_engine.hpp"

#include <fmt/format.h>

#include <set>

#include "api/quantity.hpp"

namespace coracle::sim {
namespace {

using cluster_sim::World;
using cluster_sim::WorldOptions;

kubelet::NodeFacts facts_of(const TraceNode& node) {
  kubelet::NodeFacts facts;
  facts.name = node.name;
  facts.cpu = facts.memory = "0";  // what a trace does not name is not there
  for (const auto& amount : node.allocatable) {
    const std::string name(amount.key());
    const std::string text(amount.value().get_string());
    if (name == "cpu") {
      facts.cpu = text;
    } else if (name == "memory") {
      facts.memory = text;
    } else if (name == "ephemeral-storage") {
      facts.ephemeral_storage = text;
    } else if (name == "pods") {
      facts.pods = static_cast<int>(api::Quantity::parse(text).value().value());
    } else {
      facts.extended[name] = text;
    }
  }
  for (const auto& label : node.labels) {
    facts.labels[std::string(label.key())] = std::string(label.value().get_string());
  }
  facts.taints = node.taints;
  return facts;
}

}  // namespace

ClusterEngine::ClusterEngine(EngineInput input, Ledger* ledger)
    : input_(std::move(input)), ledger_(*ledger) {}

Result<WorldOptions> ClusterEngine::options() const {
  const ClusterSpec& cluster = input_.scenario->cluster;
  WorldOptions options;
  options.seed = input_.seed;
  options.store.members = static_cast<int>(cluster.store_members);
  options.apiservers = static_cast<int>(cluster.apiservers);
  options.kubelet = cluster_sim::paced(cluster.lease);
  options.schedulers.front().replicas = static_cast<int>(cluster.schedulers);
  options.schedulers.front().config = input_.policy;
  if (!cluster.images.empty()) RETURN_IF_ERROR(options.images.add(cluster.images));
  std::set<std::string> known;
  for (const TraceNode& node : input_.plan->nodes) {
    if (!known.insert(node.name).second) continue;  // it comes back, as it was
    options.nodes.push_back(facts_of(node));
    if (node.at > Duration(0)) options.absent.insert(node.name);
  }
  RETURN_IF_ERROR(cluster_sim::check(options));
  return options;
}

void ClusterEngine::fail(const Status& status) {
  if (!status.ok() && failure_.ok()) failure_ = status;
}

Status ClusterEngine::begin() {
  ASSIGN_OR_RETURN(WorldOptions options, this->options());
  for (const std::string& node : options.absent) keep_away(node);
  world_ = std::make_unique<World>(std::move(options));
  RETURN_IF_ERROR(world_->boot());
  RETURN_IF_ERROR(prepare());
  zero_ = world_->elapsed();
  wishes_.resize(input_.plan->arrivals.size());
  watch();
  plan_all();
  return {};
}

void ClusterEngine::watch() {
  for (const auto& [key, node] : world_->nodes().objects()) on_node(nullptr, node);
  world_->on_node([this](const auto& before, const auto& after) { on_node(before, after); });
  world_->on_pod([this](const auto& before, const auto& after) { on_pod(before, after); });
  world_->on_decision(
      [this](const cluster_sim::DecisionSeen& seen) { on_decision(seen.kept.decision); });
}

void ClusterEngine::plan_all() {
  const Plan& plan = *input_.plan;
  const auto at = [&](Duration when, std::function<void()> work) {
    world_->after(when, std::move(work));
  };
  for (const TraceNode& node : plan.nodes) {
    if (node.at == Duration(0)) continue;
    at(node.at, [this, &node] { join(node.name); });
  }
  for (const TraceNodeEvent& event : plan.node_events) {
    at(event.at, [this, &event] { on_node_event(event); });
  }
  for (const PlannedFault& fault : plan.faults) {
    at(fault.at, [this, &fault] { begin_fault(fault); });
    if (fault.until) at(*fault.until, [this, &fault] { end_fault(fault); });
  }
  for (size_t i = 0; i < plan.arrivals.size(); ++i) {
    const Arrival& arrival = plan.arrivals[i];
    at(arrival.at, [this, i] { create(i, now()); });
    if (arrival.until) at(*arrival.until, [this, i] { remove(i); });
  }
  for (const TraceUsage& usage : plan.usages) {
    at(usage.at,
       [this, &usage] { ledger_.pod_uses(usage.pod, scheduler::parse_resources(usage.usage)); });
  }
}

Duration ClusterEngine::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(world_->elapsed() - zero_);
}

QueueSizes ClusterEngine::queue() const {
  const auto sizes = world_->queue();
  return sizes ? sizes_of(*sizes) : QueueSizes{};
}

Result<bool> ClusterEngine::run_until(Duration at, bool stop_at_decision) {
  decided_ = false;
  const auto rest = [&] { return std::max(Duration(0), zero_ + at - world_->elapsed()); };
  const auto stop = [&] { return !failure_.ok() || (stop_at_decision && decided_); };
  const bool stopped = world_->run_until(stop, rest());
  if (!failure_.ok()) return failure_;
  if (!world_->failure().empty()) {
    return internal_error(fmt::format("the cluster broke a promise: {}", world_->failure()));
  }
  if (stopped) return false;
  world_->run_for(rest());  // nothing is due until then
  return true;
}

std::unique_ptr<Engine> make_cluster_engine(EngineInput input, Ledger* ledger) {
  return std::make_unique<ClusterEngine>(std::move(input), ledger);
}

}  // namespace coracle::sim
