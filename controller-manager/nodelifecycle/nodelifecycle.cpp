#include "nodelifecycle/nodelifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "api/taints.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kLeaseNamespace[] = "kube-node-lease";
// A sign of life from so far ahead is as good as one of now.
constexpr Duration kClocksAgree = std::chrono::seconds(1);
// How often a node is looked at whose time of day says nothing (upstream: nodeMonitorPeriod).
constexpr Duration kSkewedLook = std::chrono::seconds(5);

struct OurTaint {
  std::string_view condition, status, key;
  bool evicts;
};
constexpr OurTaint kOurTaints[] = {
    {"Ready", "False", "node.kubernetes.io/not-ready", true},
    {"Ready", "Unknown", "node.kubernetes.io/unreachable", true},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure", false},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure", false},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure", false},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable", false},
};
constexpr std::string_view kUnschedulable = "node.kubernetes.io/unschedulable";

bool is_ours(std::string_view key) {
  return key == kUnschedulable || std::any_of(std::begin(kOurTaints), std::end(kOurTaints),
                                              [&](const OurTaint& t) { return t.key == key; });
}

json::object taint(std::string_view key, std::string_view effect) {
  json::object t;
  t["effect"] = effect;
  t["key"] = key;
  return t;
}

const json::value* find_taint(const json::array& taints, std::string_view key,
                              std::string_view effect) {
  for (const json::value& t : taints) {
    if (get_string(t, "key") == key && get_string(t, "effect") == effect) return &t;
  }
  return nullptr;
}

std::optional<WallTime> last_sign(const World& world, const json::value& node) {
  std::optional<WallTime> latest;
  const auto take = [&](std::string_view text) {
    const auto time = parse_time(text);
    if (time.ok() && (!latest || *time > *latest)) latest = *time;
  };
  if (const json::value* ready = condition(node, "Ready")) {
    if (get_string(*ready, "status") != "Unknown") take(get_string(*ready, "lastHeartbeatTime"));
  }
  const ObjectPtr lease = world.get(gvr::kLeases, kLeaseNamespace, std::string(api::name_of(node)));
  if (lease) take(get_string(*lease, "spec.renewTime"));
  return latest;
}

// The conditions of a node that went silent, or nothing if they say so already.
std::optional<json::array> silent_conditions(const json::value& node, WallTime now) {
  json::array conditions;
  bool changed = false;
  for (const char* type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
    const json::value* old = condition(node, type);
    if (old != nullptr && get_string(*old, "status") == "Unknown") continue;
    changed = true;
    json::object c;
    if (old != nullptr) c = old->get_object();
    c["type"] = type;
    c["status"] = "Unknown";
    c["reason"] = old != nullptr ? "NodeStatusUnknown" : "NodeStatusNeverUpdated";
    c["message"] = old != nullptr ? "Kubelet stopped posting node status."
                                  : "Kubelet never posted node status.";
    c["lastTransitionTime"] = format_time(now);
    if (old == nullptr) c["lastHeartbeatTime"] = api::creation_timestamp_of(node);
    conditions.push_back(std::move(c));
  }
  if (!changed) return std::nullopt;
  return conditions;
}

// A sign of life and when it was seen, by our own clock: a silence is measured by no other, for the
// node's may tell another time. Kept in the memory of the node's key.
struct Sign {
  WallTime told;
  TimePoint seen;
  bool skewed = false;  // the node was looked at before, and tells no time of our clock
};

// `last`: what node and Lease tell, if anything. On the first look at a node it has been there
// since `since` at least.
Sign next_sign(const json::value& memory, std::optional<WallTime> last, WallTime since,
               Duration grace, Instant now) {
  const auto by_our_clock = [&](WallTime wall) {
    return now.now - std::max(now.wall - wall, Duration(0));
  };
  const WallTime told = last.value_or(since);
  const json::value* known = find_keys(memory, {"told"});
  if (known == nullptr) return {told, by_our_clock(std::max(told, since))};
  const Duration ago = now.wall - told;
  const bool skewed = ago >= grace || ago < -kClocksAgree;
  if (known->as_int64() == told.time_since_epoch().count()) {
    return {told, TimePoint(Duration(find_keys(memory, {"seen"})->as_int64())), skewed};
  }
  return {told, skewed ? now.now : by_our_clock(told), skewed};
}

