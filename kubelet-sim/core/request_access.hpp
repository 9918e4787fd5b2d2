// Which right on the node's object a request to its kubelet needs (upstream:
// pkg/kubelet/server/auth.go). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::kubelet {

struct RequestAccess {
  std::string verb;                       // of the API; empty for a method it has none for
  std::vector<std::string> subresources;  // of nodes/NAME: one of them is enough
};
RequestAccess access_of(std::string_view method, std::string_view path);

}  // namespace coracle::kubelet
