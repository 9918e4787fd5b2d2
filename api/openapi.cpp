#include "api/openapi.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kStrategic = "application/strategic-merge-patch+json";
constexpr std::string_view kMerge = "application/merge-patch+json";
constexpr std::string_view kApply = "application/apply-patch+yaml";
constexpr std::string_view kRefs = "#/components/schemas/";

json::value type_only(std::string_view type) {
  json::object out;
  out["type"] = type;
  return out;
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

// Writes schemas; remembers the definitions they refer to.
class SchemaWriter {
 public:
  json::object body(const Schema& schema) {
    json::object out;
    if (!schema.description.empty()) out["description"] = schema.description;
    switch (schema.well_known) {
      case WellKnown::kQuantity:
        one_of(out, {"string", "number"});
        return out;
      case WellKnown::kIntOrString:
        out["format"] = "int-or-string";
        one_of(out, {"integer", "string"});
        return out;
      case WellKnown::kTime:
      case WellKnown::kMicroTime:
        out["type"] = "string";
        out["format"] = "date-time";
        return out;
      case WellKnown::kRawExtension:
      case WellKnown::kFieldsV1:
        out["type"] = "object";
        return out;
      default:
        break;
    }
    typed(schema, out);
    extensions(schema, out);
    return out;
  }

  std::set<std::string> take_refs() { return std::exchange(refs_, {}); }

  // Of a custom kind: as its definition has it, with what every object has.
  json::object custom_body(const ResourceInfo& info) {
    const json::value& source = info.custom->source();
    json::object out = source.is_object() ? source.get_object() : json::object();
    const json::value* named = find_member(out, "properties");
    json::object properties;
    properties["apiVersion"] =
        described(type_only("string"),
                  "APIVersion defines the group and version of the API this text follows.");
    properties["kind"] = described(type_only("string"), "Which kind of object this is.");
    const Property* metadata = info.schema->find("metadata");
    properties["metadata"] = described(
        use(*metadata->schema),
        "Standard object's metadata: its name, labels and all that every object carries.");
    if (named != nullptr && named->is_object()) {
      for (const auto& [name, schema] : named->get_object()) {
        if (!properties.contains(name)) properties[name] = schema;
      }
    }
    out["properties"] = std::move(properties);
    if (!out.contains("type")) out["type"] = "object";
    return out;
  }

  json::object use(const Schema& schema) {
    if (schema.name.empty()) return body(schema);
    refs_.insert(schema.name);
    json::object ref;
    ref["$ref"] = std::string(kRefs) + schema.name;
    json::object out;
    json::array all;
    all.push_back(std::move(ref));
    out["allOf"] = std::move(all);
    extensions(schema, out);
    return out;
  }

 private:
  static json::object described(json::value schema, std::string_view text) {
    schema.as_object()["description"] = text;
    return std::move(schema.get_object());
  }

  static void one_of(json::object& out, std::initializer_list<std::string_view> types) {
    json::array list;
    for (std::string_view type : types) list.push_back(type_only(type));
    out["oneOf"] = std::move(list);
  }

  void typed(const Schema& schema, json::object& out) {
    switch (schema.type) {
      case SchemaType::kObject:
        out["type"] = "object";
        properties(schema, out);
        break;
      case SchemaType::kMap:
        out["type"] = "object";
        out["additionalProperties"] = use(*schema.items);
        break;
      case SchemaType::kArray:
        out["type"] = "array";
        if (schema.items != nullptr) out["items"] = use(*schema.items);
        break;
      case SchemaType::kString:
        out["type"] = "string";
        break;
      case SchemaType::kInteger:
        out["type"] = "integer";
        break;
      case SchemaType::kNumber:
        out["type"] = "number";
        break;
      case SchemaType::kBoolean:
        out["type"] = "boolean";
        break;
      default:
        break;
    }
    switch (schema.format) {
      case SchemaFormat::kInt32:
        out["format"] = "int32";
        break;
      case SchemaFormat::kInt64:
        out["format"] = "int64";
        break;
      case SchemaFormat::kDouble:
        out["format"] = "double";
        break;
      case SchemaFormat::kByte:
        out["format"] = "byte";
        break;
      case SchemaFormat::kDateTime:
      case SchemaFormat::kMicroTime:
        out["format"] = "date-time";
        break;
      case SchemaFormat::kNone:
        break;
    }
    if (!schema.enum_values.empty()) out["enum"] = texts(schema.enum_values);
  }

  void properties(const Schema& schema, json::object& out) {
    if (schema.properties.empty()) return;
    json::object members;
    json::array required;
    for (const Property& property : schema.properties) {
      json::object member = use(*property.schema);
      if (!property.description.empty()) member["description"] = property.description;
      if (property.default_value) member["default"] = *property.default_value;
      members[property.name] = std::move(member);
      if (property.required) required.emplace_back(property.name);
    }
    out["properties"] = std::move(members);
    if (!required.empty()) out["required"] = std::move(required);
  }

  static void extensions(const Schema& schema, json::object& out) {
    if (schema.type == SchemaType::kArray) {
      static constexpr std::string_view kTypes[] = {"atomic", "set", "map"};
      out["x-kubernetes-list-type"] = kTypes[static_cast<int>(schema.list_type)];
      if (!schema.list_map_keys.empty()) {
        out["x-kubernetes-list-map-keys"] = texts(schema.list_map_keys);
      }
    }
    if (schema.atomic_map) out["x-kubernetes-map-type"] = "atomic";
    if (!schema.merge_key.empty()) out["x-kubernetes-patch-merge-key"] = schema.merge_key;
    std::vector<std::string> strategy;
    if (schema.patch_merge) strategy.emplace_back("merge");
    if (schema.patch_retain_keys) strategy.emplace_back("retainKeys");
    if (schema.patch_replace) strategy.emplace_back("replace");
    if (!strategy.empty()) out["x-kubernetes-patch-strategy"] = join(strategy, ",");
    if (schema.preserve_unknown) out["x-kubernetes-preserve-unknown-fields"] = true;
  }

  std::set<std::string> refs_;
};

json::object gvk(const ResourceInfo& info) {
  json::object out;
  out["group"] = info.group;
  out["kind"] = info.kind;
  out["version"] = info.version;
  return out;
}

json::object operation(const ResourceInfo& info, std::string_view action,
                       const std::vector<std::string_view>& content_types) {
  json::object parameter;
  for (std::string_view key : {"name", "in"}) {
    parameter[key] = key == "name" ? "fieldValidation" : "query";
  }
  parameter["schema"] = type_only("string");
  json::array parameters;
  parameters.push_back(std::move(parameter));
  json::object content;
  for (std::string_view type : content_types) {
    json::object schema;
    schema["schema"] = type_only("object");
    content[type] = std::move(schema);
  }
  json::object body;
  body["content"] = std::move(content);
  json::object out;
  out["parameters"] = std::move(parameters);
  out["requestBody"] = std::move(body);
  out["x-kubernetes-action"] = action;
  out["x-kubernetes-group-version-kind"] = gvk(info);
  return out;
}

std::string path_prefix(const ResourceInfo& info) {
  std::string path = info.group.empty() ? "/api/" : "/apis/" + info.group + "/";
  path += info.version;
  if (info.namespaced) path += "/namespaces/{namespace}";
  return path + "/" + info.plural;
}

void add_paths(const ResourceInfo& info, json::object& paths) {
  const std::string collection = path_prefix(info);
  // Without a Go type there is no strategic merge.
  const std::vector<std::string_view> types =
      info.custom ? std::vector{kMerge, kApply} : std::vector{kMerge, kStrategic, kApply};
  if (info.has_verb("patch")) {
    json::object item;
    item["patch"] = operation(info, "patch", types);
    paths[collection + "/{name}"] = std::move(item);
    if (info.has_status) {
      json::object status;
      status["patch"] = operation(info, "patch", types);
      paths[collection + "/{name}/status"] = std::move(status);
    }
  } else {
    json::object item;
    item["post"] = operation(info, "post", {"*/*"});
    paths[collection] = std::move(item);
  }
}

}  // namespace