void check_heartbeat(const World& world, const json::value& node, const json::value& memory,
                     Duration grace, WallTime started, Instant now, Plan* plan) {
  WallTime since = started;
  if (const auto created = parse_time(api::creation_timestamp_of(node)); created.ok()) {
    since = std::max(since, *created);
  }
  if (find_keys(memory, {"told"}) == nullptr) {
    plan->note("RegisteredNode", fmt::format("Node {0} event: Registered Node {0} in Controller",
                                             api::name_of(node)));
  }
  const Sign sign = next_sign(memory, last_sign(world, node), since, grace, now);
  json::object& kept = plan->remember.emplace(json::object()).get_object();
  if (const json::value* taints = find_keys(memory, {"taints"})) kept["taints"] = *taints;
  kept["told"] = sign.told.time_since_epoch().count();
  kept["seen"] = sign.seen.time_since_epoch().count();
  const Duration left = sign.seen + grace - now.now;
  if (left > Duration(0)) return plan->look_again(sign.skewed ? std::min(left, kSkewedLook) : left);
  auto conditions = silent_conditions(node, now.wall);
  if (!conditions) return;
  json::value patch = json::object();
  set_path(patch, "status.conditions", std::move(*conditions));
  plan->patch(gvr::kNodes, node, std::move(patch)).subresource = "status";
  plan->note("NodeNotReady",
             fmt::format("Node {} status is now: NodeNotReady", api::name_of(node)));
}

// Services must not send anything to a node that is not ready.
void mark_not_ready(const json::value& pod, WallTime now, Plan* plan) {
  if (!is_ready(pod)) return;
  json::value patch = *parse_json(fmt::format(
      R"({{"status":{{"conditions":[{{"type":"Ready","status":"False","lastTransitionTime":"{}"}}]}}}})",
      format_time(now)));
  plan->patch(gvr::kPods, pod, std::move(patch)).subresource = "status";
}

void evict(const ObjectPtr& pod, WallTime now, Plan* plan) {
  json::value patch = *parse_json(fmt::format(
      R"({{"status":{{"conditions":[{{"type":"DisruptionTarget","status":"True","reason":"DeletionByTaintManager",)"
      R"("message":"Taint manager: deleting due to NoExecute taint","lastTransitionTime":"{}"}}]}}}})",
      format_time(now)));
  plan->patch(gvr::kPods, *pod, std::move(patch)).subresource = "status";
  plan->remove(gvr::kPods, *pod);
  plan->events.push_back({false, "TaintManagerEviction",
                          fmt::format("Marking for deletion Pod {}", client::object_key(*pod)),
                          pod});
}

}  // namespace

json::array desired_taints(const json::value& node, WallTime now, EvictionGate::Rule rule) {
  const json::array& had = get_array(node, "spec.taints");
  json::array taints;
  for (const json::value& t : had) {
    if (!is_ours(get_string(t, "key"))) taints.push_back(t);
  }
  const auto want = [&](std::string_view key, std::string_view effect) {
    if (const json::value* old = find_taint(had, key, effect)) {
      taints.push_back(*old);
      return;
    }
    json::object t = taint(key, effect);
    t["timeAdded"] = format_time(now);
    taints.push_back(std::move(t));
  };
  for (const OurTaint& t : kOurTaints) {
    const json::value* c = condition(node, t.condition);
    if (c == nullptr || get_string(*c, "status") != t.status) continue;
    want(t.key, "NoSchedule");
    if (!t.evicts || rule == EvictionGate::Rule::kUnmark) continue;
    const bool marked = find_taint(had, t.key, "NoExecute") != nullptr;
    if (marked || rule == EvictionGate::Rule::kMark) want(t.key, "NoExecute");
  }
  if (get_bool(node, "spec.unschedulable")) want(kUnschedulable, "NoSchedule");
  return taints;
}

