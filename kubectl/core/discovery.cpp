#include "kubectl/discovery.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

std::vector<std::string> strings_at(const json::value& root, std::string_view path) {
  std::vector<std::string> out;
  for (const json::value& item : get_array(root, path)) {
    if (item.is_string()) out.emplace_back(item.as_string());
  }
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool named(const Resource& resource, const std::string& name) {
  return resource.plural == name || resource.singular == name ||
         contains(resource.short_names, name) || to_lower(resource.kind) == name;
}

}  // namespace

std::string Resource::object_name(std::string_view name) const {
  return to_lower(kind) + (group.empty() ? "" : "." + group) + "/" + std::string(name);
}

std::string Resource::path(std::string_view ns, std::string_view name,
                           std::string_view subresource) const {
  std::string out = (group.empty() ? "/api/" : "/apis/") + api_version();
  if (namespaced && !ns.empty()) out += "/namespaces/" + percent_encode(ns);
  out += "/" + plural;
  if (!name.empty()) out += "/" + percent_encode(name);
  if (!subresource.empty()) out += "/" + std::string(subresource);
  return out;
}

bool Resource::has_verb(std::string_view verb) const { return contains(verbs, verb); }

void Discovery::add(const json::value& document) {
  for (const json::value& group : get_array(document, "items")) {
    const std::string group_name(get_string(group, "metadata.name"));
    for (const json::value& version : get_array(group, "versions")) {
      const std::string version_name(get_string(version, "version"));
      api_versions_.push_back(group_name.empty() ? version_name : group_name + "/" + version_name);
      for (const json::value& entry : get_array(version, "resources")) {
        Resource resource;
        resource.group = group_name;
        resource.version = version_name;
        resource.plural = get_string(entry, "resource");
        resource.kind = get_string(entry, "responseKind.kind");
        resource.singular = get_string(entry, "singularResource");
        if (resource.singular.empty()) resource.singular = to_lower(resource.kind);
        resource.namespaced = get_string(entry, "scope") != "Cluster";
        resource.short_names = strings_at(entry, "shortNames");
        resource.categories = strings_at(entry, "categories");
        resource.verbs = strings_at(entry, "verbs");
        for (const json::value& sub : get_array(entry, "subresources")) {
          resource.subresources.emplace_back(get_string(sub, "subresource"));
        }
        resources_.push_back(std::move(resource));
      }
    }
  }
}

const Resource* Discovery::find(std::string_view text) const {
  const std::string lower = to_lower(text);
  for (const Resource& resource : resources_) {
    if (named(resource, lower)) return &resource;
  }
  const size_t dot = lower.find('.');
  if (dot == lower.npos) return nullptr;
  const std::string name = lower.substr(0, dot), rest = lower.substr(dot + 1);
  for (const Resource& resource : resources_) {
    if (!named(resource, name)) continue;
    if (rest == resource.group || rest == resource.version + "." + resource.group ||
        (resource.group.empty() && rest == resource.version)) {
      return &resource;
    }
  }
  // A part of a group's name will do: deploy.app is apps.
  for (const Resource& resource : resources_) {
    if (named(resource, name) && !resource.group.empty() && resource.group.find(rest) == 0) {
      return &resource;
    }
  }
  return nullptr;
}

const Resource* Discovery::find_kind(std::string_view api_version, std::string_view kind) const {
  for (const Resource& resource : resources_) {
    if (resource.kind == kind && resource.api_version() == api_version) return &resource;
  }
  return nullptr;
}

std::vector<const Resource*> Discovery::category(std::string_view name) const {
  std::vector<const Resource*> out;
  for (const Resource& resource : resources_) {
    if (!contains(resource.categories, name)) continue;
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Resource* other) {
      return other->group_resource() == resource.group_resource();
    });
    if (!seen) out.push_back(&resource);
  }
  return out;
}

std::string printed_kind(const json::value& object) {
  const auto [group, version] = api::split_api_version(api::api_version_of(object));
  std::string out = to_lower(api::kind_of(object));
  if (!group.empty()) out += "." + std::string(group);
  return out;
}

std::string printed_name(const json::value& object) {
  return printed_kind(object) + "/" + std::string(api::name_of(object));
}

}  // namespace coracle::kubectl