std::string openapi_name(const ResourceInfo& info) {
  if (!info.schema->name.empty()) return info.schema->name;
  std::vector<std::string> parts = split(info.group, '.');
  std::reverse(parts.begin(), parts.end());
  return join(parts, ".") + "." + info.version + "." + info.kind;
}

json::value openapi_document(const Catalog& catalog, std::string_view group,
                             std::string_view version) {
  json::object paths;
  std::set<std::string> wanted;
  std::map<std::string, json::array, std::less<>> kinds;
  SchemaWriter writer;
  json::object schemas;
  for (const ResourceInfo* info : catalog.all_resources()) {
    if (info->group != group || info->version != version) continue;
    add_paths(*info, paths);
    const std::string name = openapi_name(*info);
    kinds[name].push_back(gvk(*info));
    if (info->custom) {
      json::object body = writer.custom_body(*info);
      body["x-kubernetes-group-version-kind"] = kinds[name];
      schemas[name] = std::move(body);
      wanted.merge(writer.take_refs());
    } else {
      wanted.insert(name);
    }
  }
  while (!wanted.empty()) {
    const std::string name = *wanted.begin();
    wanted.erase(wanted.begin());
    const Schema* schema = catalog.schemas().find(name);
    if (schema == nullptr || schemas.contains(name)) continue;
    json::object body = writer.body(*schema);
    const auto kind = kinds.find(name);
    if (kind != kinds.end()) body["x-kubernetes-group-version-kind"] = kind->second;
    schemas[name] = std::move(body);
    wanted.merge(writer.take_refs());
  }
  json::object info;
  info["title"] = "Kubernetes";
  info["version"] = "v1.36.0";
  json::object components;
  components["schemas"] = std::move(schemas);
  json::object out;
  out["openapi"] = "3.0.0";
  out["info"] = std::move(info);
  out["paths"] = std::move(paths);
  out["components"] = std::move(components);
  return out;
}

OpenApiDocument make_openapi_document(const Catalog& catalog, std::string_view group,
                                      std::string_view version) {
  OpenApiDocument document;
  document.path = group.empty() ? "api/" : "apis/" + std::string(group) + "/";
  document.path += version;
  document.body = to_json(openapi_document(catalog, group, version));
  document.hash = hex_encode(sha256(document.body));
  for (char& c : document.hash) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return document;
}

std::vector<OpenApiDocument> openapi_documents(const Catalog& catalog) {
  std::vector<OpenApiDocument> out;
  for (const GroupInfo& group : catalog.all_groups()) {
    for (const std::string& version : group.versions) {
      out.push_back(make_openapi_document(catalog, group.name, version));
    }
  }
  return out;
}

json::value openapi_index(const std::vector<OpenApiDocument>& documents) {
  json::object paths;
  for (const OpenApiDocument& document : documents) {
    json::object entry;
    entry["serverRelativeURL"] = "/openapi/v3/" + document.path + "?hash=" + document.hash;
    paths[document.path] = std::move(entry);
  }
  json::object out;
  out["paths"] = std::move(paths);
  return out;
}

}  // namespace coracle::api
