// Who may pull an image of a scripted registry: whoever has a pull secret with a user and password
// of the image's catalog entry, for its registry. Pure.
#pragma once

#include <string>

#include "kubelet/pod_environment.hpp"

namespace coracle::kubelet {

// The host of the registry: "docker.io" when the reference names none.
std::string registry_of(std::string_view reference);

// PermissionDenied in containerd's words. `sources.secrets`: the pull secrets, decoded, of type
// kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg.
Status may_pull(std::string_view reference, const ImageBehaviour& image, const Sources& sources);

}  // namespace coracle::kubelet