// When the pod has borne what it bears of the taints; nothing: it may stay.
std::optional<WallTime> eviction_time(const json::value& pod, const json::array& taints,
                                      WallTime now) {
  const auto tolerations = api::parse_tolerations(get_array(pod, "spec.tolerations"));
  std::optional<WallTime> when;
  for (const json::value& entry : taints) {
    const auto taint = api::parse_taint(entry);
    if (!taint || taint->effect != api::TaintEffect::kNoExecute) continue;
    const api::Toleration* toleration = api::tolerated_by(*taint, tolerations);
    WallTime until = now;
    if (toleration != nullptr) {
      if (!toleration->seconds) continue;
      const auto added = parse_time(get_string(entry, "timeAdded"));
      WallTime since = added.ok() ? *added : now;
      // A pod that came later bears it since then.
      if (const auto begun = parse_time(get_string(pod, "status.startTime")); begun.ok()) {
        since = std::max(since, *begun);
      }
      until = since + std::chrono::seconds(std::max<std::int64_t>(*toleration->seconds, 0));
    }
    when = std::min(when.value_or(until), until);
  }
  return when;
}

// Who taints a node by hand says no time: then it counts from when it was first seen.
json::array dated(json::array taints, WallTime now, json::value* memory) {
  json::object seen;
  for (json::value& taint : taints) {
    if (get_string(taint, "effect") != "NoExecute" || find(taint, "timeAdded") != nullptr) continue;
    const std::string id =
        std::string(get_string(taint, "key")) + "=" + std::string(get_string(taint, "value"));
    const json::value* known = find_keys(*memory, {"taints", id});
    seen[id] = known != nullptr ? *known : json::value(format_micro_time(now));
    taint.get_object()["timeAdded"] = seen[id];
  }
  memory->get_object().erase("taints");
  if (!seen.empty()) memory->get_object()["taints"] = std::move(seen);
  return taints;
}

void NodeLifecycleController::touched(const World& world, const client::Gvr& gvr,
                                      const json::value* before, const json::value* after,
                                      const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kNodes) return enqueue(client::object_key(object));
  if (gvr == gvr::kLeases) {
    // A renewal moves the deadline, which the node's timer looks at anyway: only the first sign
    // after a silence needs work.
    const ObjectPtr node = world.get(gvr::kNodes, "", std::string(api::name_of(object)));
    if (api::namespace_of(object) != kLeaseNamespace || node == nullptr) return;
    const json::value* ready = condition(*node, "Ready");
    if (before == nullptr || (ready && get_string(*ready, "status") == "Unknown")) {
      enqueue(std::string(api::name_of(object)));
    }
    return;
  }
  const auto node = get_string(object, "spec.nodeName");
  const bool bound_now = after != nullptr && !node.empty() &&
                         (before == nullptr || get_string(*before, "spec.nodeName") != node);
  if (bound_now) enqueue(std::string(node));
}

Plan NodeLifecycleController::reconcile(const World& world, const std::string& key,
                                        Instant now) const {
  Plan plan;
  const ObjectPtr node = world.get(gvr::kNodes, "", key);
  if (node == nullptr) plan.remember = json::value();  // the next of its name is another node
  if (node == nullptr || is_deleting(*node)) return plan;
  plan.about = node;
  check_heartbeat(world, *node, world.memory(key), grace_, started_, now, &plan);

  const json::value* state = condition(*node, "Ready");
  EvictionGate gate;
  if (state != nullptr && get_string(*state, "status") != "True") {
    gate = eviction_gate(world, *node, now.wall);
    if (gate.rule != EvictionGate::Rule::kMark) plan.look_again(gate.wait);
  }
  const json::array taints = desired_taints(*node, now.wall, gate.rule);
  if (taints != get_array(*node, "spec.taints")) {
    json::value patch = json::object();
    set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(*node)));
    set_path(patch, "spec.taints", taints);
    if (taints.empty()) set_path(patch, "spec.taints", nullptr);
    // A merge patch: the whole list is replaced.
    if (plan.writes.empty()) {
      plan.patch(gvr::kNodes, *node, std::move(patch), client::PatchType::kMerge);
    }
    return plan;  // pods are judged by the taints the node really has
  }
  const bool is_up = state == nullptr || get_string(*state, "status") == "True";
  const json::array borne = dated(taints, now.wall, &*plan.remember);
  for (const ObjectPtr& pod : world.of(gvr::kPods).by_index(kNodeIndex, key)) {
    if (!is_active(*pod)) continue;
    if (!is_up) mark_not_ready(*pod, now.wall, &plan);
    const auto when = eviction_time(*pod, borne, now.wall);
    if (!when) continue;
    if (*when <= now.wall)
      evict(pod, now.wall, &plan);
    else
      plan.look_again(*when - now.wall);
  }
  return plan;
}

}  // namespace coracle::controllers
