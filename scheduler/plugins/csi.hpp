// What CSI drivers say about where their volumes can be: how many a node takes (CSINode), and where
// there is room to make one (CSIStorageCapacity). For plugins. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/snapshot.hpp"

namespace coracle::scheduler {

struct CsiVolume {
  std::string driver;
  std::string handle;  // of a claim without a volume: the claim
  friend auto operator<=>(const CsiVolume&, const CsiVolume&) = default;
};
// The volumes behind a pod's claims, those that are still to be made included.
std::set<CsiVolume> csi_volumes_of(const PodInfo& pod, const Snapshot& world);
// How many volumes of a driver the node takes; nothing: nobody says.
std::optional<std::int64_t> csi_limit(const Snapshot& world, const std::string& node,
                                      const std::string& driver);

// Where there is room to make a volume for a claim, worked out once for all nodes. O(capacities) to
// make, O(capacities of the class with room) to ask. A value.
class CsiRoom {
 public:
  CsiRoom(const Snapshot& world, const json::value& claim, const json::value& storage_class);
  // True when the driver does not publish where it has room.
  bool is_near(const NodeFacts& node) const;

 private:
  bool published_ = false;
  std::vector<api::LabelSelector> topologies_;  // of the capacities that are enough
};

}  // namespace coracle::scheduler
