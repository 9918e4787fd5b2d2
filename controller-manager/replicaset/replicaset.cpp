#include "replicaset/replicaset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr std::string_view kFailure = "ReplicaFailure";

// The pods of all ReplicaSets with the same controller (a Deployment's): a node that holds many of
// them loses one first.
std::vector<ObjectPtr> related_pods(const World& world, const json::value& rs,
                                    const std::vector<ObjectPtr>& own) {
  const json::value* owner = api::controller_of(rs);
  if (owner == nullptr) return own;
  std::vector<ObjectPtr> pods;
  for (const ObjectPtr& sibling :
       world.of(gvr::kReplicaSets)
           .by_index(kControllerIndex, std::string(get_string(*owner, "uid")))) {
    for (ObjectPtr& pod :
         world.of(gvr::kPods).by_index(kControllerIndex, std::string(api::uid_of(*sibling)))) {
      pods.push_back(std::move(pod));
    }
  }
  return pods;
}

json::value status_of(const json::value& rs, const std::vector<ObjectPtr>& pods, Instant now,
                      Plan* plan) {
  const std::int64_t min_ready = get_int(rs, "spec.minReadySeconds");
  const auto labels = api::LabelSelector::from_map(get_object(rs, "spec.template.metadata.labels"));
  std::int64_t replicas = 0, labelled = 0, ready = 0, available = 0, terminating = 0;
  std::optional<Duration> wait;
  for (const ObjectPtr& pod : pods) {
    if (is_terminating(*pod)) ++terminating;
    if (!is_active(*pod)) continue;
    ++replicas;
    if (labels.matches(api::labels_of(*pod))) ++labelled;
    if (is_ready(*pod)) ++ready;
    if (is_available(*pod, min_ready, now.wall, &wait)) ++available;
  }
  if (wait) plan->look_again(*wait);
  json::object status;
  json::array conditions;
  for (const json::value& c : get_array(rs, "status.conditions")) {
    if (get_string(c, "type") != kFailure) conditions.push_back(c);
  }
  if (!conditions.empty()) status["conditions"] = std::move(conditions);
  if (available > 0) status["availableReplicas"] = available;
  if (labelled > 0) status["fullyLabeledReplicas"] = labelled;
  status["observedGeneration"] = api::generation_of(rs);
  if (ready > 0) status["readyReplicas"] = ready;
  status["replicas"] = replicas;
  // Not a member of the older kind's status.
  if (api::kind_of(rs) == "ReplicaSet") status["terminatingReplicas"] = terminating;
  return status;
}

// The status of a set whose pods could not all be made or deleted. Why is told once.
json::value failed_status(const json::value& rs, json::value status, const Write& failed,
                          const std::string& why, Instant now) {
  json::array conditions = get_array(rs, "status.conditions");
  const bool told = std::any_of(conditions.begin(), conditions.end(), [](const json::value& c) {
    return get_string(c, "type") == kFailure;
  });
  if (!told) {
    const bool created = failed.verb == Write::Verb::kCreate;
    conditions.push_back({{"type", kFailure},
                          {"status", "True"},
                          {"lastTransitionTime", format_time(now.wall)},
                          {"reason", created ? "FailedCreate" : "FailedDelete"},
                          {"message", why}});
  }
  status.get_object()["conditions"] = std::move(conditions);
  return status;
}

}  // namespace

void ReplicaSetController::touched(const World& world, const client::Gvr& gvr,
                                   const json::value* before, const json::value* after,
                                   const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == kind_.gvr) return enqueue(client::object_key(object));
  enqueue_owners(world, kind_.gvr, kind_.kind, before, after, enqueue);
}

Plan ReplicaSetController::reconcile(const World& world, const std::string& key,
                                     Instant now) const {
  Plan plan;
  const auto [ns, rs_name] = split_key(key);
  const ObjectPtr rs = world.get(kind_.gvr, ns, rs_name);
  if (rs == nullptr) return plan;
  plan.about = rs;
  const auto selector = selector_of(*rs);
  if (!selector.ok() || selector->is_everything()) return plan;  // validation refuses these

  const Claim mine = claim(&plan, world, gvr::kPods, *rs, *selector);
  std::vector<ObjectPtr> active;
  for (const ObjectPtr& pod : mine.owned) {
    if (is_active(*pod)) active.push_back(pod);
  }
  if (!is_deleting(*rs)) {
    const std::int64_t missing =
        get_int(*rs, "spec.replicas", 1) - static_cast<std::int64_t>(active.size());
    for (std::int64_t i = 0; i < std::min(missing, kBurst); ++i) {
      Write& write = plan.create(gvr::kPods, pod_from_template(*rs, *find(*rs, "spec.template")));
      write.done_reason = "SuccessfulCreate";
      write.done_message = "Created pod: {name}";
      write.failed_reason = "FailedCreate";
      write.failed_message = "Error creating: ";
    }
    if (missing < 0) {
      std::vector<ObjectPtr> victims = active;
      sort_for_deletion(victims, related_pods(world, *rs, active), now.wall);
      victims.resize(static_cast<size_t>(std::min(-missing, kBurst)));
      for (const ObjectPtr& pod : victims) {
        Write& write = plan.remove(gvr::kPods, *pod);
        write.done_reason = "SuccessfulDelete";
        write.done_message = fmt::format("Deleted pod: {}", api::name_of(*pod));
        write.failed_reason = "FailedDelete";
        write.failed_message = "Error deleting: ";
      }
    }
  }
  json::value status = status_of(*rs, mine.owned, now, &plan);
  plan.if_failed = [rs, status, now, gvr = kind_.gvr](
                       const Write& failed, const std::string& why) -> std::optional<Write> {
    const bool of_pods = failed.verb == Write::Verb::kCreate || failed.verb == Write::Verb::kDelete;
    if (!of_pods) return std::nullopt;
    json::value changed = *rs;
    changed.get_object()["status"] = failed_status(*rs, status, failed, why, now);
    if (changed == *rs) return std::nullopt;
    return Plan().update_status(gvr, std::move(changed));
  };
  const json::value* old = find(*rs, "status");
  if (old == nullptr || *old != status) {
    json::value changed = *rs;
    changed.get_object()["status"] = std::move(status);
    plan.update_status(kind_.gvr, std::move(changed));
  }
  return plan;
}

}  // namespace coracle::controllers
