#include "statefulset/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/controller.hpp"
#include "controllers/int_or_percent.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"
#include "statefulset/identity.hpp"

namespace coracle::controllers::stateful_set {
namespace {

bool runs_ready(const json::value& pod) { return phase_of(pod) == "Running" && is_ready(pod); }

bool available(const View& view, const json::value& pod) {
  return phase_of(pod) == "Running" &&
         is_available(pod, get_int(view.set, "spec.minReadySeconds"), view.now.wall);
}

bool serves(const View& view, const ObjectPtr& pod) {
  return pod != nullptr && available(view, *pod) && !is_deleting(*pod);
}

bool healthy(const ObjectPtr& pod) {
  return pod != nullptr && runs_ready(*pod) && !is_deleting(*pod);
}

bool outdated(const View& view, const ObjectPtr& pod) {
  return pod != nullptr && api::label_of(*pod, kRevisionLabel) != api::name_of(*view.update);
}

void tell(Write& write, const char* verb, const std::string& pod, const View& view) {
  const char* reason = std::string_view(verb) == "create"   ? "Create"
                       : std::string_view(verb) == "delete" ? "Delete"
                                                            : "Update";
  const std::string what =
      fmt::format("{} Pod {} in StatefulSet {} ", verb, pod, api::name_of(view.set));
  write.done_reason = fmt::format("Successful{}", reason);
  write.done_message = what + "successful";
  write.failed_reason = fmt::format("Failed{}", reason);
  write.failed_message = what + "failed error: ";
}

void remove_pod(const View& view, const json::value& pod, Plan* plan) {
  tell(plan->remove(gvr::kPods, pod), "delete", std::string(api::name_of(pod)), view);
}

ObjectPtr claim_there(const View& view, const json::value& claim) {
  return view.world.get(gvr::kClaims, std::string(api::namespace_of(claim)),
                        std::string(api::name_of(claim)));
}

// Plans the claims that lack. False if the pod has to wait for one.
bool make_claims(const View& view, std::int64_t ordinal, const json::value* pod, Plan* plan) {
  const std::string name = pod_name(view.set, ordinal);
  for (json::value& claim : claims_at(view.set, ordinal)) {
    const std::string claim_name(api::name_of(claim));
    const ObjectPtr there = claim_there(view, claim);
    if (there == nullptr) {
      Write& write = plan->create(gvr::kClaims, std::move(claim));
      write.exists_is_fine = true;
      const auto text = [&](const char* middle) {
        return fmt::format("create Claim {}{} Pod {} in StatefulSet {} ", claim_name, middle, name,
                           api::name_of(view.set));
      };
      write.done_reason = "SuccessfulCreate";
      write.done_message = text("") + "success";
      write.failed_reason = "FailedCreate";
      write.failed_message = text(" for") + "failed error: ";
    } else if (is_stale(view.set, *there, name, pod)) {
      return false;
    } else if (is_deleting(*there)) {
      plan->warn(
          "FailedCreate",
          fmt::format("create Pod {} in StatefulSet {} failed error: pvc {} is being deleted", name,
                      api::name_of(view.set), claim_name));
      return false;
    }
  }
  return true;
}

// A pod below the partition keeps the revision that it had.
bool wants_current(const View& view, std::int64_t ordinal) {
  if (get_string(view.set, "spec.updateStrategy.type") == "OnDelete") return false;
  const std::int64_t start = start_ordinal(view.set);
  const json::value* rolling = find(view.set, "spec.updateStrategy.rollingUpdate");
  if (rolling == nullptr) return ordinal < start + get_int(view.set, "status.currentReplicas");
  return ordinal < start + get_int(*rolling, "partition");
}

// False if the pod has to wait for a claim.
bool make_pod(const View& view, std::int64_t ordinal, Plan* plan) {
  if (!make_claims(view, ordinal, nullptr, plan)) return false;
  const json::value& revision = wants_current(view, ordinal) ? *view.current : *view.update;
  const std::string name = pod_name(view.set, ordinal);
  tell(plan->create(gvr::kPods, pod_at(view.set, template_of_revision(revision),
                                       std::string(api::name_of(revision)), ordinal)),
       "create", name, view);
  return true;
}

void keep_owners(const View& view, std::int64_t ordinal, const json::value& pod, bool scaled_away,
                 Plan* plan) {
  for (const json::value& claim : claims_at(view.set, ordinal)) {
    const ObjectPtr there = claim_there(view, claim);
    if (there == nullptr) continue;
    auto owners = corrected_owners(view.set, *there, &pod, scaled_away);
    if (!owners) continue;
    json::value changed = *there;
    set_path(changed, "metadata.ownerReferences", std::move(*owners));
    plan->update(gvr::kClaims, std::move(changed));
  }
}

void restore_identity(const View& view, std::int64_t index, Plan* plan) {
  const json::value& pod = *view.replicas.at(index);
  keep_owners(view, view.ordinal(index), pod, false, plan);
  auto labels = missing_labels(view.set, pod);
  if (!labels) return;
  json::value patch = json::object();
  set_path(patch, "metadata.labels", std::move(*labels));
  tell(plan->patch(gvr::kPods, pod, std::move(patch)), "update", std::string(api::name_of(pod)),
       view);
}

// Step 1 for one ordinal; true if nothing may be done behind it now.
bool keep_replica(const View& view, std::int64_t index, Plan* plan) {
  const ObjectPtr pod = view.at(index);
  const std::int64_t ordinal = view.ordinal(index);
  if (pod == nullptr) return !make_pod(view, ordinal, plan) || view.in_order();
  if (has_ended(*pod)) {
    if (is_deleting(*pod)) return true;
    const bool failed = phase_of(*pod) == "Failed";
    const std::string text =
        fmt::format("StatefulSet {}/{} is recreating {} Pod {}", api::namespace_of(view.set),
                    api::name_of(view.set), failed ? "failed" : "terminated", api::name_of(*pod));
    if (failed) {
      plan->warn("RecreatingFailedPod", text);
    } else {
      plan->note("RecreatingTerminatedPod", text);
    }
    remove_pod(view, *pod, plan);
    return true;  // its successor is made when it has gone
  }
  if (phase_of(*pod) == "Pending" && !make_claims(view, ordinal, pod.get(), plan)) return true;
  if (view.in_order() && (is_deleting(*pod) || !available(view, *pod))) return true;
  restore_identity(view, index, plan);
  return false;
}

// Step 2; true as above.
bool take_away(const View& view, size_t index, const ObjectPtr& first_unhealthy, Plan* plan) {
  const ObjectPtr& pod = view.condemned[index];
  if (is_deleting(*pod)) return view.in_order();
  // The first that is not well may go: nothing would make it well.
  if (view.in_order() && !available(view, *pod) && pod != first_unhealthy) return true;
  remove_pod(view, *pod, plan);
  return view.in_order();
}

// The lowest ordinal that is not well; condemned ones come behind all others.
ObjectPtr find_first_unhealthy(const View& view) {
  for (std::int64_t i = 0; i < view.wanted; ++i) {
    if (const ObjectPtr pod = view.at(i); !healthy(pod)) return pod;
  }
  for (auto pod = view.condemned.rbegin(); pod != view.condemned.rend(); ++pod) {
    if (!healthy(*pod)) return *pod;
  }
  return nullptr;
}

// Step 3. Those that serve nobody are replaced at once, others one by one as long as no more than
// maxUnavailable are out of service.
void make_room(const View& view, Plan* plan) {
  constexpr char kRolling[] = "spec.updateStrategy.rollingUpdate.";
  const std::int64_t partition = get_int(view.set, std::string(kRolling) + "partition");
  const std::int64_t most = std::max<std::int64_t>(
      resolve_int_or_percent(find(view.set, std::string(kRolling) + "maxUnavailable"), view.wanted,
                             false, 1),
      1);
  std::int64_t out = 0;
  if (most > 1) {
    out = view.wanted - std::count_if(view.replicas.begin(), view.replicas.end(),
                                      [&](const auto& r) { return serves(view, r.second); });
  }
  for (std::int64_t i = view.wanted - 1; i >= std::max<std::int64_t>(partition, 0); --i) {
    const ObjectPtr pod = view.at(i);
    const bool counted = most > 1 && !serves(view, pod);
    if (outdated(view, pod) && !is_deleting(*pod)) {
      if (!counted && out >= most) return;
      remove_pod(view, *pod, plan);
      if (!counted) ++out;
    } else if (!counted && !serves(view, pod)) {
      ++out;
    }
    if (most == 1 && out >= most) return;
  }
}

}  // namespace

ObjectPtr View::at(std::int64_t index) const {
  const auto found = replicas.find(index);
  return found == replicas.end() ? nullptr : found->second;
}

std::int64_t View::ordinal(std::int64_t index) const { return start_ordinal(set) + index; }

bool View::in_order() const { return get_string(set, "spec.podManagementPolicy") != "Parallel"; }

void take_steps(const View& view, Plan* plan) {
  std::int64_t made = 0;
  for (std::int64_t i = 0; i < view.wanted; ++i) {
    const bool wait = keep_replica(view, i, plan);
    if (wait && view.in_order()) return;
    if (view.at(i) == nullptr && ++made == kBurst) return;
  }
  for (const ObjectPtr& pod : view.condemned) {
    if (!is_deleting(*pod)) keep_owners(view, *ordinal_of(view.set, *pod), *pod, true, plan);
  }
  const ObjectPtr first_unhealthy = find_first_unhealthy(view);
  for (size_t i = 0; i < view.condemned.size(); ++i) {
    if (take_away(view, i, first_unhealthy, plan)) return;
  }
  if (get_string(view.set, "spec.updateStrategy.type") != "OnDelete") make_room(view, plan);
}

}  // namespace coracle::controllers::stateful_set
