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

// A decision reads a world that stands still, so what pre_filter saw may be looked up later.
struct Disks final : PluginState {
  const Snapshot* world = nullptr;
  std::vector<const DiskUse*> wanted;
};

void collect(const std::vector<const DiskUse*>& disks, DiskUse::Kind kind,
             std::set<std::string>& ids) {
  for (const DiskUse* disk : disks) {
    if (disk->kind == kind) ids.insert(disk->id);
  }
}

}  // namespace

Verdict NodeVolumeLimits::pre_filter(const PodInfo& pod, const Snapshot& world,
                                     StatePtr* state) const {
  auto disks = std::make_unique<Disks>();
  disks->world = &world;
  disks->wanted = world.disks_of(pod);
  if (disks->wanted.empty()) return Verdict::skip();
  *state = std::move(disks);
  return Verdict::yes();
}

Verdict NodeVolumeLimits::filter(const PodInfo&, const NodeInfo& node,
                                 const PluginState* state) const {
  const auto& disks = static_cast<const Disks&>(*state);
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
