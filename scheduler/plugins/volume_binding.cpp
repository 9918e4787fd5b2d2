#include "plugins/volume_binding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/volume_match.hpp"
#include "base/strings.hpp"
#include "plugins/csi.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kUnbound = "pod has unbound immediate PersistentVolumeClaims";
constexpr const char* kNothingToBind = "node(s) didn't find available persistent volumes to bind";
constexpr const char* kNoRoom = "node(s) did not have enough free storage";
constexpr const char* kOutOfReach = "node(s) didn't match PersistentVolume's node affinity";
constexpr const char* kNoVolume =
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
constexpr char kBindCompleted[] = "pv.kubernetes.io/bind-completed";
constexpr char kBoundByController[] = "pv.kubernetes.io/bound-by-controller";
constexpr char kSelectedNode[] = "volume.kubernetes.io/selected-node";
constexpr char kNoProvisioner[] = "kubernetes.io/no-provisioner";

bool is_bound(const json::value& claim) {
  return !get_string(claim, "spec.volumeName").empty() &&
         api::annotations_of(claim).contains(kBindCompleted);
}

// A nodeSelector (one term must match), parsed; none: everywhere.
struct Reach {
  bool anywhere = true;
  std::vector<api::NodeSelectorTerm> terms;

  static Reach parse(const json::value& volume) {
    Reach reach;
    const json::value* terms = find(volume, "spec.nodeAffinity.required.nodeSelectorTerms");
    if (terms == nullptr || !terms->is_array()) return reach;
    reach.anywhere = false;
    for (const json::value& term : terms->as_array()) {
      reach.terms.push_back(api::NodeSelectorTerm::parse(term));
    }
    return reach;
  }
  bool holds(const api::NodeLabels& node) const {
    return anywhere || std::any_of(terms.begin(), terms.end(),
                                   [&](const auto& term) { return term.matches(node); });
  }
};

// Whether a class makes volumes for that node (allowedTopologies: one of the terms holds).
bool makes_volumes_for(const json::value& storage_class, const NodeFacts& node) {
  const auto provisioner = get_string(storage_class, "provisioner");
  if (provisioner.empty() || provisioner == kNoProvisioner) return false;
  const json::array& terms = get_array(storage_class, "allowedTopologies");
  return terms.empty() || std::any_of(terms.begin(), terms.end(), [&](const json::value& term) {
           const json::array& rules = get_array(term, "matchLabelExpressions");
           return !rules.empty() &&
                  std::all_of(rules.begin(), rules.end(), [&](const json::value& rule) {
                    const auto value = node.topology(get_string(rule, "key"));
                    const json::array& values = get_array(rule, "values");
                    return value &&
                           std::any_of(values.begin(), values.end(), [&](const json::value& one) {
                             return one.is_string() && std::string_view(one.get_string()) == *value;
                           });
                  });
         });
}

std::string reservation_of_volume(std::string_view name) { return "volume/" + std::string(name); }
std::string reservation_of_claim(const json::value& claim) {
  return "claim/" + std::string(api::namespace_of(claim)) + "/" + std::string(api::name_of(claim));
}

struct Claims final : PluginState {
  const Snapshot* world = nullptr;
  std::vector<Reach> bound;  // the volumes of bound claims
  bool volume_missing = false;
  bool unbound = false;                     // one of them, though its class does not wait
  std::vector<const json::value*> delayed;  // the small ones first
  bool held = false;                        // a delayed one is being bound for another pod
  std::map<const json::value*, std::vector<std::pair<const json::value*, Reach>>> candidates;
  std::map<const json::value*, CsiRoom> rooms;  // for the delayed ones
};

// What the delayed claims get on a node; a claim without a volume has one made for it.
struct Choice {
  const json::value* claim;
  const json::value* volume;  // nullptr: to be made
};

std::vector<std::string> claims_of(const PodInfo& pod) {
  std::vector<std::string> names = pod.claims;
  names.insert(names.end(), pod.ephemeral_claims.begin(), pod.ephemeral_claims.end());
  return names;
}

bool is_taken(const Snapshot& world, const json::value& volume, const PodInfo& pod) {
  return world.reservations.is_taken(reservation_of_volume(api::name_of(volume)), pod.uid);
}

