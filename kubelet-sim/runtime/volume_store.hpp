// Volumes of files on disk, as the kubelet lays them out so that readers see all of an update or
// nothing of it: the files in a folder "..TIME", a link "..data" to it that is replaced by rename,
// and a link for each top name through "..data".
#pragma once

#include <string>
#include <vector>

#include "kubelet/pod_volumes.hpp"
#include "kubelet_runtime/files.hpp"

namespace coracle::kubelet {

// Writes the files if they are others than those that are there; `stamp` names the folder and must
// be new each time. `group_reads`: the owner's group is the pod's fsGroup, which reads all. Returns
// whether it wrote. InvalidArgument for a path that leaves the volume.
Result<bool> write_volume(const std::string& folder, const std::vector<VolumeFile>& files,
                          Owner owner, bool group_reads, const std::string& stamp);

}  // namespace coracle::kubelet
