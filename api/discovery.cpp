#include "api/discovery.hpp"

#include "api/object.hpp"
#include "base/encoding.hpp"

namespace coracle::api {

namespace {

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

json::object group_object(const GroupInfo& group) {
  json::object out;
  out["name"] = group.name;
  json::array versions;
  for (const std::string& version : group.versions) {
    json::object entry;
    entry["groupVersion"] = join_api_version(group.name, version);
    entry["version"] = version;
    versions.push_back(std::move(entry));
  }
  out["preferredVersion"] = versions.at(0);
  out["versions"] = std::move(versions);
  // Upstream's order of members.
  json::object ordered;
  for (std::string_view key : {"name", "versions", "preferredVersion"}) ordered[key] = out[key];
  return ordered;
}

// Tells a client that what is stored has changed its version.
std::string storage_version_hash(const Catalog& catalog, const ResourceInfo& info) {
  const ResourceInfo* stored = catalog.storage_of(info);
  if (stored == nullptr) stored = &info;
  return base64_encode(
      sha256(stored->group + "/" + stored->version + "/" + stored->kind).substr(0, 8));
}

json::object legacy_resource(const Catalog& catalog, const ResourceInfo& info) {
  json::object out;
  out["name"] = info.plural;
  out["singularName"] = info.singular;
  out["namespaced"] = info.namespaced;
  out["kind"] = info.kind;
  out["verbs"] = list_of(info.verbs);
  if (!info.short_names.empty()) out["shortNames"] = list_of(info.short_names);
  if (!info.categories.empty()) out["categories"] = list_of(info.categories);
  if (info.has_verb("watch")) out["storageVersionHash"] = storage_version_hash(catalog, info);
  return out;
}

json::object legacy_subresource(const ResourceInfo& info, const Subresource& sub) {
  json::object out;
  out["name"] = info.plural + "/" + sub.name;
  out["singularName"] = "";
  out["namespaced"] = info.namespaced;
  if (!sub.version.empty()) {
    if (!sub.group.empty()) out["group"] = sub.group;
    out["version"] = sub.version;
  }
  out["kind"] = sub.kind.empty() ? info.kind : sub.kind;
  out["verbs"] = list_of(sub.verbs);
  return out;
}

json::object response_kind(std::string_view group, std::string_view version,
                           std::string_view kind) {
  json::object out;
  out["group"] = group;
  out["version"] = version;
  out["kind"] = kind;
  return out;
}

json::object aggregated_resource(const ResourceInfo& info) {
  json::object out;
  out["resource"] = info.plural;
  out["responseKind"] = response_kind(info.group, info.version, info.kind);
  out["scope"] = info.namespaced ? "Namespaced" : "Cluster";
  out["singularResource"] = info.singular;
  out["verbs"] = list_of(info.verbs);
  if (!info.short_names.empty()) out["shortNames"] = list_of(info.short_names);
  if (!info.categories.empty()) out["categories"] = list_of(info.categories);
  json::array subresources;
  for (const Subresource& sub : info.subresources) {
    json::object entry;
    entry["subresource"] = sub.name;
    const bool own = sub.version.empty();
    entry["responseKind"] =
        response_kind(own ? info.group : sub.group, own ? info.version : sub.version,
                      sub.kind.empty() ? info.kind : sub.kind);
    entry["verbs"] = list_of(sub.verbs);
    subresources.push_back(std::move(entry));
  }
  if (!subresources.empty()) out["subresources"] = std::move(subresources);
  return out;
}

json::object aggregated_group(const Catalog& catalog, const GroupInfo& group) {
  json::object out;
  json::object metadata;
  if (!group.name.empty()) metadata["name"] = group.name;
  out["metadata"] = std::move(metadata);
  json::array versions;
  for (const std::string& version : group.versions) {
    json::object entry;
    entry["version"] = version;
    json::array resources;
    for (const ResourceInfo* info : catalog.all_resources()) {
      if (info->group == group.name && info->version == version) {
        resources.push_back(aggregated_resource(*info));
      }
    }
    entry["resources"] = std::move(resources);
    entry["freshness"] = "Current";
    versions.push_back(std::move(entry));
  }
  out["versions"] = std::move(versions);
  return out;
}

}  // namespace

json::value core_versions(std::string_view address) {
  json::object out;
  out["kind"] = "APIVersions";
  json::array versions;
  versions.emplace_back("v1");
  out["versions"] = std::move(versions);
  json::object by_client;
  by_client["clientCIDR"] = "0.0.0.0/0";
  by_client["serverAddress"] = address;
  json::array addresses;
  addresses.push_back(std::move(by_client));
  out["serverAddressByClientCIDRs"] = std::move(addresses);
  return out;
}

json::value group_list(const Catalog& catalog) {
  json::object out;
  out["kind"] = "APIGroupList";
  out["apiVersion"] = "v1";
  json::array groups;
  for (const GroupInfo& group : catalog.all_groups()) {
    if (!group.name.empty()) groups.push_back(group_object(group));
  }
  out["groups"] = std::move(groups);
  return out;
}

Result<json::value> group_document(const Catalog& catalog, std::string_view group) {
  for (const GroupInfo& candidate : catalog.all_groups()) {
    if (candidate.name != group || group.empty()) continue;
    json::object out;
    out["kind"] = "APIGroup";
    out["apiVersion"] = "v1";
    for (const auto& [key, value] : group_object(candidate)) out[key] = value;
    return json::value(std::move(out));
  }
  return not_found("the server could not find the requested resource");
}

Result<json::value> resource_list(const Catalog& catalog, std::string_view group,
                                  std::string_view version) {
  if (!catalog.has_version(group, version)) {
    return not_found("the server could not find the requested resource");
  }
  json::object out;
  out["kind"] = "APIResourceList";
  if (!group.empty()) out["apiVersion"] = "v1";
  out["groupVersion"] = join_api_version(group, version);
  json::array resources;
  for (const ResourceInfo* info : catalog.all_resources()) {
    if (info->group != group || info->version != version) continue;
    resources.push_back(legacy_resource(catalog, *info));
    for (const Subresource& sub : info->subresources) {
      resources.push_back(legacy_subresource(*info, sub));
    }
  }
  out["resources"] = std::move(resources);
  return json::value(std::move(out));
}

json::value aggregated_discovery(const Catalog& catalog, bool core) {
  json::object out;
  out["kind"] = "APIGroupDiscoveryList";
  out["apiVersion"] = "apidiscovery.k8s.io/v2";
  out["metadata"].emplace_object();
  json::array items;
  for (const GroupInfo& group : catalog.all_groups()) {
    if (group.name.empty() == core) items.push_back(aggregated_group(catalog, group));
  }
  out["items"] = std::move(items);
  return out;
}

}  // namespace coracle::api
