#include "resourceclaim/resourceclaim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/device_claims.hpp"
#include "api/object.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kPodClaimName[] = "resource.kubernetes.io/pod-claim-name";
// With a hyphen and five characters more it is a name of 63.
constexpr std::size_t kBaseMax = 57;

// It will not run (any more): its claims are free.
bool is_done(const json::value& pod) {
  return has_ended(pod) || (is_deleting(pod) && get_string(pod, "spec.nodeName").empty());
}

// POD-ENTRY-, both cut in proportion where that is too long.
std::string base_name(std::string_view pod, std::string_view entry) {
  std::string base = fmt::format("{}-{}-", pod, entry);
  if (base.size() <= kBaseMax) return base;
  return fmt::format("{}-{}", pod.substr(0, pod.size() * kBaseMax / base.size()),
                     entry.substr(0, entry.size() * kBaseMax / base.size()));
}

json::value claim_from(const json::value& pod, std::string_view entry,
                       const json::value& claim_template) {
  json::value claim = json::object{{"apiVersion", "resource.k8s.io/v1"}, {"kind", "ResourceClaim"}};
  const json::value* from = find(claim_template, "spec");
  const json::value spec = from == nullptr ? json::value(json::object()) : *from;
  set_path(claim, "metadata.generateName", json::value(base_name(api::name_of(pod), entry)));
  set_path(claim, "metadata.namespace", json::value(api::namespace_of(pod)));
  if (!api::labels_of(spec).empty()) {
    set_path(claim, "metadata.labels", json::value(api::labels_of(spec)));
  }
  json::object annotations = api::annotations_of(spec);
  annotations[kPodClaimName] = entry;
  set_path(claim, "metadata.annotations", std::move(annotations));
  json::array owners;
  owners.push_back(api::controller_reference(pod));
  set_path(claim, "metadata.ownerReferences", std::move(owners));
  claim.as_object()["spec"] = get_object(spec, "spec");
  return claim;
}

// One that was made for this entry, though the pod's status does not say so yet.
ObjectPtr made_before(const World& world, const json::value& pod, std::string_view entry) {
  const std::string uid(api::uid_of(pod));
  for (const ObjectPtr& claim : world.of(gvr::kResourceClaims).by_index(kControllerIndex, uid)) {
    if (api::annotation_of(*claim, kPodClaimName) == entry && !is_deleting(*claim)) return claim;
  }
  return nullptr;
}

// Makes what is missing; what is there but not in the pod's status goes into `found`.
void make_claim(const World& world, const json::value& pod, const json::value& entry, Plan* plan,
                json::array* found) {
  const std::string template_name(get_string(entry, "resourceClaimTemplateName"));
  if (template_name.empty()) return;
  const std::string name(get_string(entry, "name"));
  const std::string ns(api::namespace_of(pod));
  if (const std::string made(api::device_claim_of(pod, entry)); !made.empty()) {
    const ObjectPtr claim = world.get(gvr::kResourceClaims, ns, made);
    if (claim != nullptr && api::is_owned_by(*claim, api::uid_of(pod))) return;
  }
  if (const ObjectPtr claim = made_before(world, pod, name)) {
    found->push_back(json::object{{"name", name}, {"resourceClaimName", api::name_of(*claim)}});
    return;
  }
  const ObjectPtr claim_template = world.get(gvr::kResourceClaimTemplates, ns, template_name);
  if (claim_template == nullptr) {
    plan->warn("FailedResourceClaimCreation",
               fmt::format("PodResourceClaim {0}: resource claim template \"{1}\": "
                           "resourceclaimtemplate.resource.k8s.io \"{1}\" not found",
                           name, template_name));
    return;
  }
  Write& write = plan->create(gvr::kResourceClaims, claim_from(pod, name, *claim_template));
  write.failed_reason = "FailedResourceClaimCreation";
  write.failed_message = fmt::format("PodResourceClaim {}: create ResourceClaim : ", name);
}

void reserve(const World& world, const json::value& pod, const json::value& entry, Plan* plan) {
  const std::string ns(api::namespace_of(pod)), uid(api::uid_of(pod));
  const ObjectPtr claim =
      world.get(gvr::kResourceClaims, ns, std::string(api::device_claim_of(pod, entry)));
  if (claim == nullptr || find(*claim, "status.allocation") == nullptr) return;
  if (api::is_reserved_for_pod(*claim, uid) || is_deleting(*claim)) return;
  if (get_array(*claim, "status.reservedFor").size() >= api::kReservedForMax) return;
  if (!get_string(entry, "resourceClaimTemplateName").empty() && !api::is_owned_by(*claim, uid)) {
    return;
  }
  json::array consumers;
  consumers.push_back(api::pod_reservation(api::name_of(pod), uid));
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(api::uid_of(*claim)));
  set_path(patch, "status.reservedFor", std::move(consumers));
  plan->patch(gvr::kResourceClaims, *claim, std::move(patch)).subresource = "status";
}

bool is_that_pod(const json::value& pod, std::string_view uid) {
  return api::uid_of(pod) == uid && !is_done(pod);
}

// The pod with that name is not the one, or is done. Where the cache has none the server is asked:
// the scheduler may have reserved for a pod that is not seen here yet.
bool is_gone(const World& world, const std::string& ns, const std::string& pod,
             const std::string& uid, Plan* looks) {
  const ObjectPtr known = world.get(gvr::kPods, ns, pod);
  if (known != nullptr) return !is_that_pod(*known, uid);
  looks->only_if(gvr::kPods, ns, pod, [uid](const json::array& pods) {
    return std::none_of(pods.begin(), pods.end(),
                        [&](const json::value& one) { return is_that_pod(one, uid); });
  });
  return true;
}

