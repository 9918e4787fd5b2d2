// The model of a cluster around the scheduler's core: nodes, owners, pods' lives.
#include <fmt/format.h>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "experiment/placement_engine.hpp"

namespace coracle::sim {

using scheduler::PodPtr;

namespace {

constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";

// How long a pod stays on a node that is lost; nothing: for ever. What does not say is given
// `unsaid`, as admission does it.
std::optional<Duration> patience_of(const scheduler::PodInfo& pod, Duration unsaid) {
  const api::Taint taint{kUnreachable, "", api::TaintEffect::kNoExecute};
  const api::Toleration* toleration = api::tolerated_by(taint, pod.tolerations);
  if (toleration == nullptr) return unsaid;
  if (!toleration->seconds) return {};
  return std::chrono::seconds(std::max<std::int64_t>(0, *toleration->seconds));
}

std::string label_of(const scheduler::NodeFacts& facts, std::string_view label) {
  return std::string(facts.topology(label).value_or(""));
}

}  // namespace

void PlacementEngine::add_node(const TraceNode& trace) {
  Node node;
  node.facts = *scheduler::parse_node(node_object(trace));
  node.node_class = label_of(node.facts, "sim.coracle.dev/class");
  show(nodes_[trace.name] = std::move(node));
}

// Pods of a node that is silent are not rescheduled before it is tainted; nobody comes to it.
void PlacementEngine::show(Node& node) {
  auto facts = std::make_shared<scheduler::NodeFacts>(node.facts);
  facts->unschedulable = node.facts.unschedulable || node.cordoned > 0;
  if (facts->unschedulable && !node.facts.unschedulable) {
    facts->taints.push_back(
        {"node.kubernetes.io/unschedulable", "", api::TaintEffect::kNoSchedule});
  }
  if (node.lost) {
    facts->taints.push_back({kUnreachable, "", api::TaintEffect::kNoSchedule});
    facts->taints.push_back({kUnreachable, "", api::TaintEffect::kNoExecute});
  }
  ledger_.node(*facts, node.node_class, !node.lost);
  scheduler::Change change;
  if (const scheduler::NodeInfo* known = cache_.find_node(facts->name)) {
    change.node_before = known->facts_ptr();
  }
  change.events = cache_.set_node(facts);
  change.node = cache_.find_node(facts->name);
  if (change.events != 0) changed(change);
}

void PlacementEngine::on_node_event(const TraceNodeEvent& event) {
  const auto found = nodes_.find(event.node);
  if (found == nodes_.end()) return;
  using Kind = TraceNodeEvent::Kind;
  switch (event.kind) {
    case Kind::kRemove:
      return remove_node(event.node);
    case Kind::kFail:
      return silence(event.node, false);
    case Kind::kRecover:
      return unsilence(event.node);
    case Kind::kCordon:
      return cordon(event.node, 1);
    case Kind::kUncordon:
      return cordon(event.node, -1);
    case Kind::kResize: {
      TraceNode resized{event.at, event.node, event.allocatable, found->second.facts.labels, {}};
      const auto facts = scheduler::parse_node(node_object(resized));
      found->second.facts.allocatable = facts->allocatable;
      found->second.facts.pods_max = facts->pods_max;
      return show(found->second);
    }
  }
}

void PlacementEngine::remove_node(const std::string& name) {
  const scheduler::NodeInfo* known = cache_.find_node(name);
  if (known == nullptr) return;
  ledger_.happened(agenda_.now(), fmt::format("node {} is removed", name));
  evict_all(name, PodEnd::kLost);
  scheduler::Change change{.events = scheduler::event::kNodeGone,
                           .node_before = cache_.find_node(name)->facts_ptr()};
  cache_.remove_node(name);
  nodes_.erase(name);
  ledger_.node_gone(name);
  changed(change);
}

void PlacementEngine::begin_fault(const PlannedFault& fault) {
  ledger_.happened(agenda_.now(),
                   fmt::format("{}: {} nodes{}", fault.spec->kind, fault.nodes.size(),
                               fault.spec->zone.empty() ? "" : " of zone " + fault.spec->zone));
  for (const std::string& name : fault.nodes) {
    if (fault.spec->kind == "node-cordon") {
      cordon(name, 1);
    } else {
      silence(name, fault.spec->kind == "node-down");
    }
  }
}

void PlacementEngine::end_fault(const PlannedFault& fault) {
  ledger_.happened(agenda_.now(), fmt::format("{} is over", fault.spec->kind));
  for (const std::string& name : fault.nodes) {
    if (fault.spec->kind == "node-cordon") {
      cordon(name, -1);
    } else {
      unsilence(name);
    }
  }
}

void PlacementEngine::cordon(const std::string& name, int by) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  found->second.cordoned = std::max(0, found->second.cordoned + by);
  show(found->second);
}

