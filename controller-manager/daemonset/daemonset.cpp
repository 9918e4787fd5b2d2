#include "daemonset/daemonset.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"
#include "daemonset/rollout.hpp"

namespace coracle::controllers {
namespace {

using daemon_set::Changes;
using daemon_set::Fit;
using daemon_set::Placement;
using daemon_set::View;

void touched_by_node(const World& world, const json::value* before, const json::value* after,
                     const Enqueue& enqueue) {
  for (const auto& [key, set] : world.of(gvr::kDaemonSets).objects()) {
    const Placement placement(*set);
    const Fit was = before != nullptr ? placement.fit(*before) : Fit{};
    const Fit is = after != nullptr ? placement.fit(*after) : Fit{};
    if (was.run != is.run || was.stay != is.stay) enqueue(key);
  }
}

View make_view(const World& world, const json::value& set, const std::vector<ObjectPtr>& pods,
               std::string hash, Instant now) {
  View view{set, std::move(hash), {}, {}, now};
  const Placement placement(set);
  for (const auto& [name, node] : world.of(gvr::kNodes).objects()) {
    view.nodes[name] = placement.fit(*node);
  }
  for (const ObjectPtr& pod : pods) {
    const std::string node = daemon_set::target_node(*pod);
    if (!node.empty()) view.by_node[node].push_back(pod);
  }
  return view;
}

void carry_over(const View& view, const Changes& changes, Plan* plan) {
  for (size_t i = 0; i < std::min(changes.create_on.size(), DaemonSetController::kBurst); ++i) {
    Write& write =
        plan->create(gvr::kPods, daemon_set::pod_for(view.set, changes.create_on[i], view.hash));
    write.done_reason = "SuccessfulCreate";
    write.done_message = "Created pod: {name}";
    write.failed_reason = "FailedCreate";
    write.failed_message = "Error creating: ";
  }
  for (size_t i = 0; i < std::min(changes.remove.size(), DaemonSetController::kBurst); ++i) {
    const std::string name(api::name_of(*changes.remove[i]));
    Write& write = plan->remove(gvr::kPods, *changes.remove[i]);
    write.done_reason = "SuccessfulDelete";
    write.done_message = "Deleted pod: " + name;
    write.failed_reason = "FailedDelete";
    write.failed_message = "Error deleting: ";
  }
}

json::value status_of(const View& view, bool collided, Plan* plan) {
  std::int64_t desired = 0, current = 0, misplaced = 0, ready = 0, updated = 0, available = 0;
  const std::int64_t min_ready = get_int(view.set, "spec.minReadySeconds");
  std::optional<Duration> wait;
  for (const auto& [node, fit] : view.nodes) {
    const auto found = view.by_node.find(node);
    const bool there = found != view.by_node.end();
    if (!fit.run) {
      if (there) ++misplaced;
      continue;
    }
    ++desired;
    if (!there) continue;
    ++current;
    const json::value& pod =
        **std::min_element(found->second.begin(), found->second.end(), older_bound_first);
    if (is_ready(pod)) ++ready;
    if (is_available(pod, min_ready, view.now.wall, &wait)) ++available;
    if (view.is_updated(pod)) ++updated;
  }
  if (wait) plan->look_again(*wait);
  const std::int64_t collisions = get_int(view.set, "status.collisionCount") + (collided ? 1 : 0);
  json::object status;
  if (collisions > 0) status["collisionCount"] = collisions;
  if (const json::value* old = find(view.set, "status.conditions")) status["conditions"] = *old;
  status["currentNumberScheduled"] = current;
  status["desiredNumberScheduled"] = desired;
  if (available > 0) status["numberAvailable"] = available;
  status["numberMisscheduled"] = misplaced;
  status["numberReady"] = ready;
  if (desired > available) status["numberUnavailable"] = desired - available;
  status["observedGeneration"] = api::generation_of(view.set);
  if (updated > 0) status["updatedNumberScheduled"] = updated;
  return status;
}

// The revisions that pods were made from stay.
std::vector<std::string> live_revisions(const History& history,
                                        const std::vector<ObjectPtr>& pods) {
  std::vector<std::string> names;
  for (const ObjectPtr& revision : history.all) {
    const std::string_view hash = api::label_of(*revision, kRevisionLabel);
    const bool used = std::any_of(pods.begin(), pods.end(), [&](const ObjectPtr& pod) {
      return api::label_of(*pod, kRevisionLabel) == hash;
    });
    if (used) names.emplace_back(api::name_of(*revision));
  }
  return names;
}

}  // namespace

void DaemonSetController::touched(const World& world, const client::Gvr& gvr,
                                  const json::value* before, const json::value* after,
                                  const Enqueue& enqueue) const {
  if (gvr == gvr::kDaemonSets) {
    return enqueue(client::object_key(after != nullptr ? *after : *before));
  }
  if (gvr == gvr::kNodes) return touched_by_node(world, before, after, enqueue);
  enqueue_owners(world, gvr::kDaemonSets, "DaemonSet", before, after, enqueue);
}

Plan DaemonSetController::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr set = world.get(gvr::kDaemonSets, ns, name);
  if (set == nullptr) return plan;
  plan.about = set;
  const auto selector = selector_of(*set);
  if (!selector.ok() || selector->is_everything()) {
    plan.warn("SelectingAll",
              "This daemon set is selecting all pods. A non-empty selector is required.");
    return plan;
  }
  if (is_deleting(*set)) return plan;
  const History history = keep_history(world, *set, *selector, kRevisionLabel, &plan);
  const auto pods = claim(&plan, world, gvr::kPods, *set, *selector).owned;
  const View view = make_view(world, *set, pods,
                              std::string(api::label_of(*history.wanted, kRevisionLabel)), now);
  if (!history.collided) {
    Changes changes = daemon_set::repair(view, &plan);
    const bool rolling = get_string(*set, "spec.updateStrategy.type") != "OnDelete";
    if (changes.none() && rolling) changes = daemon_set::roll(view);
    carry_over(view, changes, &plan);
    trim_history(*set, history, live_revisions(history, pods), &plan);
  }
  json::value status = status_of(view, history.collided, &plan);
  const json::value* old = find(*set, "status");
  if (old == nullptr || *old != status) {
    json::value changed = *set;
    changed.get_object()["status"] = std::move(status);
    plan.update_status(gvr::kDaemonSets, std::move(changed));
  }
  return plan;
}

}  // namespace coracle::controllers
