#include "ttlafterfinished/ttlafterfinished.hpp"

#include "controllers/pods.hpp"

namespace coracle::controllers {

void TtlAfterFinishedController::touched(const World&, const client::Gvr&, const json::value*,
                                         const json::value* after, const Enqueue& enqueue) const {
  if (after != nullptr && find(*after, "spec.ttlSecondsAfterFinished") != nullptr) {
    enqueue(client::object_key(*after));
  }
}

Plan TtlAfterFinishedController::reconcile(const World& world, const std::string& key,
                                           Instant now) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr job = world.get(gvr::kJobs, ns, name);
  if (job == nullptr || is_deleting(*job)) return plan;
  const json::value* ttl = find(*job, "spec.ttlSecondsAfterFinished");
  if (ttl == nullptr || !ttl->is_int64()) return plan;
  for (const char* type : {"Complete", "Failed"}) {
    const json::value* c = condition(*job, type);
    const auto since = condition_since(*job, type);
    if (c == nullptr || get_string(*c, "status") != "True" || !since) continue;
    const Duration left = *since + std::chrono::seconds(ttl->get_int64()) - now.wall;
    if (left > Duration(0)) {
      plan.look_again(left);
    } else {
      plan.remove(gvr::kJobs, *job).delete_options.propagation_policy = "Foreground";
    }
    return plan;
  }
  return plan;
}

}  // namespace coracle::controllers
