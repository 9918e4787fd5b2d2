#include "plugins/dynamic_resources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/device_claims.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "plugins/device_allocator.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kCannotAllocate = "cannot allocate all claims";
constexpr const char* kOutOfReach = "resourceclaim not available on the node";
constexpr const char* kNotKnown = "resource claims and slices are not known yet";

struct Claims final : PluginState {
  explicit Claims(std::size_t steps) : steps_max(steps) {}
  const std::size_t steps_max;  // of the search for devices, a node
  const DeviceWorld* world = nullptr;
  std::vector<ClaimAsk> to_allocate;
  HeldDevices taken;                                             // promised to other pods
  std::vector<std::vector<api::NodeSelectorTerm>> allocated_at;  // of allocated claims; one each
  bool failed = false;  // devices of one cannot be made ready: they do on no node
};

// What the driver says of a device that a claim got; null: nothing yet.
const json::value* status_of(const json::value& claim, const json::value& result) {
  for (const json::value& status : get_array(claim, "status.devices")) {
    const bool same = std::ranges::all_of(
        std::initializer_list<std::string_view>{"driver", "pool", "device", "shareID"},
        [&](std::string_view key) { return get_string(status, key) == get_string(result, key); });
    if (same) return &status;
  }
  return nullptr;
}

// The condition, if it is true.
const json::value* true_condition(const json::value* status, const json::value& type) {
  if (status == nullptr || !type.is_string()) return nullptr;
  for (const json::value& condition : get_array(*status, "conditions")) {
    if (get_string(condition, "type") != type.get_string()) continue;
    return get_string(condition, "status") == "True" ? &condition : nullptr;
  }
  return nullptr;
}

// Whether the devices of an allocated claim are ready for the pod's bind: those that bind with
// conditions need all of them, and none of their failures. kNever: one failed.
Verdict is_ready(const json::value& claim) {
  Verdict verdict = Verdict::yes();
  for (const json::value& result : get_array(claim, "status.allocation.devices.results")) {
    const json::array& conditions = get_array(result, "bindingConditions");
    if (conditions.empty()) continue;
    const json::value* status = status_of(claim, result);
    for (const json::value& type : get_array(result, "bindingFailureConditions")) {
      const json::value* failed = true_condition(status, type);
      if (failed == nullptr) continue;
      return Verdict::never(fmt::format("claim {} binding failed: reason={}, message={}",
                                        api::name_of(claim), get_string(*failed, "reason"),
                                        quoted(std::string(get_string(*failed, "message")))));
    }
    const bool all = std::ranges::all_of(
        conditions, [&](const auto& type) { return true_condition(status, type) != nullptr; });
    if (!all) verdict = Verdict::not_now("waiting for binding conditions");
  }
  return verdict;
}

bool is_allocated(const json::value& claim) { return find(claim, "status.allocation") != nullptr; }

// Its claims, in the pod's order, each once; or why one cannot be used.
Result<std::vector<std::pair<std::string, const json::value*>>> claims_of(const PodInfo& pod,
                                                                          const Snapshot& world) {
  std::vector<std::pair<std::string, const json::value*>> claims;
  const auto fail = [](std::string why) {
    return Status(Code::kFailedPrecondition, std::move(why));
  };
  for (const DeviceClaimUse& use : pod.device_claims) {
    if (use.claim.empty()) {
      return fail("waiting for dynamic resource controller to create the resourceclaim for pod " +
                  quoted(pod.key) + ", claim " + quoted(use.entry));
    }
    const std::string key = pod.ns + "/" + use.claim;
    const json::value* claim = world.devices.claim(key);
    if (claim == nullptr) return fail("resourceclaim " + quoted(use.claim) + " not found");
    if (!api::deletion_timestamp_of(*claim).empty()) {
      return fail("resourceclaim " + quoted(use.claim) + " is being deleted");
    }
    if (use.made && !api::is_owned_by(*claim, pod.uid)) {
      return fail(fmt::format("ResourceClaim {} was not created for pod {} (pod is not owner)", key,
                              pod.key));
    }
    const bool known = std::any_of(claims.begin(), claims.end(),
                                   [&](const auto& one) { return one.second == claim; });
    if (!known) claims.emplace_back(key, claim);
  }
  return claims;
}

