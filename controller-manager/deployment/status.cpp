#include "deployment/status.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::deployment {
namespace {

struct Wanted {
  bool status = true;
  std::string reason, message;
};

const json::value* find_condition(const json::array& conditions, std::string_view type) {
  for (const json::value& c : conditions) {
    if (get_string(c, "type") == type) return &c;
  }
  return nullptr;
}

// Replaces the condition unless it says the same; the transition time moves only with the status.
void set_condition(json::array* conditions, const char* type, const Wanted& wanted, WallTime now) {
  const json::value* old = find_condition(*conditions, type);
  const char* status = wanted.status ? "True" : "False";
  if (old != nullptr && get_string(*old, "status") == status &&
      get_string(*old, "reason") == wanted.reason) {
    return;
  }
  json::object c;
  c["lastTransitionTime"] = old != nullptr && get_string(*old, "status") == status
                                ? std::string(get_string(*old, "lastTransitionTime"))
                                : format_time(now);
  c["lastUpdateTime"] = format_time(now);
  c["message"] = wanted.message;
  c["reason"] = wanted.reason;
  c["status"] = status;
  c["type"] = type;
  json::array rest;
  for (const json::value& other : *conditions) {
    if (get_string(other, "type") != type) rest.push_back(other);
  }
  rest.push_back(std::move(c));
  *conditions = std::move(rest);
}

std::string set_name(const View& view) {
  return view.current ? fmt::format("ReplicaSet \"{}\"", api::name_of(*view.current))
                      : fmt::format("Deployment \"{}\"", api::name_of(view.deployment));
}

bool progressed(const View& view, const json::value& status) {
  const json::value& d = view.deployment;
  const auto count = [&](std::string_view field) { return get_int(status, field); };
  const std::int64_t old_now = count("replicas") - count("updatedReplicas");
  const std::int64_t old_before =
      status_number(d, "replicas") - status_number(d, "updatedReplicas");
  return count("updatedReplicas") > status_number(d, "updatedReplicas") || old_now < old_before ||
         count("readyReplicas") > status_number(d, "readyReplicas") ||
         count("availableReplicas") > status_number(d, "availableReplicas");
}

// Since when the Progressing condition has not moved; nothing if no deadline applies.
std::optional<Duration> without_progress(const View& view, const json::array& conditions) {
  const json::value* limit = find(view.deployment, "spec.progressDeadlineSeconds");
  const json::value* c = find_condition(conditions, "Progressing");
  if (limit == nullptr || c == nullptr) return std::nullopt;
  const std::string_view reason = get_string(*c, "reason");
  if (reason == "NewReplicaSetAvailable" || reason == "DeploymentPaused") return std::nullopt;
  const auto since = parse_time(get_string(*c, "lastUpdateTime"));
  if (!since.ok()) return std::nullopt;
  return view.now.wall - *since;
}

void progress_condition(const View& view, const json::value& status, json::array* conditions,
                        Plan* plan) {
  const json::value& d = view.deployment;
  const json::value* deadline = find(d, "spec.progressDeadlineSeconds");
  // Nobody waits for progress without a deadline (or with the largest one, which means none).
  if (deadline == nullptr || !deadline->is_int64() || deadline->get_int64() == 2147483647) return;
  const json::value* old = find_condition(*conditions, "Progressing");
  const bool done_before = old != nullptr &&
                           get_string(*old, "reason") == "NewReplicaSetAvailable" &&
                           status_number(d, "replicas") == status_number(d, "updatedReplicas");
  const bool complete = is_complete(view, status);
  if (get_bool(d, "spec.paused")) return;
  if (complete && (view.current != nullptr || old == nullptr)) {
    if (done_before && get_int(d, "status.observedGeneration") == api::generation_of(d)) return;
    return set_condition(
        conditions, "Progressing",
        {true, "NewReplicaSetAvailable", set_name(view) + " has successfully progressed."},
        view.now.wall);
  }
  if (old == nullptr || progressed(view, status) ||
      get_string(*old, "reason") == "NewReplicaSetAvailable") {
    // A new update time counts as progress, so the old condition must go first.
    json::array rest;
    for (const json::value& c : *conditions) {
      if (get_string(c, "type") != "Progressing") rest.push_back(c);
    }
    const bool fresh = old == nullptr && view.current == nullptr;
    json::object c;
    c["lastTransitionTime"] = old != nullptr && get_string(*old, "status") == "True"
                                  ? std::string(get_string(*old, "lastTransitionTime"))
                                  : format_time(view.now.wall);
    c["lastUpdateTime"] = format_time(view.now.wall);
    c["message"] = set_name(view) + (fresh ? " is created" : " is progressing.");
    c["reason"] = fresh ? "NewReplicaSetCreated" : "ReplicaSetUpdated";
    c["status"] = "True";
    c["type"] = "Progressing";
    rest.push_back(std::move(c));
    *conditions = std::move(rest);
  }
  const auto waited = without_progress(view, *conditions);
  if (!waited) return;
  const Duration limit = std::chrono::seconds(deadline->get_int64());
  if (*waited < limit) return plan->look_again(limit - *waited + std::chrono::seconds(1));
  set_condition(conditions, "Progressing",
                {false, "ProgressDeadlineExceeded", set_name(view) + " has timed out progressing."},
                view.now.wall);
}

void pause_condition(const View& view, json::array* conditions) {
  const bool paused = get_bool(view.deployment, "spec.paused");
  const json::value* c = find_condition(*conditions, "Progressing");
  const bool shown = c != nullptr && get_string(*c, "reason") == "DeploymentPaused";
  if (find(view.deployment, "spec.progressDeadlineSeconds") == nullptr || paused == shown) return;
  if (c != nullptr && get_string(*c, "reason") == "ProgressDeadlineExceeded" && paused) return;
  const auto set = [&](const char* reason, const char* message) {
    json::array rest;
    for (const json::value& other : *conditions) {
      if (get_string(other, "type") != "Progressing") rest.push_back(other);
    }
    *conditions = std::move(rest);
    set_condition(conditions, "Progressing", {true, reason, message}, view.now.wall);
    json::object& made = conditions->back().get_object();
    made["status"] = "Unknown";
  };
  if (paused)
    set("DeploymentPaused", "Deployment is paused");
  else
    set("DeploymentResumed", "Deployment is resumed");
}

void failure_condition(const View& view, json::array* conditions) {
  for (const ObjectPtr& rs : view.all) {
    const json::value* c = condition(*rs, "ReplicaFailure");
    if (c == nullptr || get_string(*c, "status") != "True") continue;
    return set_condition(
        conditions, "ReplicaFailure",
        {true, std::string(get_string(*c, "reason")), std::string(get_string(*c, "message"))},
        view.now.wall);
  }
  json::array rest;
  for (const json::value& c : *conditions) {
    if (get_string(c, "type") != "ReplicaFailure") rest.push_back(c);
  }
  *conditions = std::move(rest);
}

}  // namespace

