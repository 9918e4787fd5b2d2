// Storage: what placement reads of claims, volumes and classes as they are. Pure data; the owner is
// the cache's Snapshot.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::scheduler {

using SharedObject = std::shared_ptr<const json::value>;

struct Storage {
  std::map<std::string, SharedObject> claims;   // by "namespace/name"
  std::map<std::string, SharedObject> volumes;  // by name
  std::map<std::string, SharedObject> classes;  // by name
  // What CSI drivers say: CSINodes by node, CSIDrivers by name, CSIStorageCapacities by
  // "namespace/name".
  std::map<std::string, SharedObject> csi_nodes, csi_drivers, capacities;

  // Null when it is not there.
  static const json::value* find(const std::map<std::string, SharedObject>& objects,
                                 std::string_view key) {
    const auto found = objects.find(std::string(key));
    return found == objects.end() ? nullptr : found->second.get();
  }
};

// What must be written before a pod may be bound, or when it cannot be: a patch that names the
// version or the uid of what it is for.
struct PreBindWrite {
  enum class Target { kVolume, kClaim, kDeviceClaim };  // what it changes
  Target target = Target::kVolume;
  std::string ns, name;
  std::string subresource;
  json::value patch;  // a merge patch; of a kDeviceClaim a strategic one
};
using Writes = std::vector<PreBindWrite>;  // in their order

}  // namespace coracle::scheduler
