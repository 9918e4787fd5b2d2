#include "api/custom_kind.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

std::vector<std::string> texts(const json::value& root, std::string_view path) {
  std::vector<std::string> out;
  for (const json::value& v : get_array(root, path)) {
    if (v.is_string()) out.emplace_back(v.as_string());
  }
  return out;
}

// What of a schema shapes objects; rules are CustomSchema's, and the catalog's own keywords are not
// the user's.
json::value shape_of(const json::value& schema, int depth = 0) {
  constexpr std::string_view kPlain[] = {"type",
                                         "format",
                                         "description",
                                         "nullable",
                                         "default",
                                         "required",
                                         "x-kubernetes-list-type",
                                         "x-kubernetes-list-map-keys",
                                         "x-kubernetes-map-type",
                                         "x-kubernetes-int-or-string",
                                         "x-kubernetes-embedded-resource",
                                         "x-kubernetes-preserve-unknown-fields"};
  constexpr int kDepthMax = 100;
  json::object out;
  if (!schema.is_object() || depth > kDepthMax) return out;
  const json::object& in = schema.get_object();
  for (const std::string_view key : kPlain) {
    if (const json::value* value = find_member(in, key)) out[key] = *value;
  }
  for (const char* key : {"items", "additionalProperties"}) {
    const json::value* value = find_member(in, key);
    if (value != nullptr) out[key] = value->is_object() ? shape_of(*value, depth + 1) : *value;
  }
  const json::value* properties = find_member(in, "properties");
  if (properties != nullptr && properties->is_object()) {
    json::object members;
    for (const auto& [name, member] : properties->get_object()) {
      members[name] = shape_of(member, depth + 1);
    }
    out["properties"] = std::move(members);
  }
  return out;
}

// The definition's schema with the members that every object has.
json::value with_meta(const json::value& schema) {
  json::value out = shape_of(schema);
  json::object& members = out.get_object();
  if (!members.contains("type")) members["type"] = "object";
  json::object& properties = make_object(out, "properties");
  properties["apiVersion"] = json::object{{"type", "string"}};
  properties["kind"] = json::object{{"type", "string"}};
  properties["metadata"] = json::object{{"$ref", kObjectMeta}};
  return out;
}

Subresource subresource(std::string_view name) {
  Subresource sub;
  sub.name = name;
  sub.verbs = {"get", "patch", "update"};
  if (name == "scale") {
    sub.group = "autoscaling";
    sub.version = "v1";
    sub.kind = "Scale";
  }
  return sub;
}

void read_subresources(const json::value& version, ResourceInfo& info) {
  if (const json::value* scale = find(version, "subresources.scale"); scale && scale->is_object()) {
    info.subresources.push_back(subresource("scale"));
    info.scale = ScalePaths{std::string(get_string(*scale, "specReplicasPath")),
                            std::string(get_string(*scale, "statusReplicasPath")),
                            std::string(get_string(*scale, "labelSelectorPath"))};
  }
  const json::value* status = find(version, "subresources.status");
  if (status != nullptr && status->is_object()) {
    info.subresources.push_back(subresource("status"));
    info.has_status = true;
  }
}

void read_names(const json::value& definition, ResourceInfo& info) {
  info.group = get_string(definition, "spec.group");
  info.kind = get_string(definition, "status.acceptedNames.kind");
  info.list_kind = get_string(definition, "status.acceptedNames.listKind", info.kind + "List");
  info.plural = get_string(definition, "status.acceptedNames.plural");
  info.singular = get_string(definition, "status.acceptedNames.singular");
  info.short_names = texts(definition, "status.acceptedNames.shortNames");
  info.categories = texts(definition, "status.acceptedNames.categories");
  info.namespaced = get_string(definition, "spec.scope") == "Namespaced";
  info.verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  info.storage_prefix = info.group + "/" + info.plural;
  info.has_generation = true;
}

}  // namespace

Result<std::shared_ptr<const CustomKind>> CustomKind::compile(const json::value& definition,
                                                              const SchemaSet& base,
                                                              CustomRules rules) {
  std::shared_ptr<CustomKind> out(new CustomKind);
  out->name_ = name_of(definition);
  out->schemas_.set_base(&base);
  if (get_string(definition, "spec.conversion.strategy") == "Webhook") {
    const json::value* webhook = coracle::find(definition, "spec.conversion.webhook");
    if (webhook != nullptr) out->conversion_webhook_ = *webhook;
  }
  for (const json::value& version : get_array(definition, "spec.versions")) {
    ResourceInfo info;
    read_names(definition, info);
    info.version = get_string(version, "name");
    info.served = get_bool(version, "served");
    info.storage = get_bool(version, "storage");
    if (!info.served && !info.storage) continue;
    info.api_version = join_api_version(info.group, info.version);
    info.terminating = !deletion_timestamp_of(definition).empty();
    if (get_bool(version, "deprecated")) {
      info.deprecation = get_string(version, "deprecationWarning");
      if (info.deprecation.empty()) {
        info.deprecation = info.api_version + " " + info.kind + " is deprecated";
      }
    }
    const json::value* schema = find(version, "schema.openAPIV3Schema");
    static const json::value kAnything =
        json::object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    if (schema == nullptr) schema = &kAnything;
    ASSIGN_OR_RETURN(const std::shared_ptr<CustomSchema> custom,
                     CustomSchema::compile(*schema, rules));
    info.custom = custom;
    ASSIGN_OR_RETURN(info.schema, out->schemas_.compile_custom(with_meta(*schema),
                                                               info.custom.get(), info.kind));
    custom->set_shape(info.schema);
    read_subresources(version, info);
    for (const json::value& in : get_array(version, "selectableFields")) {
      const std::string_view path = get_string(in, "jsonPath");
      info.selectable_fields.emplace_back(path.starts_with('.') ? path.substr(1) : path);
    }
    for (const json::value& in : get_array(version, "additionalPrinterColumns")) {
      info.columns.push_back(column_of(in));
      info.columns.back().hook.clear();  // for the catalog alone
    }
    if (info.columns.empty()) {
      Column age;
      age.name = "Age";
      age.type = "date";
      age.json_path = ".metadata.creationTimestamp";
      info.columns.push_back(std::move(age));
    }
    out->versions_.push_back(std::move(info));
  }
  const auto stored = [](const ResourceInfo& info) { return info.storage; };
  if (std::count_if(out->versions_.begin(), out->versions_.end(), stored) != 1) {
    return invalid_argument(out->name_ + " has no storage version");
  }
  return std::shared_ptr<const CustomKind>(std::move(out));
}

