#include <algorithm>
#include <charconv>
#include <tuple>

#include "api/catalog.hpp"
#include "api/custom_kind.hpp"
#include "api/object.hpp"

namespace coracle::api {

namespace {

using Texts = std::vector<std::string>;

// Upstream's order of groups in /apis; it decides which group a short name means.
constexpr std::string_view kGroupOrder[] = {"",
                                            "apiregistration.k8s.io",
                                            "apps",
                                            "events.k8s.io",
                                            "authentication.k8s.io",
                                            "authorization.k8s.io",
                                            "autoscaling",
                                            "batch",
                                            "certificates.k8s.io",
                                            "networking.k8s.io",
                                            "policy",
                                            "rbac.authorization.k8s.io",
                                            "storage.k8s.io",
                                            "admissionregistration.k8s.io",
                                            "apiextensions.k8s.io",
                                            "scheduling.k8s.io",
                                            "coordination.k8s.io",
                                            "node.k8s.io",
                                            "discovery.k8s.io",
                                            "resource.k8s.io",
                                            "flowcontrol.apiserver.k8s.io"};

std::size_t group_rank(std::string_view group) {
  return static_cast<std::size_t>(std::find(std::begin(kGroupOrder), std::end(kGroupOrder), group) -
                                  std::begin(kGroupOrder));
}

// v2 before v1 before v1beta2 before v1beta1 before v1alpha1: smaller sorts first.
std::tuple<int, int, int> version_rank(std::string_view version) {
  int major = 0;
  int minor = 0;
  int stage = 0;
  const char* end = version.data() + version.size();
  if (version.starts_with('v')) {
    const auto number = std::from_chars(version.data() + 1, end, major);
    std::string_view rest(number.ptr, static_cast<std::size_t>(end - number.ptr));
    for (const auto& [name, rank] : {std::pair<std::string_view, int>{"beta", 1}, {"alpha", 2}}) {
      if (!rest.starts_with(name)) continue;
      stage = rank;
      std::from_chars(rest.data() + name.size(), end, minor);
    }
  }
  return {stage, -major, -minor};
}

Texts texts(const json::value& root, std::string_view path) {
  Texts out;
  for (const json::value& v : get_array(root, path)) {
    if (v.is_string()) out.emplace_back(v.as_string());
  }
  return out;
}

std::string without_dot(std::string_view path) {
  return std::string(path.starts_with('.') ? path.substr(1) : path);
}

Texts default_subresource_verbs(std::string_view name) {
  if (name == "binding" || name == "eviction" || name == "token") return {"create"};
  if (name == "log") return {"get"};
  if (name == "exec" || name == "attach" || name == "portforward") return {"create", "get"};
  if (name == "proxy") return {"create", "delete", "get", "patch", "update"};
  if (name == "finalize") return {"update"};
  return {"get", "patch", "update"};
}

Subresource subresource_of(std::string_view name, const json::value& in) {
  Subresource sub;
  sub.name = name;
  sub.group = get_string(in, "group");
  sub.version = get_string(in, "version");
  sub.kind = get_string(in, "kind");
  sub.verbs = texts(in, "verbs");
  if (sub.verbs.empty()) sub.verbs = default_subresource_verbs(name);
  if (name == "scale" && sub.kind.empty()) {
    sub.group = "autoscaling";
    sub.version = "v1";
    sub.kind = "Scale";
  }
  if (name == "token" && sub.kind.empty()) {
    sub.group = "authentication.k8s.io";
    sub.version = "v1";
    sub.kind = "TokenRequest";
  }
  // The parameters of a stream, not the parent.
  if (name == "exec") sub.kind = "PodExecOptions";
  if (name == "attach") sub.kind = "PodAttachOptions";
  if (name == "portforward") sub.kind = "PodPortForwardOptions";
  return sub;
}

bool counts_generation(const ResourceInfo& info, const json::value* extra) {
  if (extra != nullptr && find_keys(*extra, {"generation"}) != nullptr) {
    return get_bool(*extra, "generation");
  }
  // Upstream counts it for workloads and policies, but not for most kinds of the core group.
  const bool has_spec = info.schema->find("spec") != nullptr;
  if (info.group.empty()) return info.kind == "Pod" || info.kind == "ReplicationController";
  static constexpr std::string_view kGroups[] = {"apps", "batch", "policy", "networking.k8s.io"};
  return has_spec &&
         std::find(std::begin(kGroups), std::end(kGroups), info.group) != std::end(kGroups);
}

void read_names(const json::value& crd, ResourceInfo& info) {
  info.group = get_string(crd, "spec.group");
  info.kind = get_string(crd, "spec.names.kind");
  info.list_kind = get_string(crd, "spec.names.listKind", info.kind + "List");
  info.plural = get_string(crd, "spec.names.plural");
  info.singular = get_string(crd, "spec.names.singular");
  info.short_names = texts(crd, "spec.names.shortNames");
  info.categories = texts(crd, "spec.names.categories");
  info.namespaced = get_string(crd, "spec.scope") == "Namespaced";
}

void read_extras(const json::value& crd, ResourceInfo& info) {
  const json::value* extra = find_keys(crd, {"spec", "x-coracle"});
  if (extra == nullptr) extra = find_keys(crd, {"x-coracle"});
  info.storage_prefix = info.plural;
  info.has_generation = counts_generation(info, extra);
  if (extra != nullptr) {
    info.storage_prefix = get_string(*extra, "storagePrefix", info.plural);
    info.verbs = texts(*extra, "verbs");
    info.create_on_update = get_bool(*extra, "createOnUpdate");
    info.returns_object_on_delete = get_bool(*extra, "returnsObjectOnDelete");
  }
  if (info.verbs.empty()) {
    info.verbs = {"create", "delete", "deletecollection", "get",
                  "list",   "patch",  "update",           "watch"};
  }
  std::sort(info.verbs.begin(), info.verbs.end());
}

Status read_version(const json::value& crd, const json::value& version, SchemaSet& schemas,
                    ResourceInfo& info) {
  read_names(crd, info);
  info.version = get_string(version, "name");
  info.api_version = join_api_version(info.group, info.version);
  info.storage = get_bool(version, "storage", true);
  const json::value* schema = find(version, "schema.openAPIV3Schema");
  if (schema == nullptr || info.kind.empty() || info.plural.empty() || info.version.empty()) {
    return invalid_argument("kind " + info.kind + ": name, version or schema is missing");
  }
  ASSIGN_OR_RETURN(info.schema, schemas.compile_one(*schema, info.kind));
  read_extras(crd, info);
  for (const auto& [name, in] : get_object(version, "subresources")) {
    info.subresources.push_back(subresource_of(name, in));
    if (name == "status") info.has_status = true;
    if (name == "scale") {
      info.scale = ScalePaths{std::string(get_string(in, "specReplicasPath")),
                              std::string(get_string(in, "statusReplicasPath")),
                              std::string(get_string(in, "labelSelectorPath"))};
    }
  }
  std::sort(info.subresources.begin(), info.subresources.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const json::value& in : get_array(version, "selectableFields")) {
    info.selectable_fields.push_back(without_dot(get_string(in, "jsonPath")));
  }
  for (const json::value& in : get_array(version, "additionalPrinterColumns")) {
    info.columns.push_back(column_of(in));
  }
  return {};
}

bool resource_before(const ResourceInfo& a, const ResourceInfo& b) {
  return std::tuple(group_rank(a.group), std::string_view(a.group), version_rank(a.version),
                    std::string_view(a.plural)) <
         std::tuple(group_rank(b.group), std::string_view(b.group), version_rank(b.version),
                    std::string_view(b.plural));
}

void add_group(const ResourceInfo& info, std::vector<GroupInfo>& groups) {
  if (groups.empty() || groups.back().name != info.group) groups.push_back({info.group, {}});
  Texts& versions = groups.back().versions;
  if (versions.empty() || versions.back() != info.version) versions.push_back(info.version);
}

}  // namespace

Column column_of(const json::value& in) {
  Column column;
  column.name = get_string(in, "name");
  column.type = get_string(in, "type", "string");
  column.format = get_string(in, "format");
  column.description = get_string(in, "description");
  column.priority = static_cast<int>(get_int(in, "priority"));
  column.json_path = get_string(in, "jsonPath");
  column.hook = get_string(in, "hook");
  return column;
}

std::vector<const ResourceInfo*> Catalog::all_resources() const {
  std::vector<const ResourceInfo*> out;
  for (const ResourceInfo& info : resources()) out.push_back(&info);
  for (const auto& kind : custom_) {
    for (const ResourceInfo& info : kind->versions()) {
      if (info.served) out.push_back(&info);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const ResourceInfo* a, const ResourceInfo* b) {
    return resource_before(*a, *b);
  });
  return out;
}

std::vector<GroupInfo> Catalog::all_groups() const {
  std::vector<GroupInfo> out;
  for (const ResourceInfo* info : all_resources()) add_group(*info, out);
  return out;
}

Result<std::unique_ptr<Catalog>> Catalog::parse(std::string_view bundle_json) {
  ASSIGN_OR_RETURN(const json::value bundle, parse_json(bundle_json));
  std::unique_ptr<Catalog> catalog(new Catalog);
  RETURN_IF_ERROR(catalog->schemas_.compile(get_object(bundle, "definitions")));
  for (const json::value& crd : get_array(bundle, "kinds")) {
    for (const json::value& version : get_array(crd, "spec.versions")) {
      if (!get_bool(version, "served", true)) continue;
      ResourceInfo info;
      RETURN_IF_ERROR(read_version(crd, version, catalog->schemas_, info));
      catalog->resources_.push_back(std::move(info));
    }
  }
  std::sort(catalog->resources_.begin(), catalog->resources_.end(), resource_before);
  for (const ResourceInfo& info : catalog->resources_) add_group(info, catalog->groups_);
  // One storage version a prefix: the first that claims it.
  for (ResourceInfo& info : catalog->resources_) {
    info.storage = info.storage && catalog->storage_of(info) == &info;
  }
  return catalog;
}

}  // namespace coracle::api
