#include "plugins/volume_zone.hpp"

#include <algorithm>
#include <array>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kOtherZone = "node(s) had no available volume zone";
constexpr std::array<std::string_view, 4> kZoneLabels = {
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region"};
constexpr std::string_view kBetween = "__";  // of several zones in one label

// A node that has not the old label may have the new one.
std::string_view new_label(std::string_view label) {
  if (label == kZoneLabels[0]) return kZoneLabels[2];
  return label == kZoneLabels[1] ? kZoneLabels[3] : label;
}

struct Zones final : PluginState {
  std::vector<std::pair<std::string_view, std::string>> rules;  // label, its zones joined
};

bool lists(std::string_view joined, std::string_view zone) {
  while (true) {
    const size_t at = joined.find(kBetween);
    if (joined.substr(0, at) == zone) return true;
    if (at == std::string_view::npos) return false;
    joined.remove_prefix(at + kBetween.size());
  }
}

}  // namespace

Verdict VolumeZone::pre_filter(const PodInfo& pod, const Snapshot& world, StatePtr* state) const {
  auto zones = std::make_unique<Zones>();
  for (const std::string& name : pod.claims) {
    const json::value* claim = Storage::find(world.storage.claims, pod.ns + "/" + name);
    if (claim == nullptr) continue;  // VolumeBinding says so
    const std::string_view volume_name = get_string(*claim, "spec.volumeName");
    if (volume_name.empty()) continue;  // as above
    const json::value* volume = Storage::find(world.storage.volumes, volume_name);
    if (volume == nullptr) {
      return Verdict::never("persistentvolume " + quoted(volume_name) + " not found");
    }
    for (const std::string_view label : kZoneLabels) {
      const auto value = api::label_of(*volume, label);
      if (!value.empty()) zones->rules.emplace_back(label, value);
    }
  }
  if (zones->rules.empty()) return Verdict::skip();
  *state = std::move(zones);
  return Verdict::yes();
}

Verdict VolumeZone::filter(const PodInfo&, const NodeInfo& node, const PluginState* state) const {
  const NodeFacts& facts = node.facts();
  const bool zoned = std::any_of(kZoneLabels.begin(), kZoneLabels.end(),
                                 [&](auto label) { return facts.topology(label).has_value(); });
  if (!zoned) return Verdict::yes();
  for (const auto& [label, zones] : static_cast<const Zones&>(*state).rules) {
    auto own = facts.topology(label);
    if (!own) own = facts.topology(new_label(label));
    if (!own || !lists(zones, *own)) return Verdict::never(kOtherZone);
  }
  return Verdict::yes();
}

// Of claims, only its own.
bool VolumeZone::helps(const PodInfo& pod, const Change& change) const {
  return change.claim.empty() || pod.uses_claim(change.claim);
}

}  // namespace coracle::scheduler
