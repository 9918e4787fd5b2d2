#include "podgc/podgc.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

void force_delete(const json::value& pod, Plan* plan) {
  plan->remove(gvr::kPods, pod).delete_options.grace_period_seconds = 0;
}

// How long ago the pod came to its node; a node's object may be seen after its pods.
Duration bound_for(const json::value& pod, WallTime now) {
  const auto scheduled = condition_since(pod, "PodScheduled");
  if (scheduled) return now - *scheduled;
  const auto created = parse_time(api::creation_timestamp_of(pod));
  return created.ok() ? now - *created : Duration(0);
}

}  // namespace

void PodGcController::touched(const World& world, const client::Gvr& gvr, const json::value* before,
                              const json::value* after, const Enqueue& enqueue) const {
  if (gvr == gvr::kPods) {
    if (after == nullptr) return;
    enqueue(client::object_key(*after));
    const bool ended = has_ended(*after) && (before == nullptr || !has_ended(*before));
    if (ended && ended_max_ > 0) enqueue(kEnded);
    return;
  }
  if (after != nullptr) return;
  for (const ObjectPtr& pod :
       world.of(gvr::kPods).by_index(kNodeIndex, std::string(api::name_of(*before)))) {
    enqueue(client::object_key(*pod));
  }
}

// The runner asks again only when the deletions of the last look are seen: none is counted twice.
Plan PodGcController::thin_out(const World& world, Instant now) const {
  Plan plan;
  const client::ObjectCache& pods = world.of(gvr::kPods);
  const auto ended = static_cast<std::int64_t>(pods.count(kEndedIndex, kAllEnded));
  if (ended <= ended_max_) return plan;  // the next that ends asks again
  const json::value memory = world.memory(kEnded);
  if (const json::value* looked = find(memory, "looked")) {
    const Duration left = TimePoint(Duration(looked->as_int64())) + kEndedLook - now.now;
    if (left > Duration(0)) {
      plan.look_again(left);
      return plan;
    }
  }
  const auto excess = static_cast<size_t>(ended - ended_max_);
  for (const ObjectPtr& pod : pods.first_of(kEndedIndex, std::min(excess, kEndedAtOnce))) {
    force_delete(*pod, &plan);
  }
  if (excess > kEndedAtOnce) {
    plan.look_again(Duration(0));
  } else {
    plan.remember = json::object{{"looked", now.now.time_since_epoch().count()}};
  }
  return plan;
}

Plan PodGcController::reconcile(const World& world, const std::string& key, Instant now) const {
  if (key == kEnded) return thin_out(world, now);
  Plan plan;
  const auto [ns, pod_name] = split_key(key);
  const ObjectPtr pod = world.get(gvr::kPods, ns, pod_name);
  if (pod == nullptr) return plan;
  plan.about = pod;
  const std::string node(get_string(*pod, "spec.nodeName"));
  if (node.empty()) {
    if (is_deleting(*pod)) force_delete(*pod, &plan);
    return plan;
  }
  if (world.get(gvr::kNodes, "", node) != nullptr) return plan;
  const Duration left = kQuarantine - bound_for(*pod, now.wall);
  if (left > Duration(0))
    plan.look_again(left);
  else
    force_delete(*pod, &plan);
  return plan;
}

}  // namespace coracle::controllers