bool is_complete(const View& view, const json::value& status) {
  const auto is_desired = [&](std::string_view field) {
    return get_int(status, field) == view.desired();
  };
  return is_desired("updatedReplicas") && is_desired("replicas") &&
         is_desired("availableReplicas") &&
         get_int(status, "observedGeneration") >= api::generation_of(view.deployment);
}

json::value new_status(const View& view, Plan* plan) {
  const std::int64_t available = sum_status(view.all, "availableReplicas");
  const std::int64_t total = sum_status(view.all, "replicas");
  const std::int64_t ready = sum_status(view.all, "readyReplicas");
  const std::int64_t updated = view.current ? status_number(*view.current, "replicas") : 0;
  json::value out = json::object();
  json::object& s = out.get_object();
  if (available > 0) s["availableReplicas"] = available;
  if (const auto n = status_number(view.deployment, "collisionCount"); n > 0)
    s["collisionCount"] = n;
  json::array conditions = get_array(view.deployment, "status.conditions");
  s["observedGeneration"] = api::generation_of(view.deployment);
  if (ready > 0) s["readyReplicas"] = ready;
  if (total > 0) s["replicas"] = total;
  s["terminatingReplicas"] = sum_status(view.all, "terminatingReplicas");
  if (const std::int64_t lacking = sum_spec(view.all) - available; lacking > 0) {
    s["unavailableReplicas"] = lacking;
  }
  if (updated > 0) s["updatedReplicas"] = updated;

  const bool enough = available >= view.desired() - view.max_unavailable();
  set_condition(
      &conditions, "Available",
      enough ? Wanted{true, "MinimumReplicasAvailable", "Deployment has minimum availability."}
             : Wanted{false, "MinimumReplicasUnavailable",
                      "Deployment does not have minimum availability."},
      view.now.wall);
  pause_condition(view, &conditions);
  progress_condition(view, out, &conditions, plan);
  failure_condition(view, &conditions);
  s["conditions"] = std::move(conditions);
  return out;
}

void update_status(const View& view, Plan* plan) {
  // The object itself changes first: a status on top of its old version would be refused.
  for (const Write& write : plan->writes) {
    if (write.gvr == gvr::kDeployments) return;
  }
  json::value status = new_status(view, plan);
  const json::value* old = find(view.deployment, "status");
  if (old != nullptr && *old == status) return;
  json::value changed = view.deployment;
  changed.get_object()["status"] = std::move(status);
  plan->update_status(gvr::kDeployments, std::move(changed));
}

}  // namespace coracle::controllers::deployment