// Nothing: this node does not do, for that reason.
std::optional<std::vector<Choice>> choose(const PodInfo& pod, const Claims& claims,
                                          const NodeFacts& node, const char** reason) {
  *reason = kNothingToBind;
  std::vector<Choice> choices;
  std::set<const json::value*> chosen;
  for (const json::value* claim : claims.delayed) {
    const auto selected = api::annotation_of(*claim, kSelectedNode);
    const json::value* volume = nullptr;
    if (!selected.empty()) {  // its volume is being made
      if (selected != node.name) return std::nullopt;
    } else {
      const auto& listed = claims.candidates.at(claim);
      std::vector<const json::value*> volumes;
      std::map<const json::value*, const Reach*> reaches;
      for (const auto& [candidate, reach] : listed) {
        volumes.push_back(candidate);
        reaches[candidate] = &reach;
      }
      api::MatchOptions options;
      options.node_fits = [&](const json::value& v) {
        return reaches.at(&v)->holds(node.selectable());
      };
      options.taken = [&](const json::value& v) {
        return chosen.contains(&v) || is_taken(*claims.world, v, pod);
      };
      volume = api::best_volume(*claim, volumes, options);
    }
    if (volume == nullptr) {
      const json::value* storage_class =
          Storage::find(claims.world->storage.classes, api::storage_class_of_claim(*claim));
      if (storage_class == nullptr || !makes_volumes_for(*storage_class, node)) {
        return std::nullopt;
      }
      if (selected.empty() && !claims.rooms.at(claim).is_near(node)) {
        *reason = kNoRoom;
        return std::nullopt;
      }
    } else {
      chosen.insert(volume);
    }
    choices.push_back({claim, volume});
  }
  return choices;
}

Verdict look_at_claim(const json::value& claim, const Snapshot& world, Claims& claims) {
  const std::string quoted_name = quoted(std::string(api::name_of(claim)));
  if (get_string(claim, "status.phase") == "Lost") {
    return Verdict::never("persistentvolumeclaim " + quoted_name +
                          " bound to non-existent persistentvolume " +
                          quoted(std::string(get_string(claim, "spec.volumeName"))));
  }
  if (!api::deletion_timestamp_of(claim).empty()) {
    return Verdict::never("persistentvolumeclaim " + quoted_name + " is being deleted");
  }
  if (is_bound(claim)) {
    const json::value* volume =
        Storage::find(world.storage.volumes, get_string(claim, "spec.volumeName"));
    if (volume == nullptr)
      claims.volume_missing = true;
    else
      claims.bound.push_back(Reach::parse(*volume));
    return Verdict::yes();
  }
  const json::value* storage_class =
      Storage::find(world.storage.classes, api::storage_class_of_claim(claim));
  const bool waits = storage_class != nullptr &&
                     get_string(*storage_class, "volumeBindingMode") == "WaitForFirstConsumer";
  if (!waits || !get_string(claim, "spec.volumeName").empty()) {
    claims.unbound = true;
  } else {
    claims.delayed.push_back(&claim);
  }
  return Verdict::yes();
}

// Somebody else's claim that has the name of one that would be made for the pod.
Verdict look_at_owner(const json::value& claim, const PodInfo& pod) {
  const json::value* owner = api::controller_of(claim);
  if (owner != nullptr && get_string(*owner, "uid") == pod.uid) return Verdict::yes();
  return Verdict::never(fmt::format("PVC {}/{} was not created for pod {} (pod is not owner)",
                                    pod.ns, api::name_of(claim), pod.key));
}

Verdict look_at_claims(const PodInfo& pod, const Snapshot& world, Claims& claims) {
  claims.world = &world;
  for (const std::string& name : claims_of(pod)) {
    const json::value* claim = Storage::find(world.storage.claims, pod.ns + "/" + name);
    const bool own = std::find(pod.claims.begin(), pod.claims.end(), name) == pod.claims.end();
    if (claim == nullptr) {
      return Verdict::never(own ? "waiting for ephemeral volume controller to create the "
                                  "persistentvolumeclaim " +
                                      quoted(name)
                                : "persistentvolumeclaim " + quoted(name) + " not found");
    }
    Verdict verdict = look_at_claim(*claim, world, claims);
    if (verdict.is_yes() && own) verdict = look_at_owner(*claim, pod);
    if (!verdict.is_yes()) return verdict;
  }
  if (claims.unbound) return Verdict::never(kUnbound);
  std::stable_sort(claims.delayed.begin(), claims.delayed.end(), [](const auto* a, const auto* b) {
    return api::asked_size(*a) < api::asked_size(*b);
  });
  for (const json::value* claim : claims.delayed) {
    claims.held = claims.held || world.reservations.is_taken(reservation_of_claim(*claim), pod.uid);
    const json::value* storage_class =
        Storage::find(world.storage.classes, api::storage_class_of_claim(*claim));
    // That it waits, its class says.
    CHECK(storage_class != nullptr);
    claims.rooms.emplace(claim, CsiRoom(world, *claim, *storage_class));
    auto& listed = claims.candidates[claim];
    for (const auto& [name, volume] : world.storage.volumes) {
      if (api::storage_class_of_volume(*volume) == api::storage_class_of_claim(*claim)) {
        listed.emplace_back(volume.get(), Reach::parse(*volume));
      }
    }
  }
  return Verdict::yes();
}

std::optional<std::vector<Choice>> choose_on(const PodInfo& pod, const std::string& node,
                                             const Snapshot& world) {
  Claims claims;
  const NodeInfo* info = world.nodes.find(node);
  if (info == nullptr || !look_at_claims(pod, world, claims).is_yes()) return std::nullopt;
  const char* reason = nullptr;
  return choose(pod, claims, info->facts(), &reason);
}

}  // namespace

