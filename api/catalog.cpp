#include "api/catalog.hpp"

#include <algorithm>

#include "api/custom_kind.hpp"
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

template <class Match>
const ResourceInfo* Catalog::first(const Match& match) const {
  for (const ResourceInfo& info : resources()) {
    if (match(info)) return &info;
  }
  for (const auto& kind : custom_) {
    for (const ResourceInfo& info : kind->versions()) {
      if (info.served && match(info)) return &info;
    }
  }
  return nullptr;
}

const ResourceInfo* Catalog::find(std::string_view group, std::string_view version,
                                  std::string_view plural) const {
  return first([&](const ResourceInfo& info) {
    return info.plural == plural && info.group == group && info.version == version;
  });
}

const ResourceInfo* Catalog::find_kind(std::string_view group, std::string_view version,
                                       std::string_view kind) const {
  return first([&](const ResourceInfo& info) {
    return info.kind == kind && info.group == group && info.version == version;
  });
}

const ResourceInfo* Catalog::find_for(const json::value& object) const {
  const std::string_view kind = kind_of(object);
  if (kind.empty()) return nullptr;
  const GroupVersion gv = split_api_version(api_version_of(object));
  return find_kind(gv.group, gv.version, kind);
}

const ResourceInfo* Catalog::storage_of(const ResourceInfo& info) const {
  if (const auto kind = hold(info)) return &kind->storage();
  for (const ResourceInfo& other : resources()) {
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
    if (const Schema* schema = schemas().find(meta)) return schema;
  }
  const std::string_view group =
      gv.group.empty() ? std::string_view("core") : gv.group.substr(0, gv.group.find('.'));
  return schemas().find("io.k8s.api." + std::string(group) + "." + std::string(gv.version) + "." +
                        std::string(kind));
}

bool Catalog::has_version(std::string_view group, std::string_view version) const {
  return first([&](const ResourceInfo& info) {
           return info.group == group && info.version == version;
         }) != nullptr;
}

std::unique_ptr<Catalog> Catalog::over(const Catalog& base) {
  std::unique_ptr<Catalog> out(new Catalog);
  out->base_ = &base.own();
  return out;
}

void Catalog::set_custom(std::vector<std::shared_ptr<const CustomKind>> kinds) {
  CHECK_MSG(base_ != nullptr, "custom kinds belong into a live catalog");
  custom_ = std::move(kinds);
}

std::shared_ptr<const CustomKind> Catalog::hold(const ResourceInfo& info) const {
  for (const auto& kind : custom_) {
    if (kind->owns(info)) return kind;
  }
  return nullptr;
}

}  // namespace coracle::api
