// From a pod's spec to what the starter is told: users, groups, capabilities, mounts, limits. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet_runtime/process_runtime.hpp"

namespace coracle::kubelet {

struct ContainerInput {
  const json::value& pod;
  const json::value& container;
  const ImageBehaviour& image;
  const Environment& environment;  // as container_environment() made it
  const PodPlace& place;
  std::string hostname, image_tag;
  bool isolated = true;
  std::int64_t first_outside_id = 0, outside_ids = 0;
  std::string root;                            // of the container
  std::map<std::string, std::string> volumes;  // name -> folder outside
  std::string termination_log;                 // file outside
  std::string etc;                             // folder of hosts, hostname, resolv.conf
};

// FailedPrecondition: the message of CreateContainerConfigError.
Result<ContainerStart> container_start(const ContainerInput& input);

// The group that owns the pod's volumes; -1: none is said.
std::int64_t fs_group(const json::value& pod);

}  // namespace coracle::kubelet