// The claim without what it does not need any more, written in the order upstream writes it: the
// finalizer goes when the allocation is gone.
void release(const json::value& claim, json::array valid, Plan* plan) {
  const bool ours = api::has_finalizer(claim, api::kDeviceClaimFinalizer);
  const bool unused = valid.empty();
  const bool shrinks = valid.size() < get_array(claim, "status.reservedFor").size();
  const bool deallocates = unused && ours && (shrinks || is_deleting(claim)) &&
                           find(claim, "status.allocation") != nullptr;
  if (shrinks || deallocates) {
    json::value changed = claim;
    json::object& status = make_object(changed, "status");
    if (unused) {
      erase_key(status, "reservedFor");
    } else {
      status["reservedFor"] = std::move(valid);
    }
    if (deallocates) {
      erase_key(status, "allocation");
      erase_key(status, "devices");
    }
    plan->update_status(gvr::kResourceClaims, std::move(changed));
  }
  const bool bare = deallocates || find(claim, "status.allocation") == nullptr;
  if (unused && ours && bare && (shrinks || is_deleting(claim))) {
    json::value without = claim;
    api::remove_finalizer(without, api::kDeviceClaimFinalizer);
    json::array left = api::finalizers_of(without);
    json::value patch = json::object();
    set_path(patch, "metadata.finalizers", left.empty() ? json::value() : json::value(left));
    plan->patch(gvr::kResourceClaims, claim, std::move(patch), client::PatchType::kMerge);
  }
}

}  // namespace

void PodResourceClaimController::touched(const World& world, const client::Gvr& gvr,
                                         const json::value* before, const json::value* after,
                                         const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kPods) {
    if (after != nullptr && !get_array(*after, "spec.resourceClaims").empty() &&
        is_active(*after)) {
      enqueue(client::object_key(*after));
    }
    return;
  }
  if (gvr == gvr::kResourceClaims) return enqueue_owner(object, "Pod", enqueue);
  if (after == nullptr) return;
  for (const ObjectPtr& pod :
       world.in_namespace(gvr::kPods, std::string(api::namespace_of(object)))) {
    const json::array& claims = get_array(*pod, "spec.resourceClaims");
    if (is_active(*pod) && std::any_of(claims.begin(), claims.end(), [&](const auto& entry) {
          return get_string(entry, "resourceClaimTemplateName") == api::name_of(object);
        })) {
      enqueue(client::object_key(*pod));
    }
  }
}

Plan PodResourceClaimController::reconcile(const World& world, const std::string& key,
                                           Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr pod = world.get(gvr::kPods, ns, name);
  if (pod == nullptr || !is_active(*pod)) return plan;
  plan.about = pod;
  json::array found;
  const json::array& entries = get_array(*pod, "spec.resourceClaims");
  for (const json::value& entry : entries) make_claim(world, *pod, entry, &plan, &found);
  if (!found.empty()) {
    json::value patch = json::object();
    set_path(patch, "metadata.uid", json::value(api::uid_of(*pod)));
    set_path(patch, "status.resourceClaimStatuses", std::move(found));
    plan.patch(gvr::kPods, *pod, std::move(patch)).subresource = "status";
  }
  if (get_string(*pod, "spec.nodeName").empty()) return plan;  // the scheduler will see to it
  for (const json::value& entry : entries) reserve(world, *pod, entry, &plan);
  return plan;
}

void ResourceClaimController::touched(const World&, const client::Gvr& gvr,
                                      const json::value* before, const json::value* after,
                                      const Enqueue& enqueue) const {
  if (gvr == gvr::kResourceClaims) {
    if (after != nullptr) enqueue(client::object_key(*after));
    return;
  }
  // Only a pod that goes, or ends, can let a claim go.
  if (after != nullptr && is_active(*after)) return;
  const json::value& pod = after != nullptr ? *after : *before;
  for (const json::value& entry : get_array(pod, "spec.resourceClaims")) {
    const std::string_view claim = api::device_claim_of(pod, entry);
    if (!claim.empty()) enqueue(fmt::format("{}/{}", api::namespace_of(pod), claim));
  }
}

Plan ResourceClaimController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr claim = world.get(gvr::kResourceClaims, ns, name);
  if (claim == nullptr) return plan;
  plan.about = claim;
  json::array valid;
  for (const json::value& consumer : get_array(*claim, "status.reservedFor")) {
    const bool is_pod =
        get_string(consumer, "apiGroup").empty() && get_string(consumer, "resource") == "pods";
    if (!is_pod || !is_gone(world, ns, std::string(get_string(consumer, "name")),
                            std::string(get_string(consumer, "uid")), &plan)) {
      valid.push_back(consumer);
    }
  }
  const bool unused = valid.empty();
  release(*claim, std::move(valid), &plan);
  const json::value* owner = api::controller_of(*claim);
  if (!unused || is_deleting(*claim) || owner == nullptr || get_string(*owner, "kind") != "Pod") {
    return plan;
  }
  if (is_gone(world, ns, std::string(get_string(*owner, "name")),
              std::string(get_string(*owner, "uid")), &plan)) {
    plan.remove(gvr::kResourceClaims, *claim);
  }
  return plan;
}

}  // namespace coracle::controllers
