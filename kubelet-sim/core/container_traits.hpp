// What a pod's machine says of a container to the container's machine. Plain values.
#pragma once

#include <string>

#include "base/clock.hpp"

namespace coracle::kubelet {

enum class RestartPolicy { kAlways, kOnFailure, kNever };

struct ContainerTraits {
  RestartPolicy policy = RestartPolicy::kAlways;
  bool asks = false, real = false;
  std::string pod_id;      // names the pod in messages
  std::string field_path;  // "spec.containers{web}"
  Duration grace = std::chrono::seconds(30);
  bool after_inits = false;  // of a pod with init containers: it waits as PodInitializing
  bool lost = false;         // what its status calls running went with its machine
};

}  // namespace coracle::kubelet
