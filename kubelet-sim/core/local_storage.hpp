// Limits on what a pod keeps on its node's disk: sizeLimit of emptyDir volumes, and the containers'
// limits of ephemeral-storage. Pure (upstream: pkg/kubelet/eviction, localStorageEviction).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"

namespace coracle::kubelet {

// Bytes, by name: files of containers' roots, and of emptyDir volumes.
struct StorageUse {
  std::map<std::string, std::int64_t> containers, empty_dirs;
};

// Whether over_storage_limit() could ever say something.
bool has_storage_limit(const json::value& pod);
// Why the pod must go, in upstream's words: the first of volumes, pod, containers; else nothing.
std::optional<std::string> over_storage_limit(const json::value& pod, const StorageUse& use);

}  // namespace coracle::kubelet
