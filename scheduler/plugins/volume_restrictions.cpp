#include "plugins/volume_restrictions.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

constexpr const char* kDiskTaken = "node(s) had no available disk";
constexpr const char* kClaimTaken =
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

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

Verdict VolumeRestrictions::pre_filter(const PodInfo& pod, const Snapshot& world, StatePtr*) const {
  std::vector<std::string> exclusive;
  for (const std::string& claim : pod.claims) {
    const auto facts = world.claims.find(pod.ns + "/" + claim);
    if (facts != world.claims.end() && facts->second.one_pod_only) {
      exclusive.push_back(claim);
    }
  }
  if (pod.disks.empty() && exclusive.empty()) return Verdict::skip();
  // Such a claim, held on whatever node, rules out all of them.
  for (const NodeInfo& node : world.nodes) {
    if (exclusive.empty()) break;
    for (const PodPtr& other : node.pods()) {
      if (other->ns != pod.ns) continue;
      for (const std::string& name : exclusive) {
        if (std::find(other->claims.begin(), other->claims.end(), name) != other->claims.end()) {
          return Verdict::not_now(kClaimTaken);
        }
      }
    }
  }
  return Verdict::yes();
}

Verdict VolumeRestrictions::filter(const PodInfo& pod, const NodeInfo& node,
                                   const PluginState*) const {
  for (const DiskUse& disk : pod.disks) {
    for (const PodPtr& other : node.pods()) {
      for (const DiskUse& taken : other->disks) {
        if (clash(disk, taken)) return Verdict::not_now(kDiskTaken);
      }
    }
  }
  return Verdict::yes();
}

bool VolumeRestrictions::helps(const PodInfo&, const Change& change) const {
  return change.pod == nullptr || !change.pod->disks.empty() || !change.pod->claims.empty();
}

}  // namespace coracle::scheduler