Verdict VolumeBinding::pre_filter(const PodInfo& pod, const Snapshot& world,
                                  StatePtr* state) const {
  if (pod.claims.empty() && pod.ephemeral_claims.empty()) return Verdict::skip();
  auto claims = std::make_unique<Claims>();
  Verdict verdict = look_at_claims(pod, world, *claims);
  *state = std::move(claims);
  return verdict;
}

Verdict VolumeBinding::filter(const PodInfo& pod, const NodeInfo& node,
                              const PluginState* state) const {
  const auto& claims = static_cast<const Claims&>(*state);
  std::vector<std::string> reasons;
  if (claims.volume_missing) reasons.emplace_back(kNoVolume);
  if (!std::all_of(claims.bound.begin(), claims.bound.end(),
                   [&](const Reach& reach) { return reach.holds(node.facts().selectable()); })) {
    reasons.emplace_back(kOutOfReach);
  }
  const char* reason = kNothingToBind;
  if (claims.held || !choose(pod, claims, node.facts(), &reason)) reasons.emplace_back(reason);
  if (reasons.empty()) return Verdict::yes();
  return Verdict::no(Verdict::Kind::kNever, std::move(reasons));
}

Verdict VolumeBinding::reserve(const PodInfo& pod, const std::string& node, const Snapshot& world,
                               Reservations& reservations) const {
  if (pod.claims.empty() && pod.ephemeral_claims.empty()) return Verdict::yes();
  const auto choices = choose_on(pod, node, world);
  if (!choices) return Verdict::not_now(kNothingToBind);
  for (const auto& [claim, volume] : *choices) {
    if (!reservations.take(reservation_of_claim(*claim), pod.uid)) {
      return Verdict::not_now(kNothingToBind);
    }
    if (volume != nullptr) reservations.take(reservation_of_volume(api::name_of(*volume)), pod.uid);
  }
  return Verdict::yes();
}

void VolumeBinding::unreserve(const PodInfo& pod, const std::string&,
                              Reservations& reservations) const {
  reservations.give_back_all(pod.uid);
}

Writes VolumeBinding::before_bind(const PodInfo& pod, const std::string& node,
                                  const Snapshot& world) const {
  Writes writes;
  if (pod.claims.empty() && pod.ephemeral_claims.empty()) return writes;
  const auto choices = choose_on(pod, node, world);
  if (!choices) return writes;
  for (const auto& [claim, volume] : *choices) {
    const json::value& object = volume != nullptr ? *volume : *claim;
    PreBindWrite write;
    const bool to_claim = volume == nullptr;
    write.target = to_claim ? PreBindWrite::Target::kClaim : PreBindWrite::Target::kVolume;
    write.name = api::name_of(object);
    if (to_claim) write.ns = api::namespace_of(object);
    write.patch = json::object();
    set_path(write.patch, "metadata.resourceVersion",
             json::value(api::resource_version_of(object)));
    json::object& annotations = make_object(write.patch, "metadata.annotations");
    if (to_claim) {
      if (api::annotation_of(*claim, kSelectedNode) == node) continue;
      annotations[kSelectedNode] = node;
    } else {
      if (get_string(object, "spec.claimRef.uid") == api::uid_of(*claim)) continue;
      if (!api::is_reserved_for(object, *claim)) annotations[kBoundByController] = "yes";
      make_object(write.patch, "spec")["claimRef"] =
          json::object{{"kind", "PersistentVolumeClaim"},
                       {"namespace", api::namespace_of(*claim)},
                       {"name", api::name_of(*claim)},
                       {"uid", api::uid_of(*claim)},
                       {"apiVersion", "v1"},
                       {"resourceVersion", api::resource_version_of(*claim)}};
    }
    writes.push_back(std::move(write));
  }
  return writes;
}

// All bound; or on their way, as before_bind left them.
Verdict VolumeBinding::may_bind(const PodInfo& pod, const std::string& node,
                                const Snapshot& world) const {
  bool all = true;
  for (const std::string& name : claims_of(pod)) {
    const json::value* claim = Storage::find(world.storage.claims, pod.ns + "/" + name);
    if (claim == nullptr || !api::deletion_timestamp_of(*claim).empty()) {
      return Verdict::never("persistentvolumeclaim " + quoted(name) + " not found");
    }
    if (!is_bound(*claim)) {
      all = false;
      continue;
    }
    const json::value* volume =
        Storage::find(world.storage.volumes, get_string(*claim, "spec.volumeName"));
    const NodeInfo* info = world.nodes.find(node);
    if (volume != nullptr && info != nullptr &&
        !Reach::parse(*volume).holds(info->facts().selectable())) {
      return Verdict::never("pv " + quoted(std::string(api::name_of(*volume))) +
                            " node affinity doesn't match node " + quoted(node));
    }
  }
  return all ? Verdict::yes() : Verdict::not_now("binding volumes");
}

// Of claims, only its own.
bool VolumeBinding::helps(const PodInfo& pod, const Change& change) const {
  return change.claim.empty() || pod.uses_claim(change.claim);
}

}  // namespace coracle::scheduler