void PlacementEngine::silence(const std::string& name, bool down) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  Node& node = found->second;
  node.down = node.down || down;
  if (++node.silent > 1) return;
  const std::uint64_t spell = ++node.spell;
  const auto still = [this, name, spell] {
    const auto it = nodes_.find(name);
    return it != nodes_.end() && it->second.spell == spell ? &it->second : nullptr;
  };
  agenda_.at(agenda_.now() + input_.scenario->cluster.lease, [this, still, name] {
    Node* lost = still();
    if (lost == nullptr) return;
    lost->lost = true;
    show(*lost);
    for (const PodPtr& pod : cache_.find_node(name)->pods()) {
      const auto patience = patience_of(*pod, input_.scenario->cluster.toleration);
      if (!patience) continue;
      agenda_.at(agenda_.now() + *patience, [this, still, key = pod->key, uid = pod->uid] {
        const PodPtr* there = cache_.find_pod(key);
        if (still() != nullptr && there != nullptr && (*there)->uid == uid) {
          pod_over(key, PodEnd::kEvicted);
        }
      });
    }
  });
}

void PlacementEngine::unsilence(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || found->second.silent == 0) return;
  Node& node = found->second;
  if (--node.silent > 0) return;
  ++node.spell;
  const bool was_down = std::exchange(node.down, false);
  node.lost = false;
  show(node);
  const std::vector<PodPtr> pods = cache_.find_node(name)->pods();
  for (const PodPtr& pod : pods) {
    if (was_down) {
      start(pod->key);  // its containers begin anew
    } else if (live_.at(pod->key).overdue) {
      run_ended(pod->key, name, live_.at(pod->key).run);
    }
  }
}

// In the order of the node, so that replacements come in an order too.
void PlacementEngine::evict_all(const std::string& node, PodEnd end) {
  const std::vector<PodPtr> pods = cache_.find_node(node)->pods();
  for (const PodPtr& pod : pods) pod_over(pod->key, end);
}

void PlacementEngine::arrive(const Arrival& arrival) {
  auto owner = std::make_shared<Owner>();
  owner->arrival = &arrival;
  const json::value object = arrival.object;
  const std::string kind(get_string(object, "kind"));
  std::int64_t pods = 1;
  if (kind == "Pod") {
    owner->pod = object;
  } else {
    const std::string name(api::name_of(object));
    owner->app = name;
    if (const json::value* pod = find(object, "spec.template")) owner->pod = *pod;
    set_path(owner->pod, "metadata.namespace",
             json::value(get_string(object, "metadata.namespace", "default")));
    const json::object controller{{"apiVersion", "apps/v1"},
                                  {"kind", "ReplicaSet"},
                                  {"name", name},
                                  {"uid", name},
                                  {"controller", true}};
    set_path(owner->pod, "metadata.ownerReferences", json::array{json::value(controller)});
    pods = get_int(object, "spec.replicas", 1);
    if (kind == "Job") {
      owner->to_make = get_int(object, "spec.completions", 1);
      pods = std::min(owner->to_make, get_int(object, "spec.parallelism", 1));
      owner->to_make -= pods;
    } else if (const json::value* selector = find(object, "spec.selector")) {
      cache_.surroundings().workloads.controllers[fmt::format(
          "ReplicaSet/{}/{}", get_string(owner->pod, "metadata.namespace"), name)] =
          api::LabelSelector::from_object(selector).value();  // admitted
    }
  }
  for (std::int64_t i = 0; i < pods; ++i) make_pod(owner);
  if (arrival.until) agenda_.at(*arrival.until, [this, owner] { delete_owner(owner); });
}

