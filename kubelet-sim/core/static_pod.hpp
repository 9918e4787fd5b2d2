// Static pods: pods of manifest files on a node, which the API only mirrors. Pure (upstream:
// pkg/kubelet/config/common.go, pkg/kubelet/pod/mirror_client.go).
#pragma once

#include <string>

#include "base/json.hpp"

namespace coracle::kubelet {

// The pod a manifest means on that node: its name gets the node's behind it, its uid is a hash of
// what it is and where, it tolerates every NoExecute taint. InvalidArgument says what is wrong.
Result<json::value> read_static_pod(const std::string& manifest, const std::string& file,
                                    const std::string& node);
// What stands for it in the API, owned by the Node.
json::value mirror_of(const json::value& static_pod, const std::string& node_uid);
// Of a mirror: the uid of its static pod; empty of other pods.
std::string mirrored_uid(const json::value& pod);

}  // namespace coracle::kubelet
