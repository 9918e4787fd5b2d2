#include "kustomize/transforms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace coracle::kustomize {
namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void put_all(const json::object& pairs, json::value& into) {
  if (!into.is_object()) into.emplace_object();
  for (const auto& [key, value] : pairs) into.as_object()[key] = value;
}

// The path of a kind's pod template; empty: it has none.
std::string template_of(std::string_view kind) {
  const std::string spec = pod_spec_of(kind);
  return spec == "spec" || spec.empty() ? "" : spec.substr(0, spec.rfind('.'));
}

// Labels where selectors are, so that they go on matching.
void label_selectors(const json::object& labels, Resource& resource) {
  const std::string kind = resource.kind();
  const auto put = [&](const std::string& path, bool make) {
    visit_path(resource.object, path, make, [&](json::value& into) { put_all(labels, into); });
  };
  if (one_of(kind, {"Service", "ReplicationController"})) {
    const json::value* spec = find(resource.object, "spec");
    put("spec.selector", kind == "Service" ? spec != nullptr : true);
  }
  if (one_of(kind, {"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"})) {
    put("spec.selector.matchLabels", true);
  }
  if (one_of(kind, {"Job", "PodDisruptionBudget"})) put("spec.selector.matchLabels", false);
  if (kind == "CronJob") put("spec.jobTemplate.spec.selector.matchLabels", false);
  if (kind == "NetworkPolicy") {
    put("spec.podSelector.matchLabels", false);
    put("spec.ingress[].from[].podSelector.matchLabels", false);
    put("spec.egress[].to[].podSelector.matchLabels", false);
  }
  if (kind == "StatefulSet") put("spec.volumeClaimTemplates[].metadata.labels", true);
  const std::string spec = pod_spec_of(kind);
  if (!one_of(kind, {"Deployment", "StatefulSet"})) return;
  for (const char* affinity : {"podAffinity", "podAntiAffinity"}) {
    put(fmt::format("{}.affinity.{}.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector"
                    ".matchLabels",
                    spec, affinity),
        false);
    put(fmt::format("{}.affinity.{}.preferredDuringSchedulingIgnoredDuringExecution[]"
                    ".podAffinityTerm.labelSelector.matchLabels",
                    spec, affinity),
        false);
  }
  put(spec + ".topologySpreadConstraints[].labelSelector.matchLabels", false);
}

void put_in_templates(const json::object& pairs, const char* member, Resource& resource) {
  const std::string kind = resource.kind(), path = template_of(kind);
  if (path.empty()) return;
  const auto put = [&](const std::string& at) {
    visit_path(resource.object, at + ".metadata." + member, true,
               [&](json::value& into) { put_all(pairs, into); });
  };
  put(path);
  if (kind == "CronJob") put("spec.jobTemplate");
}

struct ImageEdit {
  std::string name, new_name, tag, digest;
};

// "nginx:1.2@sha256:x" is name, then tag and digest with their separators.
std::string with_image(const std::string& image, const ImageEdit& edit) {
  const size_t at = image.find('@');
  const std::string without = image.substr(0, at);
  const size_t slash = without.rfind('/');
  const size_t colon = without.find(':', slash == without.npos ? 0 : slash);
  if (without.substr(0, colon) != edit.name) return image;
  const std::string name = edit.new_name.empty() ? edit.name : edit.new_name;
  if (!edit.tag.empty() && !edit.digest.empty()) {
    return fmt::format("{}:{}@{}", name, edit.tag, edit.digest);
  }
  if (!edit.digest.empty()) return name + "@" + edit.digest;
  if (!edit.tag.empty()) return name + ":" + edit.tag;
  return name + image.substr(colon == without.npos ? without.size() : colon);
}

// In every list of containers, however deep: custom kinds have pods too.
void edit_images(json::value& value, const ImageEdit& edit) {
  if (value.is_array()) {
    for (json::value& element : value.as_array()) edit_images(element, edit);
  }
  if (!value.is_object()) return;
  for (auto& [key, member] : value.as_object()) {
    const bool containers = one_of(key, {"containers", "initContainers"}) && member.is_array();
    for (size_t i = 0; containers && i < member.as_array().size(); ++i) {
      json::value& container = member.as_array()[i];
      const std::string image(get_string(container, "image"));
      if (!image.empty()) container.as_object()["image"] = with_image(image, edit);
    }
    edit_images(member, edit);
  }
}

