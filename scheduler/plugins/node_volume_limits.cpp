#include "plugins/node_volume_limits.hpp"

#include <set>

namespace coracle::scheduler {
namespace {

struct Limit {
  DiskUse::Kind kind;
  const char* resource;
  std::int64_t fallback;
};
constexpr Limit kLimits[] = {
    {DiskUse::Kind::kEbs, "attachable-volumes-aws-ebs", 39},
    {DiskUse::Kind::kGce, "attachable-volumes-gce-pd", 16},
    {DiskUse::Kind::kAzure, "attachable-volumes-azure-disk", 16},
    {DiskUse::Kind::kCinder, "attachable-volumes-cinder", 256},
};

void collect(const PodInfo& pod, DiskUse::Kind kind, std::set<std::string>& ids) {
  for (const DiskUse& disk : pod.disks) {
    if (disk.kind == kind) ids.insert(disk.id);
  }
}

}  // namespace

Verdict NodeVolumeLimits::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  return pod.disks.empty() ? Verdict::skip() : Verdict::yes();
}

Verdict NodeVolumeLimits::filter(const PodInfo& pod, const NodeInfo& node,
                                 const PluginState*) const {
  for (const Limit& limit : kLimits) {
    std::set<std::string> ids;
    for (const PodPtr& other : node.pods()) collect(*other, limit.kind, ids);
    const size_t before = ids.size();
    collect(pod, limit.kind, ids);
    if (ids.size() == before) continue;
    const auto said = node.facts().volume_limits.find(limit.resource);
    const std::int64_t most =
        said == node.facts().volume_limits.end() ? limit.fallback : said->second;
    if (static_cast<std::int64_t>(ids.size()) > most) {
      return Verdict::not_now("node(s) exceed max volume count");
    }
  }
  return Verdict::yes();
}

}  // namespace coracle::scheduler
