// The root folder of a container: what every image has (busybox's commands, users, devices), and
// what the catalog says its own image has. A folder on disk that the starter makes the container's
// "/".
//
// One folder of commands is shared by all containers of this process, read-only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "kubelet/image_catalog.hpp"
#include "kubelet_runtime/files.hpp"
#include "kubelet_runtime/start_order.hpp"

namespace coracle::kubelet {

struct RootTools {
  std::string busybox;    // "/usr/bin/busybox"
  std::string lab_image;  // beside our own program
  std::string commands;   // the shared folder
  bool isolated = true;   // else paths are the machine's
};

// Makes the shared folder; the names are what busybox says it can.
Status make_commands(const RootTools& tools, const std::vector<std::string>& applets);

struct RootWanted {
  std::string path;
  const ImageBehaviour& image;
  Owner owner;
  std::string working_dir;
  std::vector<BindMount> mounts;  // mount points are made for them: folders, or files
};
// Anew; what was there is removed. Returns the mounts with those every container has.
Result<std::vector<BindMount>> make_container_root(const RootTools& tools,
                                                   const RootWanted& wanted);

}  // namespace coracle::kubelet