Verdict look_at_allocated(const json::value& claim, const PodInfo& pod, Claims& claims) {
  if (!api::is_reserved_for_pod(claim, pod.uid) &&
      get_array(claim, "status.reservedFor").size() >= api::kReservedForMax) {
    return Verdict::never("resourceclaim in use");
  }
  if (is_ready(claim).kind() == Verdict::Kind::kNever) claims.failed = true;
  const json::value* selector = find(claim, "status.allocation.nodeSelector");
  if (selector == nullptr) return Verdict::yes();
  claims.allocated_at.push_back(api::parse_node_terms(*selector));
  return Verdict::yes();
}

Verdict look_at_claims(const PodInfo& pod, const Snapshot& world, SelectorCache& selectors,
                       Claims& claims) {
  claims.world = &world.devices;
  if (!world.devices.known) return Verdict::not_now(kNotKnown);
  const auto found = claims_of(pod, world);
  if (!found.ok()) return Verdict::never(found.status().message());
  for (const auto& [key, claim] : *found) {
    if (is_allocated(*claim)) {
      Verdict verdict = look_at_allocated(*claim, pod, claims);
      if (!verdict.is_yes()) return verdict;
      continue;
    }
    const auto* promise = world.reservations.promised(std::string(api::uid_of(*claim)));
    if (promise != nullptr && promise->pod != pod.uid) {
      return Verdict::never(
          fmt::format("resource claim {} is in the process of being allocated", key));
    }
    auto ask = DeviceAllocator::parse(key, *claim, world.devices, selectors);
    if (!ask.ok()) {
      return ask.status().code() == Code::kFailedPrecondition
                 ? Verdict::never(ask.status().message())
                 : Verdict::broken(ask.status());
    }
    claims.to_allocate.push_back(*std::move(ask));
  }
  for (const auto& [uid, promise] : world.reservations.promises()) {
    if (promise.pod == pod.uid || world.devices.is_allocated(uid)) continue;
    claims.taken.add(*promise.allocation);
  }
  return Verdict::yes();
}

Result<std::optional<std::vector<json::value>>> allocate(const Claims& claims,
                                                         const NodeFacts& node) {
  return DeviceAllocator::allocate(claims.to_allocate, *claims.world, claims.taken, node,
                                   claims.steps_max);
}

// Why nothing could be had, with what was left out.
Verdict cannot_allocate(const Claims& claims, const NodeFacts& node) {
  std::vector<std::string> reasons{kCannotAllocate};
  for (const auto& [field, devices] : DeviceAllocator::devices_beyond(*claims.world, node)) {
    reasons.push_back(fmt::format("{} device(s) with {}, which is not supported", devices, field));
  }
  return Verdict::no(Verdict::Kind::kNever, std::move(reasons));
}

bool reaches(const json::value& claim, const NodeFacts& node) {
  const json::value* selector = find(claim, "status.allocation.nodeSelector");
  if (selector == nullptr) return true;
  const auto terms = api::parse_node_terms(*selector);
  return std::ranges::any_of(terms,
                             [&](const auto& term) { return term.matches(node.selectable()); });
}

// By nobody, or by this pod alone: it was reserved for it in an earlier try.
bool is_used_by_none_but(const json::value& claim, const PodInfo& pod) {
  const json::array& consumers = get_array(claim, "status.reservedFor");
  return consumers.empty() || (consumers.size() == 1 && api::is_reserved_for_pod(claim, pod.uid));
}

PreBindWrite write_to(const json::value& claim) {
  PreBindWrite write;
  write.target = PreBindWrite::Target::kDeviceClaim;
  write.ns = api::namespace_of(claim);
  write.name = api::name_of(claim);
  write.patch = json::object();
  // Of another claim with that name the server refuses it.
  set_path(write.patch, "metadata.uid", json::value(api::uid_of(claim)));
  return write;
}

PreBindWrite deallocation_of(const json::value& claim) {
  PreBindWrite write = write_to(claim);
  write.subresource = "status";
  // Of a claim that somebody uses by now the server refuses it.
  set_path(write.patch, "metadata.resourceVersion", json::value(api::resource_version_of(claim)));
  make_object(write.patch, "status") = {
      {"allocation", nullptr}, {"devices", nullptr}, {"reservedFor", nullptr}};
  return write;
}

}  // namespace

DynamicResources::DynamicResources(Duration filter_timeout)
    : steps_max_(DeviceAllocator::steps_within(filter_timeout)) {}

