#include "api/catalog.hpp"

#include <algorithm>

#include "api/object.hpp"

namespace coracle::api {

bool ResourceInfo::has_verb(std::string_view verb) const {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

const Subresource* ResourceInfo::subresource(std::string_view name) const {
  for (const Subresource& sub : subresources) {
    if (sub.name == name) return &sub;
  }
  return nullptr;
}

bool ResourceInfo::is_selectable(std::string_view field) const {
  if (field == "metadata.name") return true;
  if (field == "metadata.namespace") return namespaced;
  return std::find(selectable_fields.begin(), selectable_fields.end(), field) !=
         selectable_fields.end();
}

const Catalog& Catalog::builtin() {
  static const std::unique_ptr<Catalog> catalog = [] {
    Result<std::unique_ptr<Catalog>> parsed = parse(builtin_bundle());
    CHECK_MSG(parsed.ok(), parsed.status().to_string());
    return std::move(*parsed);
  }();
  return *catalog;
}

const ResourceInfo* Catalog::find(std::string_view group, std::string_view version,
                                  std::string_view plural) const {
  for (const ResourceInfo& info : resources_) {
    if (info.plural == plural && info.group == group && info.version == version) return &info;
  }
  return nullptr;
}

const ResourceInfo* Catalog::find_kind(std::string_view group, std::string_view version,
                                       std::string_view kind) const {
  for (const ResourceInfo& info : resources_) {
    if (info.kind == kind && info.group == group && info.version == version) return &info;
  }
  return nullptr;
}

const ResourceInfo* Catalog::find_for(const json::value& object) const {
  const std::string_view kind = kind_of(object);
  if (kind.empty()) return nullptr;
  const GroupVersion gv = split_api_version(api_version_of(object));
  return find_kind(gv.group, gv.version, kind);
}

const ResourceInfo* Catalog::storage_of(const ResourceInfo& info) const {
  for (const ResourceInfo& other : resources_) {
    if (other.storage && other.storage_prefix == info.storage_prefix) return &other;
  }
  return &info;
}

const Schema* Catalog::body_schema(std::string_view api_version, std::string_view kind) const {
  const GroupVersion gv = split_api_version(api_version);
  if (const ResourceInfo* info = find_kind(gv.group, gv.version, kind)) return info->schema;
  const std::string meta = "io.k8s.apimachinery.pkg.apis.meta.v1." + std::string(kind);
  // Options may carry the apiVersion of any group.
  if (kind.ends_with("Options") || gv.group == "meta.k8s.io" || kind == "Status") {
    if (const Schema* schema = schemas_.find(meta)) return schema;
  }
  const std::string_view group =
      gv.group.empty() ? std::string_view("core") : gv.group.substr(0, gv.group.find('.'));
  return schemas_.find("io.k8s.api." + std::string(group) + "." + std::string(gv.version) + "." +
                       std::string(kind));
}

bool Catalog::has_version(std::string_view group, std::string_view version) const {
  for (const GroupInfo& g : groups_) {
    if (g.name != group) continue;
    return std::find(g.versions.begin(), g.versions.end(), version) != g.versions.end();
  }
  return false;
}

}  // namespace coracle::api
