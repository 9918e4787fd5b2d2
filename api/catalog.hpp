// catalog: all kinds the server knows, from proto/api (docs/formats/catalog.md). Immutable after
// parse, shared between threads; pointers live as long as the catalog.
//
// A live catalog (Catalog::over) stands on another one and adds custom kinds, which come and go: it
// belongs to one strand, and who keeps a pointer to a custom kind keeps what hold() gave too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"

namespace coracle::api {

class CustomKind;

struct Column {
  std::string name, type, format, description;
  int priority = 0;
  std::string json_path;  // either this (".spec.replicas") ...
  std::string hook;       // ... or the name of a ColumnHook
};
// An entry of additionalPrinterColumns; the catalog's may also have our key `hook`.
Column column_of(const json::value& definition);

struct Subresource {
  std::string name;                  // "status", "scale", "binding", "eviction", "log", ...
  std::string group, version, kind;  // of its body; the resource's own when kind is ""
  std::vector<std::string> verbs;
};

struct ScalePaths {
  std::string spec_replicas, status_replicas, label_selector;  // ".spec.replicas"
};

struct ResourceInfo {
  std::string group, version, kind, list_kind, plural, singular;
  std::vector<std::string> short_names, categories, verbs;  // verbs sorted
  bool namespaced = true;
  bool storage = true;                    // objects are stored in this version
  bool create_on_update = false;          // PUT of a missing object creates it
  bool returns_object_on_delete = false;  // else a Status
  bool has_generation = false;            // metadata.generation counts changes of the spec
  bool has_status = false;                // status is a subresource: reset on create, kept on PUT
  std::vector<Subresource> subresources;  // by name
  std::optional<ScalePaths> scale;
  std::vector<Column> columns;                 // without the implied Name
  std::vector<std::string> selectable_fields;  // "spec.nodeName"; metadata.* are implied
  std::string storage_prefix;                  // /registry/<storage_prefix>/<ns>/<name>
  std::string api_version;                     // "v1", "apps/v1"
  const Schema* schema = nullptr;
  // Custom kinds only.
  std::shared_ptr<const CustomSchema> custom;
  bool served = true;        // false: stored in this version, but not offered
  bool terminating = false;  // the definition is being deleted: nothing new
  std::string deprecation;   // the text of the warning, "" when there is none

  bool has_verb(std::string_view verb) const;
  const Subresource* subresource(std::string_view name) const;
  // metadata.name, metadata.namespace (when namespaced), and the selectable ones.
  bool is_selectable(std::string_view field) const;
};

struct GroupInfo {
  std::string name;
  std::vector<std::string> versions;  // preferred first
};

class Catalog {
 public:
  // The catalog that ships with the server; parsed at the first call (a few ms), thread-safe.
  static const Catalog& builtin();
  // A bundle: {"kinds": [CustomResourceDefinition...], "definitions": {name: schema}}.
  static Result<std::unique_ptr<Catalog>> parse(std::string_view bundle_json);
  // A live one; `base` outlives it.
  static std::unique_ptr<Catalog> over(const Catalog& base);

  // Live catalogs: the custom kinds there are from now on.
  void set_custom(std::vector<std::shared_ptr<const CustomKind>> kinds);
  const std::vector<std::shared_ptr<const CustomKind>>& custom() const { return custom_; }
  // Keeps a custom kind alive; nullptr for the others, who need it not.
  std::shared_ptr<const CustomKind> hold(const ResourceInfo& info) const;

  // nullptr when there is none.
  const ResourceInfo* find(std::string_view group, std::string_view version,
                           std::string_view plural) const;
  const ResourceInfo* find_kind(std::string_view group, std::string_view version,
                                std::string_view kind) const;
  // By the object's apiVersion and kind.
  const ResourceInfo* find_for(const json::value& object) const;
  // The version in which objects of this storage prefix are stored.
  const ResourceInfo* storage_of(const ResourceInfo& info) const;
  // The schema of any body: kinds, and those that are no resource (Eviction, Binding, Scale,
  // DeleteOptions, TokenRequest). nullptr when unknown.
  const Schema* body_schema(std::string_view api_version, std::string_view kind) const;
  bool has_version(std::string_view group, std::string_view version) const;

  // In upstream's order of groups (core first), then of versions, then by plural. Without custom
  // kinds.
  const std::vector<ResourceInfo>& resources() const { return own().resources_; }
  const std::vector<GroupInfo>& groups() const { return own().groups_; }
  const SchemaSet& schemas() const { return own().schemas_; }
  // The same with the served custom kinds.
  std::vector<const ResourceInfo*> all_resources() const;
  std::vector<GroupInfo> all_groups() const;

 private:
  Catalog() = default;
  const Catalog& own() const { return base_ == nullptr ? *this : *base_; }
  template <class Match>
  const ResourceInfo* first(const Match& match) const;

  const Catalog* base_ = nullptr;
  std::vector<std::shared_ptr<const CustomKind>> custom_;
  std::vector<ResourceInfo> resources_;
  std::vector<GroupInfo> groups_;
  SchemaSet schemas_;
};

// The embedded text (made by catalogc).
std::string_view builtin_bundle();

}  // namespace coracle::api
