#include "kubelet/static_pod.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/yaml.hpp"

namespace coracle::kubelet {
namespace {

constexpr char kHash[] = "kubernetes.io/config.hash";
constexpr char kSource[] = "kubernetes.io/config.source";
constexpr char kMirror[] = "kubernetes.io/config.mirror";

}  // namespace

Result<json::value> read_static_pod(const std::string& manifest, const std::string& file,
                                    const std::string& node) {
  ASSIGN_OR_RETURN(json::value pod, parse_yaml_one(manifest));
  if (api::kind_of(pod) != "Pod" || api::api_version_of(pod) != "v1") {
    return invalid_argument("it is no Pod of v1");
  }
  const std::string name(api::name_of(pod));
  if (name.empty()) return invalid_argument("metadata.name: Required value");
  if (get_array(pod, "spec.containers").empty()) {
    return invalid_argument("spec.containers: Required value");
  }
  if (find(pod, "spec.ephemeralContainers") != nullptr) {
    return invalid_argument("spec.ephemeralContainers: static pods cannot have any");
  }
  const std::string hash =
      hex_encode(sha256(fmt::format("{}\n{}\n{}", node, file, to_json(pod)))).substr(0, 32);
  set_path(pod, "metadata.name", json::value(name + "-" + node));
  if (api::namespace_of(pod).empty()) set_path(pod, "metadata.namespace", json::value("default"));
  set_path(pod, "metadata.uid", json::value(hash));
  erase_key(pod.get_object(), "status");
  api::set_annotation(pod, kHash, hash);
  api::set_annotation(pod, kSource, "file");
  set_path(pod, "spec.nodeName", json::value(node));
  json::array tolerations = get_array(pod, "spec.tolerations");
  tolerations.push_back(json::object({{"operator", "Exists"}, {"effect", "NoExecute"}}));
  set_path(pod, "spec.tolerations", std::move(tolerations));
  return pod;
}

json::value mirror_of(const json::value& static_pod, const std::string& node_uid) {
  json::value mirror = static_pod;
  api::set_annotation(mirror, kMirror, api::annotation_of(static_pod, kHash));
  json::object& metadata = make_object(mirror, "metadata");
  for (const char* ours : {"uid", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    erase_key(metadata, ours);
  }
  json::object owner{{"apiVersion", "v1"},
                     {"kind", "Node"},
                     {"name", get_string(static_pod, "spec.nodeName")},
                     {"uid", node_uid},
                     {"controller", true}};
  json::array owners;
  owners.push_back(std::move(owner));
  metadata["ownerReferences"] = std::move(owners);
  return mirror;
}

std::string mirrored_uid(const json::value& pod) {
  return std::string(api::annotation_of(pod, kMirror));
}

}  // namespace coracle::kubelet