const ResourceInfo& CustomKind::storage() const {
  return *std::find_if(versions_.begin(), versions_.end(),
                       [](const ResourceInfo& info) { return info.storage; });
}

bool CustomKind::owns(const ResourceInfo& info) const {
  return std::any_of(versions_.begin(), versions_.end(),
                     [&](const ResourceInfo& mine) { return &mine == &info; });
}

void NamesInUse::add(const json::value& definition) {
  const json::value* names = coracle::find(definition, "status.acceptedNames");
  if (names == nullptr) return;
  for (const char* key : {"plural", "singular"}) resources.emplace(get_string(*names, key));
  for (std::string& name : texts(*names, "shortNames")) resources.insert(std::move(name));
  for (const char* key : {"kind", "listKind"}) kinds.emplace(get_string(*names, key));
}

bool definition_condition(const json::value& definition, std::string_view type) {
  for (const json::value& one : get_array(definition, "status.conditions")) {
    if (get_string(one, "type") == type) return get_string(one, "status") == "True";
  }
  return false;
}

void set_definition_condition(json::value& definition, std::string_view type, bool status,
                              std::string_view reason, std::string_view message,
                              std::string_view now) {
  json::object condition;
  condition["type"] = type;
  condition["status"] = status ? "True" : "False";
  condition["lastTransitionTime"] = now;
  condition["reason"] = reason;
  condition["message"] = message;
  json::value& slot = make_object(definition, "status")["conditions"];
  json::array& list = slot.is_array() ? slot.get_array() : slot.emplace_array();
  for (json::value& present : list) {
    if (get_string(present, "type") != type) continue;
    if (get_string(present, "status") == condition["status"].as_string()) {
      condition["lastTransitionTime"] = get_string(present, "lastTransitionTime", now);
    }
    present = std::move(condition);
    return;
  }
  list.push_back(std::move(condition));
}

namespace {

struct Naming {
  json::object accepted;
  std::string reason = "NoConflicts", message = "no conflicts found";
  bool good = true;

  void fail(std::string_view why, std::string text) {
    good = false;
    reason = why;
    message = std::move(text);
  }
};

std::string taken(std::string_view name) { return quoted(name) + " is already in use"; }

Naming name_it(const json::value& definition, const NamesInUse& others) {
  Naming out;
  out.accepted = get_object(definition, "status.acceptedNames");
  const json::value spec = get_object(definition, "spec.names");
  const json::value had = out.accepted;
  struct Name {
    const char *key, *reason;
    bool kind;
  };
  const auto settle = [&](const Name& name) {
    const std::string wanted(get_string(spec, name.key));
    const auto& used = name.kind ? others.kinds : others.resources;
    if (wanted != get_string(had, name.key) && used.contains(wanted)) {
      out.fail(name.reason, taken(wanted));
    } else if (!wanted.empty()) {
      out.accepted[name.key] = wanted;
    }
  };
  settle({"plural", "PluralConflict", false});
  settle({"singular", "SingularConflict", false});
  std::vector<std::string> clashes;
  const std::vector<std::string> mine = texts(had, "shortNames");
  for (const std::string& name : texts(spec, "shortNames")) {
    const bool known = std::find(mine.begin(), mine.end(), name) != mine.end();
    if (!known && others.resources.contains(name)) clashes.push_back(taken(name));
  }
  const auto copy = [&](std::string_view key) {
    const json::value* wanted = find_keys(spec, {key});
    if (wanted != nullptr) {
      out.accepted[key] = *wanted;
    } else {
      erase_key(out.accepted, key);
    }
  };
  if (clashes.empty()) {
    copy("shortNames");
  } else {
    out.fail("ShortNamesConflict",
             clashes.size() == 1 ? clashes[0] : "[" + join(clashes, ", ") + "]");
  }
  settle({"kind", "KindConflict", true});
  settle({"listKind", "ListKindConflict", true});
  copy("categories");
  return out;
}

}  // namespace

json::value settled_definition(const json::value& definition, const NamesInUse& others,
                               std::string_view now) {
  json::value out = definition;
  const Naming naming = name_it(definition, others);
  make_object(out, "status")["acceptedNames"] = naming.accepted;
  set_definition_condition(out, "NamesAccepted", naming.good, naming.reason, naming.message, now);
  // What was established stays so.
  if (definition_condition(definition, "Established")) return out;
  if (naming.good) {
    set_definition_condition(out, "Established", true, "InitialNamesAccepted",
                             "the initial names have been accepted", now);
  } else {
    set_definition_condition(out, "Established", false, "NotAccepted", "not all names are accepted",
                             now);
  }
  return out;
}

}  // namespace coracle::api