Verdict DynamicResources::pre_enqueue(const PodInfo& pod, const Snapshot& world) const {
  if (pod.device_claims.empty()) return Verdict::yes();
  if (!world.devices.known) return Verdict::never(kNotKnown);
  const auto found = claims_of(pod, world);
  return found.ok() ? Verdict::yes() : Verdict::never(found.status().message());
}

Verdict DynamicResources::pre_filter(const PodInfo& pod, const Snapshot& world,
                                     StatePtr* state) const {
  if (pod.device_claims.empty()) return Verdict::skip();
  auto claims = std::make_unique<Claims>(steps_max_);
  Verdict verdict = look_at_claims(pod, world, selectors_, *claims);
  *state = std::move(claims);
  return verdict;
}

Verdict DynamicResources::filter(const PodInfo&, const NodeInfo& node,
                                 const PluginState* state) const {
  const auto& claims = static_cast<const Claims&>(*state);
  const NodeFacts& facts = node.facts();
  if (claims.failed) return Verdict::never(kOutOfReach);
  for (const auto& terms : claims.allocated_at) {
    if (std::none_of(terms.begin(), terms.end(),
                     [&](const auto& term) { return term.matches(facts.selectable()); })) {
      return Verdict::never(kOutOfReach);
    }
  }
  if (claims.to_allocate.empty()) return Verdict::yes();
  const auto found = allocate(claims, facts);
  if (!found.ok()) {
    const Code code = found.status().code();
    return code == Code::kResourceExhausted || code == Code::kFailedPrecondition
               ? Verdict::never(found.status().message())
               : Verdict::broken(found.status());
  }
  return found->has_value() ? Verdict::yes() : cannot_allocate(claims, facts);
}

PostFiltered DynamicResources::post_filter(const PostFilterInput& in) const {
  PostFiltered out;
  if (in.pod.device_claims.empty()) return out;
  const auto claims = claims_of(in.pod, in.world);
  if (!claims.ok()) return out;
  const std::vector<std::string> out_of_reach{kOutOfReach};
  std::vector<const json::value*> idle;
  for (const auto& [key, claim] : *claims) {
    if (!is_allocated(*claim) || !is_used_by_none_but(*claim, in.pod)) continue;
    const bool holds_back = std::ranges::any_of(in.noes, [&](const auto& no) {
      return no.second->reasons() == out_of_reach &&
             (is_ready(*claim).kind() == Verdict::Kind::kNever ||
              !reaches(*claim, in.world.nodes[no.first].facts()));
    });
    if (holds_back) idle.push_back(claim);
  }
  if (idle.empty()) {
    out.verdict = Verdict::not_now("still not schedulable");
    return out;
  }
  const json::value& claim = *idle[in.rng.below(idle.size())];
  out.writes.push_back(deallocation_of(claim));
  out.verdict = Verdict::not_now("deallocation of ResourceClaim completed");
  return out;
}

Verdict DynamicResources::pre_score(const PodInfo& pod, const Snapshot& world,
                                    const std::vector<std::uint32_t>&, StatePtr* state) const {
  if (pod.device_claims.empty()) return Verdict::skip();
  auto claims = std::make_unique<Claims>(steps_max_);
  if (!look_at_claims(pod, world, selectors_, *claims).is_yes() ||
      std::ranges::none_of(claims->to_allocate, &DeviceAllocator::is_scored)) {
    return Verdict::skip();
  }
  *state = std::move(claims);
  return Verdict::yes();
}

std::int64_t DynamicResources::score(const PodInfo&, const NodeInfo& node,
                                     const PluginState* state) const {
  const auto& claims = static_cast<const Claims&>(*state);
  const auto found = allocate(claims, node.facts());
  if (!found.ok() || !found->has_value()) return 0;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < claims.to_allocate.size(); ++i) {
    sum += DeviceAllocator::score(claims.to_allocate[i], (**found)[i]);
  }
  return sum;
}

void DynamicResources::normalize(const PluginState*, std::vector<std::int64_t>& scores) const {
  scale_scores(scores, false);
}

Verdict DynamicResources::reserve(const PodInfo& pod, const std::string& node,
                                  const Snapshot& world, Reservations& reservations) const {
  if (pod.device_claims.empty()) return Verdict::yes();
  Claims claims(steps_max_);
  Verdict verdict = look_at_claims(pod, world, selectors_, claims);
  const NodeInfo* info = world.nodes.find(node);
  if (!verdict.is_yes() || info == nullptr || claims.to_allocate.empty()) return verdict;
  auto found = allocate(claims, info->facts());
  if (!found.ok()) return Verdict::broken(found.status());
  if (!found->has_value()) return cannot_allocate(claims, info->facts());
  for (std::size_t i = 0; i < claims.to_allocate.size(); ++i) {
    reservations.promise(claims.to_allocate[i].uid, pod.uid,
                         std::make_shared<const json::value>(std::move((**found)[i])));
  }
  return Verdict::yes();
}

