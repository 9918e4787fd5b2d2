// The environment, command and working directory of a container, from everything a pod can name
// (upstream: pkg/kubelet/kubelet_pods.go makeEnvironmentVariables). Pure: what was looked up is an
// argument.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "kubelet/image_catalog.hpp"

namespace coracle::kubelet {

struct PodPlace {
  std::string host_ip, pod_ip;
};

// What a pod refers to, by name in its own namespace; null: it is not there.
struct Sources {
  std::map<std::string, json::value, std::less<>> config_maps, secrets;
  std::vector<json::value> services;  // of its namespace, and "kubernetes" of default
};

// The names a pod's volumes and containers refer to, as far as they matter to what is asked.
struct SourceNames {
  std::set<std::string> config_maps, secrets;
  bool empty() const { return config_maps.empty() && secrets.empty(); }
};
SourceNames environment_sources(const json::value& container);

using Environment = std::vector<std::pair<std::string, std::string>>;

struct NodeResources {
  std::string cpu, memory, ephemeral_storage;  // quantities, the defaults of resourceFieldRef
};

struct EnvironmentInput {
  const json::value& pod;
  const json::value& container;
  const PodPlace& place;
  const NodeResources& node;
  const Sources& sources;
};

// FailedPrecondition: the message of CreateContainerConfigError, in upstream's words.
Result<Environment> container_environment(const EnvironmentInput& input);

// "$(NAME)" by the environment, "$$(NAME)" is "$(NAME)"; what is not there stays. `missing`, if
// given, gets the names that are not there or empty.
std::string expand(std::string_view text, const Environment& environment,
                   std::set<std::string>* missing = nullptr);

// spec.command and args over the image's entrypoint and cmd, expanded.
std::vector<std::string> container_command(const json::value& container,
                                           const ImageBehaviour& image,
                                           const Environment& environment);

// The value of a field path ("metadata.labels['app']", "status.podIP"); InvalidArgument otherwise.
Result<std::string> pod_field(const json::value& pod, const PodPlace& place, std::string_view path);
// limits.cpu, requests.memory and the like, in units of the divisor.
Result<std::string> resource_field(const json::value& pod, const json::value& selector,
                                   const json::value& container, const NodeResources& node);

}  // namespace coracle::kubelet