void PlacementEngine::make_pod(const std::shared_ptr<Owner>& owner) {
  constexpr size_t kSuffix = 5;
  if (!owner->app.empty()) {
    set_path(owner->pod, "metadata.name",
             json::value(fmt::format("{}-{}", owner->app, names_.name_suffix(kSuffix))));
  }
  set_path(owner->pod, "metadata.uid", json::value(fmt::format("pod-{}", ++uids_)));
  const PodPtr pod = scheduler::parse_pod(owner->pod);
  if (live_.contains(pod->key)) pod_over(pod->key, PodEnd::kDeleted);  // a name used again
  owner->pods.insert(pod->key);
  live_[pod->key] = {owner};
  ledger_.pod_created(agenda_.now(), *pod, owner->arrival->source);
  if (!pod->node_name.empty()) {  // its manifest names the node: no scheduler is asked
    const auto events = cache_.set_pod(pod);
    ledger_.pod_bound(agenda_.now(), pod->key, pod->node_name);
    start(pod->key);
    return changed({.events = events, .pod = pod});
  }
  if (profile_of(*pod) == nullptr) return;  // of another scheduler, who is not there
  queue_->put(pod, queue_now());
  wake();
}

void PlacementEngine::delete_owner(const std::shared_ptr<Owner>& owner) {
  owner->deleted = true;
  const std::set<std::string> pods = owner->pods;
  for (const std::string& key : pods) pod_over(key, PodEnd::kDeleted);
}

void PlacementEngine::start(const std::string& key) {
  Live& live = live_.at(key);
  const Arrival& arrival = *live.owner->arrival;
  const PodPtr pod = *cache_.find_pod(key);
  const std::uint64_t run = ++live.run;
  live.overdue = false;
  Resources usage = pod->requests;
  override_usage(arrival.usage, &usage);
  ledger_.pod_started(agenda_.now(), key, usage);
  if (!arrival.lifetime) return;
  agenda_.at(agenda_.now() + *arrival.lifetime,
             [this, key, run, node = pod->node_name] { run_ended(key, node, run); });
}

void PlacementEngine::run_ended(const std::string& key, const std::string& node,
                                std::uint64_t run) {
  const auto found = live_.find(key);
  if (found == live_.end() || found->second.run != run) return;
  const auto where = nodes_.find(node);
  if (where != nodes_.end() && where->second.silent > 0) {
    found->second.overdue = true;  // nobody hears of it
    return;
  }
  const std::shared_ptr<Owner> owner = found->second.owner;
  pod_over(key, owner->arrival->fails ? PodEnd::kFailed : PodEnd::kFinished);
  if (owner->to_make == 0 || owner->deleted) return;
  --owner->to_make;
  make_pod(owner);
}

void PlacementEngine::pod_over(const std::string& key, PodEnd end) {
  const auto found = live_.find(key);
  if (found == live_.end()) return;
  const std::shared_ptr<Owner> owner = found->second.owner;
  live_.erase(found);
  held_.erase(key);
  owner->pods.erase(key);
  ledger_.pod_ended(agenda_.now(), key, end);
  if (const PodPtr waiting = queue_->find(key)) {
    cache_.surroundings().nominations.remove(waiting->uid);
    queue_->remove(key);
  }
  if (const PodPtr* counted = cache_.find_pod(key)) {
    const PodPtr pod = *counted;
    cache_.remove_pod(key);
    changed({.events = scheduler::event::kPodGone, .pod = pod});
  }
  const bool replaced =
      end == PodEnd::kEvicted || end == PodEnd::kPreempted || end == PodEnd::kLost;
  if (replaced && !owner->app.empty() && !owner->deleted) make_pod(owner);
}

}  // namespace coracle::sim
