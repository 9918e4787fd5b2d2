#include "podgc/podgc.hpp"

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
    if (after != nullptr) enqueue(client::object_key(*after));
    return;
  }
  if (after != nullptr) return;
  for (const ObjectPtr& pod :
       world.of(gvr::kPods).by_index(kNodeIndex, std::string(api::name_of(*before)))) {
    enqueue(client::object_key(*pod));
  }
}

Plan PodGcController::reconcile(const World& world, const std::string& key, Instant now) const {
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