constexpr std::array<std::string_view, 20> kFirst = {"Namespace",
                                                     "ResourceQuota",
                                                     "StorageClass",
                                                     "CustomResourceDefinition",
                                                     "ServiceAccount",
                                                     "PodSecurityPolicy",
                                                     "Role",
                                                     "ClusterRole",
                                                     "RoleBinding",
                                                     "ClusterRoleBinding",
                                                     "ConfigMap",
                                                     "Secret",
                                                     "Endpoints",
                                                     "Service",
                                                     "LimitRange",
                                                     "PriorityClass",
                                                     "PersistentVolume",
                                                     "PersistentVolumeClaim",
                                                     "Deployment",
                                                     "StatefulSet"};
constexpr std::array<std::string_view, 2> kThen = {"CronJob", "PodDisruptionBudget"};

int place_of(std::string_view kind) {
  const auto first = std::find(kFirst.begin(), kFirst.end(), kind);
  if (first != kFirst.end()) return static_cast<int>(first - kFirst.begin());
  const auto then = std::find(kThen.begin(), kThen.end(), kind);
  if (then != kThen.end()) return 50 + static_cast<int>(then - kThen.begin());
  return one_of(kind, {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}) ? 200
                                                                                          : 100;
}

}  // namespace

void add_affixes(const std::string& prefix, const std::string& suffix, Resources& resources) {
  if (prefix.empty() && suffix.empty()) return;
  for (Resource& resource : resources) {
    if (one_of(resource.kind(), {"Namespace", "CustomResourceDefinition", "APIService"})) continue;
    resource.rename(prefix + resource.name() + suffix);
  }
}

void set_namespace(const std::string& ns, Resources& resources) {
  if (ns.empty()) return;
  for (Resource& resource : resources) {
    const std::string kind = resource.kind();
    if (kind == "Namespace") {
      if (resource.name() != ns) resource.rename(ns);
    } else if (!is_cluster_scoped(resource.object)) {
      set_path(resource.object, "metadata.namespace", json::value(ns));
    }
    if (!one_of(kind, {"RoleBinding", "ClusterRoleBinding"})) continue;
    visit_path(resource.object, "subjects[]", false, [&](json::value& subject) {
      const bool named_default = get_string(subject, "kind") == "ServiceAccount" &&
                                 get_string(subject, "name") == "default";
      if (named_default) subject.as_object()["namespace"] = ns;
    });
  }
}

void add_labels(const json::object& labels, LabelWhere where, Resources& resources) {
  for (Resource& resource : resources) {
    put_all(labels, make_object(resource.object, "metadata")["labels"]);
    if (where.selectors || where.templates) put_in_templates(labels, "labels", resource);
    if (where.selectors) label_selectors(labels, resource);
  }
}

void add_annotations(const json::object& annotations, Resources& resources) {
  for (Resource& resource : resources) {
    put_all(annotations, make_object(resource.object, "metadata")["annotations"]);
    put_in_templates(annotations, "annotations", resource);
  }
}

void set_images(const json::value& entry, Resources& resources) {
  const json::value* tag = find(entry, "newTag");
  ImageEdit edit{std::string(get_string(entry, "name")), std::string(get_string(entry, "newName")),
                 "", std::string(get_string(entry, "digest"))};
  if (tag != nullptr) {
    edit.tag = tag->is_string() ? std::string(tag->as_string()) : json::serialize(*tag);
  }
  for (Resource& resource : resources) edit_images(resource.object, edit);
}

Status set_replicas(const json::value& entry, Resources& resources) {
  const std::string name(get_string(entry, "name"));
  bool found = false;
  for (Resource& resource : resources) {
    const bool scales = one_of(
        resource.kind(), {"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"});
    if (!scales || !resource.was_named(name)) continue;
    set_path(resource.object, "spec.replicas", json::value(get_int(entry, "count")));
    found = true;
  }
  if (found) return {};
  return not_found(
      fmt::format("replicas: no Deployment, ReplicaSet, StatefulSet or "
                  "ReplicationController is named {}",
                  name));
}

void sort_for_creation(Resources& resources) {
  const auto key = [](const Resource& r) {
    const auto [group, version] = group_version(r.object);
    return std::tuple(place_of(r.kind()), group, version, r.kind(), r.ns(), r.name());
  };
  std::stable_sort(resources.begin(), resources.end(),
                   [&](const Resource& a, const Resource& b) { return key(a) < key(b); });
}

}  // namespace coracle::kustomize
