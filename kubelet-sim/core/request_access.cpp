#include "kubelet/request_access.hpp"

namespace coracle::kubelet {
namespace {

bool is_under(std::string_view path, std::string_view root) {
  return path == root || (path.starts_with(root) && path[root.size()] == '/');
}

std::string verb_of(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  return method == "DELETE" ? "delete" : "";
}

}  // namespace

RequestAccess access_of(std::string_view method, std::string_view path) {
  RequestAccess access{verb_of(method), {}};
  // These stand alone: who may only proxy may not read them.
  for (const auto& [root, subresource] :
       {std::pair{"/stats", "stats"}, std::pair{"/metrics", "metrics"}, std::pair{"/logs", "log"},
        std::pair{"/checkpoint", "checkpoint"}}) {
    if (!is_under(path, root)) continue;
    access.subresources = {subresource};
    return access;
  }
  for (const auto& [root, subresource] :
       {std::pair{"/healthz", "healthz"}, std::pair{"/configz", "configz"},
        std::pair{"/pods", "pods"}, std::pair{"/runningpods", "pods"}}) {
    if (is_under(path, root)) access.subresources = {subresource};
  }
  access.subresources.emplace_back("proxy");
  return access;
}

}  // namespace coracle::kubelet
