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

  // Null when it is not there.
  static const json::value* find(const std::map<std::string, SharedObject>& objects,
                                 std::string_view key) {
    const auto found = objects.find(std::string(key));
    return found == objects.end() ? nullptr : found->second.get();
  }
};

// What must be written before a pod may be bound: a merge patch that names the version it is of.
struct PreBindWrite {
  bool is_claim = false;  // else a PersistentVolume
  std::string ns, name;
  json::value patch;
};

}  // namespace coracle::scheduler
