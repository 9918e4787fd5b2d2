#include "plugins/node_volume_limits.hpp"

#include <map>
#include <set>

#include "plugins/csi.hpp"

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

// A decision reads a world that stands still, so what pre_filter saw may be looked up later.
struct Disks final : PluginState {
  const Snapshot* world = nullptr;
  std::vector<const DiskUse*> wanted;
  std::set<CsiVolume> csi;
};

void collect(const std::vector<const DiskUse*>& disks, DiskUse::Kind kind,
             std::set<std::string>& ids) {
  for (const DiskUse* disk : disks) {
    if (disk->kind == kind) ids.insert(disk->id);
  }
}

// Volumes that are there already take no place.
bool exceeds_csi_limit(const NodeInfo& node, const Disks& disks) {
  std::map<std::string, std::int64_t> limits;  // by driver
  for (const CsiVolume& wanted : disks.csi) {
    const auto limit = csi_limit(*disks.world, node.name(), wanted.driver);
    if (limit) limits.emplace(wanted.driver, *limit);
  }
  if (limits.empty()) return false;
  std::set<CsiVolume> there;
  for (const PodPtr& other : node.pods()) there.merge(csi_volumes_of(*other, *disks.world));
  std::set<CsiVolume> all = disks.csi;
  all.insert(there.begin(), there.end());
  std::map<std::string, std::int64_t> counts;
  for (const CsiVolume& volume : all) ++counts[volume.driver];
  for (const CsiVolume& wanted : disks.csi) {
    if (there.contains(wanted)) continue;
    const auto limit = limits.find(wanted.driver);
    if (limit != limits.end() && counts[wanted.driver] > limit->second) return true;
  }
  return false;
}

}  // namespace

Verdict NodeVolumeLimits::pre_filter(const PodInfo& pod, const Snapshot& world,
                                     StatePtr* state) const {
  auto disks = std::make_unique<Disks>();
  disks->world = &world;
  disks->wanted = world.disks_of(pod);
  disks->csi = csi_volumes_of(pod, world);
  if (disks->wanted.empty() && disks->csi.empty()) return Verdict::skip();
  *state = std::move(disks);
  return Verdict::yes();
}

Verdict NodeVolumeLimits::filter(const PodInfo&, const NodeInfo& node,
                                 const PluginState* state) const {
  const auto& disks = static_cast<const Disks&>(*state);
  if (exceeds_csi_limit(node, disks)) return Verdict::not_now("node(s) exceed max volume count");
  if (disks.wanted.empty()) return Verdict::yes();
  std::vector<const DiskUse*> there;
  for (const PodPtr& other : node.pods()) {
    for (const DiskUse* disk : disks.world->disks_of(*other)) there.push_back(disk);
  }
  for (const Limit& limit : kLimits) {
    std::set<std::string> ids;
    collect(there, limit.kind, ids);
    const size_t before = ids.size();
    collect(disks.wanted, limit.kind, ids);
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

// Who leaves must have had disks.
bool NodeVolumeLimits::helps(const PodInfo&, const Change& change) const {
  return change.pod == nullptr || !change.pod->disks.empty() || !change.pod->claims.empty() ||
         !change.pod->ephemeral_claims.empty();
}

}  // namespace coracle::scheduler
