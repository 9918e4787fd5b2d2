#include "statefulset/statefulset.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"
#include "statefulset/identity.hpp"
#include "statefulset/steps.hpp"

namespace coracle::controllers {
namespace {

using stateful_set::ordinal_of;
using stateful_set::View;

constexpr char kHashLabel[] = "controller.kubernetes.io/hash";

// "www-web-0" may be of the set "web".
void enqueue_by_claim(const World& world, const json::value& claim, const Enqueue& enqueue) {
  const std::string_view name = api::name_of(claim);
  for (const ObjectPtr& set :
       world.in_namespace(gvr::kStatefulSets, std::string(api::namespace_of(claim)))) {
    for (const json::value& made_from : get_array(*set, "spec.volumeClaimTemplates")) {
      const std::string head =
          std::string(api::name_of(made_from)) + "-" + std::string(api::name_of(*set)) + "-";
      if (name.starts_with(head)) enqueue(client::object_key(*set));
    }
  }
}

View make_view(const World& world, const json::value& set, const std::vector<ObjectPtr>& pods,
               const History& history, Instant now) {
  View view{set, world, now, history.wanted, history.wanted, get_int(set, "spec.replicas", 1),
            {},  {}};
  if (const ObjectPtr* had = history.find(get_string(set, "status.currentRevision"))) {
    view.current = *had;
  }
  for (const ObjectPtr& pod : pods) {
    const auto ordinal = ordinal_of(set, *pod);
    if (!ordinal) continue;
    if (stateful_set::in_range(set, *ordinal)) {
      view.replicas[*ordinal - stateful_set::start_ordinal(set)] = pod;
    } else {
      view.condemned.push_back(pod);
    }
  }
  std::sort(view.condemned.begin(), view.condemned.end(),
            [&](const ObjectPtr& a, const ObjectPtr& b) {
              return *ordinal_of(set, *a) > *ordinal_of(set, *b);
            });
  return view;
}

json::value status_of(const View& view, const std::vector<ObjectPtr>& pods, bool collided,
                      Plan* plan) {
  const std::int64_t min_ready = get_int(view.set, "spec.minReadySeconds");
  std::int64_t replicas = 0, ready = 0, available = 0, current = 0, updated = 0;
  std::optional<Duration> wait;
  std::string_view current_name = api::name_of(*view.current);
  const std::string_view update_name = api::name_of(*view.update);
  for (const ObjectPtr& pod : pods) {
    if (phase_of(*pod).empty()) continue;
    ++replicas;
    if (phase_of(*pod) == "Running" && is_ready(*pod)) {
      ++ready;
      if (is_available(*pod, min_ready, view.now.wall, &wait)) ++available;
    }
    if (is_deleting(*pod)) continue;
    const std::string_view revision = api::label_of(*pod, kRevisionLabel);
    if (revision == current_name) ++current;
    if (revision == update_name) ++updated;
  }
  if (wait) plan->look_again(*wait);
  const bool rolling = get_string(view.set, "spec.updateStrategy.type") != "OnDelete";
  if (rolling && updated == view.wanted && ready == view.wanted && replicas == view.wanted) {
    current = updated;  // the rollout is complete
    current_name = update_name;
  }
  json::object status;
  status["availableReplicas"] = available;
  status["collisionCount"] = get_int(view.set, "status.collisionCount") + (collided ? 1 : 0);
  if (const json::value* old = find(view.set, "status.conditions")) status["conditions"] = *old;
  if (current > 0) status["currentReplicas"] = current;
  status["currentRevision"] = current_name;
  status["observedGeneration"] = api::generation_of(view.set);
  if (ready > 0) status["readyReplicas"] = ready;
  status["replicas"] = replicas;
  status["updateRevision"] = update_name;
  if (updated > 0) status["updatedReplicas"] = updated;
  return status;
}

std::vector<std::string> live_revisions(const View& view, const std::vector<ObjectPtr>& pods) {
  std::vector<std::string> names{std::string(api::name_of(*view.current))};
  for (const ObjectPtr& pod : pods) names.emplace_back(api::label_of(*pod, kRevisionLabel));
  return names;
}

}  // namespace

void StatefulSetController::touched(const World& world, const client::Gvr& gvr,
                                    const json::value* before, const json::value* after,
                                    const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kStatefulSets) return enqueue(client::object_key(object));
  if (gvr == gvr::kClaims) return enqueue_by_claim(world, object, enqueue);
  enqueue_owners(world, gvr::kStatefulSets, "StatefulSet", before, after, enqueue);
}

Plan StatefulSetController::reconcile(const World& world, const std::string& key,
                                      Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr set = world.get(gvr::kStatefulSets, ns, name);
  if (set == nullptr) return plan;
  plan.about = set;
  const auto selector = selector_of(*set);
  if (!selector.ok() || selector->is_everything()) return plan;  // validation refuses these
  const History history = keep_history(world, *set, *selector, kHashLabel, &plan);
  const auto pods = claim(&plan, world, gvr::kPods, *set, *selector, [&](const json::value& pod) {
                      return ordinal_of(*set, pod).has_value();
                    }).owned;
  const View view = make_view(world, *set, pods, history, now);
  if (!is_deleting(*set) && !history.collided) {
    stateful_set::take_steps(view, &plan);
    trim_history(*set, history, live_revisions(view, pods), &plan);
  }
  json::value status = status_of(view, pods, history.collided, &plan);
  const json::value* old = find(*set, "status");
  if (old == nullptr || *old != status) {
    json::value changed = *set;
    changed.get_object()["status"] = std::move(status);
    plan.update_status(gvr::kStatefulSets, std::move(changed));
  }
  return plan;
}

}  // namespace coracle::controllers