void DynamicResources::unreserve(const PodInfo& pod, const std::string&,
                                 Reservations& reservations) const {
  reservations.take_back_promises(pod.uid);
}

Writes DynamicResources::before_bind(const PodInfo& pod, const std::string&,
                                     const Snapshot& world) const {
  Writes writes;
  if (pod.device_claims.empty()) return writes;
  const auto claims = claims_of(pod, world);
  if (!claims.ok()) return writes;
  for (const auto& [key, claim] : *claims) {
    if (api::is_reserved_for_pod(*claim, pod.uid)) continue;
    const auto* promise = world.reservations.promised(std::string(api::uid_of(*claim)));
    if (promise != nullptr && !is_allocated(*claim) &&
        !api::has_finalizer(*claim, api::kDeviceClaimFinalizer)) {
      PreBindWrite write = write_to(*claim);
      json::array finalizers;
      finalizers.emplace_back(api::kDeviceClaimFinalizer);
      set_path(write.patch, "metadata.finalizers", std::move(finalizers));
      writes.push_back(std::move(write));
    }
    PreBindWrite write = write_to(*claim);
    write.subresource = "status";
    if (promise != nullptr && !is_allocated(*claim)) {
      set_path(write.patch, "status.allocation", *promise->allocation);
    }
    json::array consumers;
    consumers.push_back(api::pod_reservation(pod.name, pod.uid));
    set_path(write.patch, "status.reservedFor", std::move(consumers));
    writes.push_back(std::move(write));
  }
  return writes;
}

// Also of claims that cannot be used (any more).
Writes DynamicResources::take_back(const PodInfo& pod, const Snapshot& world, bool wrote) const {
  Writes writes;
  for (const DeviceClaimUse& use : pod.device_claims) {
    const json::value* claim = world.devices.claim(pod.ns + "/" + use.claim);
    if (claim == nullptr) continue;
    const auto* promise = world.reservations.promised(std::string(api::uid_of(*claim)));
    const bool may_be =
        wrote && (is_allocated(*claim) || (promise != nullptr && promise->pod == pod.uid));
    if (!may_be && !api::is_reserved_for_pod(*claim, pod.uid)) continue;
    // Devices that did not become ready in time, or cannot, are not waited for again.
    if (!is_ready(*claim).is_yes() && is_used_by_none_but(*claim, pod)) {
      writes.push_back(deallocation_of(*claim));
      continue;
    }
    PreBindWrite write = write_to(*claim);
    write.subresource = "status";
    json::array consumers;
    consumers.push_back(json::object{{"$patch", "delete"}, {"uid", pod.uid}});
    set_path(write.patch, "status.reservedFor", std::move(consumers));
    writes.push_back(std::move(write));
  }
  return writes;
}

Verdict DynamicResources::may_bind(const PodInfo& pod, const std::string&,
                                   const Snapshot& world) const {
  if (pod.device_claims.empty()) return Verdict::yes();
  const auto claims = claims_of(pod, world);
  if (!claims.ok()) return Verdict::never(claims.status().message());
  Verdict all = Verdict::yes();
  for (const auto& [key, claim] : *claims) {
    if (!is_allocated(*claim) || !api::is_reserved_for_pod(*claim, pod.uid)) {
      all = Verdict::not_now("reserving resource claims");
      continue;
    }
    Verdict ready = is_ready(*claim);
    if (ready.kind() == Verdict::Kind::kNever) return ready;
    if (!ready.is_yes()) all = std::move(ready);
  }
  return all;
}

// Of claims: its own, and those that hold no devices (any more).
bool DynamicResources::helps(const PodInfo& pod, const Change& change) const {
  if (change.claim.empty() || change.world == nullptr) return true;
  const json::value* claim = change.world->devices.claim(change.claim);
  return claim == nullptr || !is_allocated(*claim) ||
         std::any_of(pod.device_claims.begin(), pod.device_claims.end(),
                     [&](const auto& use) { return pod.ns + "/" + use.claim == change.claim; });
}

}  // namespace coracle::scheduler
