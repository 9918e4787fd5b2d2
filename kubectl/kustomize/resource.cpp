#include "kustomize/resource.hpp"

#include <algorithm>
#include <array>

#include "api/catalog.hpp"
#include "api/object.hpp"

namespace coracle::kustomize {

bool Resource::was_named(std::string_view name) const {
  return get_string(object, "metadata.name") == name ||
         std::find(names.begin(), names.end(), name) != names.end();
}

void Resource::rename(const std::string& name) {
  names.push_back(this->name());
  set_path(object, "metadata.name", json::value(name));
}

bool is_cluster_scoped(const json::value& object) {
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(object);
  return info != nullptr && !info->namespaced;
}

std::pair<std::string, std::string> group_version(const json::value& object) {
  const api::GroupVersion both = api::split_api_version(get_string(object, "apiVersion"));
  return {std::string(both.group), std::string(both.version)};
}

void visit_path(json::value& root, std::string_view path, bool make,
                const std::function<void(json::value&)>& visit) {
  if (path.empty()) return visit(root);
  const size_t dot = path.find('.');
  std::string_view step = path.substr(0, dot);
  const std::string_view rest = dot == path.npos ? std::string_view() : path.substr(dot + 1);
  const bool each = step.ends_with("[]");
  if (each) step.remove_suffix(2);
  if (root.is_null() && make) root.emplace_object();
  if (!root.is_object()) return;
  json::object& object = root.as_object();
  if (!object.contains(step)) {
    if (!make || each) return;
    object[step] = nullptr;
  }
  json::value& next = object[step];
  if (!each) return visit_path(next, rest, make, visit);
  if (!next.is_array()) return;
  for (json::value& element : next.as_array()) visit_path(element, rest, make, visit);
}

std::string pod_spec_of(std::string_view kind) {
  if (kind == "Pod") return "spec";
  if (kind == "PodTemplate") return "template.spec";
  if (kind == "CronJob") return "spec.jobTemplate.spec.template.spec";
  constexpr std::array<std::string_view, 6> kTemplates = {
      "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"};
  const bool has = std::find(kTemplates.begin(), kTemplates.end(), kind) != kTemplates.end();
  return has ? "spec.template.spec" : "";
}

}  // namespace coracle::kustomize
