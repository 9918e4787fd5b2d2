#include "deployment/deployment.hpp"

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "controllers/pods.hpp"
#include "deployment/rollout.hpp"
#include "deployment/status.hpp"

namespace coracle::controllers {
namespace {

using namespace deployment;

// A pod's end matters to Recreate only: it waits until the last old pod has gone.
void enqueue_of_pod(const World& world, const json::value& pod, const Enqueue& enqueue) {
  const json::value* owner = api::controller_of(pod);
  if (owner == nullptr || get_string(*owner, "kind") != "ReplicaSet") return;
  const ObjectPtr rs = world.get(gvr::kReplicaSets, std::string(api::namespace_of(pod)),
                                 std::string(get_string(*owner, "name")));
  if (rs) enqueue_owner(*rs, "Deployment", enqueue);
}

std::vector<ObjectPtr> pods_of(const World& world, const std::vector<ObjectPtr>& sets) {
  std::vector<ObjectPtr> pods;
  for (const ObjectPtr& rs : sets) {
    for (ObjectPtr& pod :
         world.of(gvr::kPods).by_index(kControllerIndex, std::string(api::uid_of(*rs)))) {
      pods.push_back(std::move(pod));
    }
  }
  return pods;
}

// One step of what the Deployment's strategy wants.
void advance(const View& view, const World& world, Plan* plan) {
  if (get_bool(view.deployment, "spec.paused")) {
    scale_in_proportion(view, plan);
    return clean_history(view, plan);
  }
  if (is_scaling_event(view)) {
    scale_in_proportion(view, plan);
    if (!plan->writes.empty()) return;
  }
  if (!view.rolling()) {
    const bool annotate = view.current != nullptr && ensure_current(view, plan);
    if (!annotate) recreate(view, pods_of(world, view.all), plan);
  } else if (!ensure_current(view, plan)) {
    rolling_update(view, plan);
  }
  if (plan->writes.empty() && is_complete(view, new_status(view, plan))) clean_history(view, plan);
}

}  // namespace

void DeploymentController::touched(const World& world, const client::Gvr& gvr,
                                   const json::value* before, const json::value* after,
                                   const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kDeployments) return enqueue(client::object_key(object));
  if (gvr == gvr::kPods) {
    const std::string_view phase = get_string(object, "status.phase");
    if (after == nullptr || phase == "Succeeded" || phase == "Failed") {
      enqueue_of_pod(world, object, enqueue);
    }
    return;
  }
  enqueue_owners(world, gvr::kDeployments, "Deployment", before, after, enqueue);
}

Plan DeploymentController::reconcile(const World& world, const std::string& key,
                                     Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr d = world.get(gvr::kDeployments, ns, name);
  if (d == nullptr) return plan;
  plan.about = d;
  const auto selector = api::LabelSelector::from_object(find(*d, "spec.selector"));
  if (!selector.ok() || selector->is_everything()) {
    plan.warn("SelectingAll",
              "This deployment is selecting all pods. A non-empty selector is required.");
    return plan;
  }
  Claim mine = claim(&plan, world, gvr::kReplicaSets, *d, *selector);
  const View view = make_view(*d, std::move(mine.owned), now);
  if (plan.writes.empty() && !is_deleting(*d)) advance(view, world, &plan);
  update_status(view, &plan);
  return plan;
}

}  // namespace coracle::controllers
