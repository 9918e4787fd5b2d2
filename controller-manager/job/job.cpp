#include "job/job.hpp"

#include "api/object.hpp"
#include "controllers/pods.hpp"
#include "job/names.hpp"
#include "job/status.hpp"
#include "job/work.hpp"

namespace coracle::controllers {
namespace {

using namespace job;

bool is_over(const json::value& job) {
  for (const char* type : {"Complete", "Failed"}) {
    const json::value* c = condition(job, type);
    if (c != nullptr && get_string(*c, "status") == "True") return true;
  }
  return false;
}

bool is_ours(const json::value& job) {
  return get_string(job, "spec.managedBy", kOurManager) == kOurManager;
}

// Adopted pods are tracked from then on, like the job's own.
void track_adopted(Plan* plan) {
  for (Write& write : plan->writes) {
    const json::array& owners = get_array(write.body, "metadata.ownerReferences");
    const bool adopts = !owners.empty() && get_bool(owners[0], "controller");
    if (!adopts) continue;
    make_object(write.body, "metadata")["finalizers"] = json::array({json::value(kTracking)});
  }
}

// The Job that controls the pod and still counts it.
ObjectPtr counting_job(const World& world, const json::value& pod) {
  const json::value* owner = api::controller_of(pod);
  if (owner == nullptr || get_string(*owner, "kind") != "Job") return nullptr;
  ObjectPtr job = world.get(gvr::kJobs, std::string(api::namespace_of(pod)),
                            std::string(get_string(*owner, "name")));
  const bool same = job != nullptr && api::uid_of(*job) == get_string(*owner, "uid");
  return same && !is_over(*job) ? job : nullptr;
}

}  // namespace

void JobController::touched(const World& world, const client::Gvr& gvr, const json::value* before,
                            const json::value* after, const Enqueue& enqueue) const {
  if (gvr == gvr::kJobs) return enqueue(client::object_key(after != nullptr ? *after : *before));
  enqueue_owners(world, gvr::kJobs, "Job", before, after, enqueue);
}

Plan JobController::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr job = world.get(gvr::kJobs, ns, name);
  if (job == nullptr || !is_ours(*job) || is_over(*job)) return plan;
  plan.about = job;
  const auto selector = selector_of(*job);
  if (!selector.ok() || selector->is_everything()) return plan;  // the server writes a narrow one
  auto pods = claim(&plan, world, gvr::kPods, *job, *selector).owned;
  track_adopted(&plan);

  const State state = read_state(*job, std::move(pods), now);
  std::optional<Duration> again;
  const std::optional<Verdict> verdict = decide(state, &again);
  if (again) plan.look_again(*again);
  const Tracking tracking = track(state, verdict);
  json::value status = next_status(state, tracking, verdict, &plan);
  const json::value* old = find(*job, "status");
  if (old == nullptr || *old != status) {
    json::value changed = *job;
    changed.get_object()["status"] = std::move(status);
    plan.update_status(gvr::kJobs, std::move(changed));
  }
  for (const ObjectPtr& pod : tracking.release) release(*pod, &plan);
  if (verdict) {
    end_pods(state, &plan);
  } else if (!is_deleting(*job)) {
    keep_pods(state, &plan);
  }
  return plan;
}

void JobPodReleaser::touched(const World& world, const client::Gvr& gvr, const json::value* before,
                             const json::value* after, const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kPods) {
    if (after != nullptr && is_tracked(object)) enqueue(client::object_key(object));
    return;
  }
  if (after != nullptr && !is_over(object)) return;
  for (const ObjectPtr& pod :
       world.of(gvr::kPods).by_index(kControllerIndex, std::string(api::uid_of(object)))) {
    if (is_tracked(*pod)) enqueue(client::object_key(*pod));
  }
}

Plan JobPodReleaser::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr pod = world.get(gvr::kPods, ns, name);
  if (pod == nullptr || !is_tracked(*pod) || counting_job(world, *pod) != nullptr) return plan;
  // A Job that another manager runs does its own counting, as long as it is there.
  const json::value* owner = api::controller_of(*pod);
  if (owner != nullptr && get_string(*owner, "kind") == "Job") {
    const ObjectPtr job = world.get(gvr::kJobs, ns, std::string(get_string(*owner, "name")));
    if (job != nullptr && !is_ours(*job)) return plan;
  }
  plan.about = pod;
  release(*pod, &plan);
  return plan;
}

}  // namespace coracle::controllers
