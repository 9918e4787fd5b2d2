#include "plugins/csi.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "api/volume_match.hpp"

namespace coracle::scheduler {
namespace {

std::optional<CsiVolume> volume_of(const std::string& claim_key, const Snapshot& world) {
  const json::value* claim = Storage::find(world.storage.claims, claim_key);
  if (claim == nullptr) return std::nullopt;
  // A volume that is not there counts as one that is still to be made.
  const json::value* volume =
      Storage::find(world.storage.volumes, get_string(*claim, "spec.volumeName"));
  if (volume == nullptr) {
    const json::value* storage_class =
        Storage::find(world.storage.classes, api::storage_class_of_claim(*claim));
    if (storage_class == nullptr) return std::nullopt;
    return CsiVolume{std::string(get_string(*storage_class, "provisioner")), "claim/" + claim_key};
  }
  const json::value* csi = find(*volume, "spec.csi");
  if (csi == nullptr) return std::nullopt;
  return CsiVolume{std::string(get_string(*csi, "driver")),
                   std::string(get_string(*csi, "volumeHandle"))};
}

// The largest volume if the driver says so, else all that is free.
bool is_enough(const json::value& capacity, const api::Quantity& size) {
  for (const char* member : {"maximumVolumeSize", "capacity"}) {
    const auto room = api::Quantity::parse(get_string(capacity, member));
    if (room.ok()) return !(*room < size);
  }
  return false;
}

}  // namespace

std::set<CsiVolume> csi_volumes_of(const PodInfo& pod, const Snapshot& world) {
  std::set<CsiVolume> volumes;
  for (const auto* names : {&pod.claims, &pod.ephemeral_claims}) {
    for (const std::string& name : *names) {
      if (auto volume = volume_of(pod.ns + "/" + name, world)) volumes.insert(std::move(*volume));
    }
  }
  return volumes;
}

std::optional<std::int64_t> csi_limit(const Snapshot& world, const std::string& node,
                                      const std::string& driver) {
  const json::value* csi_node = Storage::find(world.storage.csi_nodes, node);
  if (csi_node == nullptr) return std::nullopt;
  for (const json::value& entry : get_array(*csi_node, "spec.drivers")) {
    if (get_string(entry, "name") != driver) continue;
    const json::value* count = find(entry, "allocatable.count");
    if (count == nullptr || !count->is_int64()) return std::nullopt;
    return count->as_int64();
  }
  return std::nullopt;
}

CsiRoom::CsiRoom(const Snapshot& world, const json::value& claim,
                 const json::value& storage_class) {
  const json::value* driver =
      Storage::find(world.storage.csi_drivers, get_string(storage_class, "provisioner"));
  published_ = driver != nullptr && get_bool(*driver, "spec.storageCapacity");
  if (!published_) return;
  const std::string_view name = api::name_of(storage_class);
  const api::Quantity size = api::asked_size(claim);
  for (const auto& [key, capacity] : world.storage.capacities) {
    if (get_string(*capacity, "storageClassName") != name || !is_enough(*capacity, size)) continue;
    const json::value* topology = find(*capacity, "nodeTopology");
    if (topology == nullptr || !topology->is_object()) continue;  // nowhere
    auto selector = api::LabelSelector::from_object(topology);
    if (selector.ok()) topologies_.push_back(*std::move(selector));
  }
}

bool CsiRoom::is_near(const NodeFacts& node) const {
  return !published_ || std::any_of(topologies_.begin(), topologies_.end(),
                                    [&](const auto& t) { return t.matches(node.labels); });
}

}  // namespace coracle::scheduler
