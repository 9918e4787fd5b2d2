#include "plugins/volume_restrictions.hpp"

#include <algorithm>
#include <set>

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kDiskTaken = "node(s) had no available disk";
constexpr const char* kClaimTaken =
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
    "in-use by another pod";

// Of the pod's exclusive claims: how many other pods have them. Any, and no node will do.
struct Exclusive final : PluginState {
  std::set<std::string> claims;
  std::int64_t users = 0;

  void count(const PodInfo& other, std::int64_t amount) {
    for (const std::string& name : other.claims) {
      if (claims.contains(other.ns + "/" + name)) users += amount;
    }
  }
};

std::string claim_key(const PodInfo& pod, const std::string& name) { return pod.ns + "/" + name; }

bool clash(const DiskUse& a, const DiskUse& b) {
  if (a.kind != b.kind || a.id != b.id) return false;
  const bool both_read = a.read_only && b.read_only;
  switch (a.kind) {
    case DiskUse::Kind::kEbs:
      return true;
    case DiskUse::Kind::kGce:
    case DiskUse::Kind::kIscsi:
      return !both_read;
    case DiskUse::Kind::kRbd:
      return !both_read && std::any_of(a.monitors.begin(), a.monitors.end(), [&](const auto& m) {
        return std::find(b.monitors.begin(), b.monitors.end(), m) != b.monitors.end();
      });
    case DiskUse::Kind::kAzure:
    case DiskUse::Kind::kCinder:
      return false;  // their attachers decide
  }
  return false;
}

}  // namespace

Verdict VolumeRestrictions::pre_filter(const PodInfo& pod, const Snapshot& world,
                                       StatePtr* state) const {
  auto exclusive = std::make_unique<Exclusive>();
  for (const std::string& name : pod.claims) {
    const std::string key = claim_key(pod, name);
    const auto facts = world.claims.find(key);
    if (facts == world.claims.end()) {
      return Verdict::never("persistentvolumeclaim " + quoted(name) + " not found");
    }
    if (!facts->second.one_pod_only) continue;
    exclusive->claims.insert(key);
    const auto placed = world.claim_pods.find(key);
    if (placed != world.claim_pods.end()) exclusive->users += placed->second;
    if (world.reservations.is_taken(key, pod.uid)) ++exclusive->users;
  }
  if (pod.disks.empty() && exclusive->claims.empty()) return Verdict::skip();
  *state = std::move(exclusive);
  return Verdict::yes();
}

Verdict VolumeRestrictions::filter(const PodInfo& pod, const NodeInfo& node,
                                   const PluginState* state) const {
  for (const DiskUse& disk : pod.disks) {
    for (const PodPtr& other : node.pods()) {
      for (const DiskUse& taken : other->disks) {
        if (clash(disk, taken)) return Verdict::not_now(kDiskTaken);
      }
    }
  }
  const bool taken = static_cast<const Exclusive&>(*state).users > 0;
  return taken ? Verdict::not_now(kClaimTaken) : Verdict::yes();
}

void VolumeRestrictions::add_pod(const PodInfo&, const PodInfo& other, const NodeInfo&,
                                 PluginState* state) const {
  static_cast<Exclusive&>(*state).count(other, 1);
}

void VolumeRestrictions::remove_pod(const PodInfo&, const PodInfo& other, const NodeInfo&,
                                    PluginState* state) const {
  static_cast<Exclusive&>(*state).count(other, -1);
}

Verdict VolumeRestrictions::reserve(const PodInfo& pod, const std::string&, const Snapshot& world,
                                    Reservations& reservations) const {
  for (const std::string& name : pod.claims) {
    const std::string key = claim_key(pod, name);
    const auto facts = world.claims.find(key);
    const bool exclusive = facts != world.claims.end() && facts->second.one_pod_only;
    if (exclusive && !reservations.take(key, pod.uid)) return Verdict::not_now(kClaimTaken);
  }
  return Verdict::yes();
}

void VolumeRestrictions::unreserve(const PodInfo& pod, const std::string&,
                                   Reservations& reservations) const {
  for (const std::string& name : pod.claims) {
    reservations.give_back(claim_key(pod, name), pod.uid);
  }
}

bool VolumeRestrictions::helps(const PodInfo& pod, const Change& change) const {
  const auto uses = [&pod](std::string_view key) {
    return std::any_of(pod.claims.begin(), pod.claims.end(),
                       [&](const std::string& name) { return claim_key(pod, name) == key; });
  };
  if (!change.claim.empty()) return uses(change.claim);
  if (change.pod == nullptr || !change.pod->disks.empty()) return true;
  return std::any_of(change.pod->claims.begin(), change.pod->claims.end(),
                     [&](const std::string& name) { return uses(claim_key(*change.pod, name)); });
}

}  // namespace coracle::scheduler
