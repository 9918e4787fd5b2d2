#include "apiserver/registry/field_manager.hpp"

#include <map>
#include <set>

#include "api/object.hpp"

namespace coracle::apiserver {

namespace {

using api::Schema;
using Paths = std::set<std::string>;  // fieldsV1 as pointers: "f:spec/f:ports/k:{...}/f:port"

constexpr char kSeparator = '\x1f';

std::string join_path(const std::string& base, const std::string& part) {
  return base.empty() ? part : base + kSeparator + part;
}

const Schema* member_schema(const Schema* schema, std::string_view name) {
  if (schema == nullptr) return nullptr;
  if (const api::Property* property = schema->find(name)) return property->schema;
  return schema->type == api::SchemaType::kMap ? schema->items : nullptr;
}

// k:{"name":"x"} of an element of a list-map; empty when a key is missing.
std::string element_key(const Schema& list, const json::value& element) {
  json::object key;
  for (const std::string& name : list.list_map_keys) {
    const json::value* value = find_keys(element, {name});
    if (value != nullptr) {
      key[name] = *value;
    } else if (name == "protocol") {
      key[name] = "TCP";  // the one key with a default among the built-in kinds
    }
  }
  if (key.empty()) return {};
  return "k:" + to_json(sorted_keys(json::value(std::move(key))));
}

bool is_granular_list(const Schema* schema) {
  return schema != nullptr && schema->list_type == api::ListType::kMap &&
         !schema->list_map_keys.empty();
}

bool is_granular_object(const Schema* schema, const json::value& value) {
  return value.is_object() && (schema == nullptr || !schema->atomic_map);
}

// Every leaf a configuration names. Leaves are scalars, atomic lists and maps, empty objects.
void leaves(const json::value& value, const Schema* schema, const std::string& path, Paths& out) {
  if (is_granular_object(schema, value) && !value.get_object().empty()) {
    for (const auto& member : value.get_object()) {
      const std::string name(member.key());
      if (path.empty() && (name == "apiVersion" || name == "kind")) continue;
      leaves(member.value(), member_schema(schema, name), join_path(path, "f:" + name), out);
    }
    return;
  }
  if (is_granular_list(schema) && value.is_array()) {
    for (const json::value& element : value.get_array()) {
      leaves(element, schema->items, join_path(path, element_key(*schema, element)), out);
    }
    return;
  }
  out.insert(path);
}

// Says which object it is, not what is in it (an empty metadata too).
bool is_identity(const std::string& path) {
  return path == "f:metadata" || path == std::string("f:metadata") + kSeparator + "f:name" ||
         path == std::string("f:metadata") + kSeparator + "f:namespace";
}

json::value fields_of(const Paths& paths) {
  json::object root;
  for (const std::string& path : paths) {
    json::object* at = &root;
    size_t start = 0;
    while (start <= path.size()) {
      const size_t end = std::min(path.find(kSeparator, start), path.size());
      json::value& next = (*at)[path.substr(start, end - start)];
      at = next.is_object() ? &next.get_object() : &next.emplace_object();
      start = end + 1;
    }
  }
  return root;
}

void paths_of(const json::value& fields, const std::string& path, Paths& out) {
  if (!fields.is_object() || fields.get_object().empty()) {
    if (!path.empty()) out.insert(path);
    return;
  }
  for (const auto& member : fields.get_object()) {
    paths_of(member.value(), join_path(path, std::string(member.key())), out);
  }
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= path.size()) {
    const size_t end = std::min(path.find(kSeparator, start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// The element of a list-map that has this key.
json::value* find_element(json::array& list, const Schema& schema, const std::string& key) {
  for (json::value& element : list) {
    if (element_key(schema, element) == key) return &element;
  }
  return nullptr;
}

const json::value* value_at(const json::value& root, const Schema* schema,
                            const std::string& path) {
  const json::value* at = &root;
  for (const std::string& part : parts_of(path)) {
    if (part.starts_with("f:")) {
      const json::object* object = at->if_object();
      at = object == nullptr ? nullptr : object->if_contains(part.substr(2));
      schema = member_schema(schema, part.substr(2));
    } else if (at->is_array() && is_granular_list(schema)) {
      at = find_element(const_cast<json::value*>(at)->get_array(), *schema, part);
      schema = schema->items;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

// Takes the leaf out; list elements and objects that are left with nothing but their key go too.
bool remove_at(json::value& at, const Schema* schema, const std::vector<std::string>& parts,
               size_t depth) {
  const std::string& part = parts[depth];
  const bool last = depth + 1 == parts.size();
  if (part.starts_with("f:") && at.is_object()) {
    json::object& object = at.get_object();
    json::value* next = object.if_contains(part.substr(2));
    if (next == nullptr) return false;
    if (last || remove_at(*next, member_schema(schema, part.substr(2)), parts, depth + 1)) {
      erase_key(object, part.substr(2));
    }
    return object.empty();
  }
  if (!at.is_array() || !is_granular_list(schema)) return false;
  json::array& list = at.get_array();
  for (auto it = list.begin(); it != list.end(); ++it) {
    if (element_key(*schema, *it) != part) continue;
    if (last || remove_at(*it, schema->items, parts, depth + 1) ||
        it->get_object().size() <= schema->list_map_keys.size()) {
      list.erase(it);
    }
    break;
  }
  return list.empty();
}

void merge(json::value& live, const json::value& config, const Schema* schema) {
  if (is_granular_object(schema, config) && live.is_object()) {
    for (const auto& member : config.get_object()) {
      json::value* there = live.get_object().if_contains(member.key());
      if (there == nullptr) {
        live.get_object()[member.key()] = member.value();
      } else {
        merge(*there, member.value(), member_schema(schema, member.key()));
      }
    }
    return;
  }
  if (is_granular_list(schema) && config.is_array() && live.is_array()) {
    for (const json::value& element : config.get_array()) {
      json::value* there = find_element(live.get_array(), *schema, element_key(*schema, element));
      if (there == nullptr) {
        live.get_array().push_back(element);
      } else {
        merge(*there, element, schema->items);
      }
    }
    return;
  }
  live = config;
}

// ".spec.replicas", `.spec.ports[port=80,protocol="TCP"].name`: as conflicts are told.
std::string shown_path(const std::string& path) {
  std::string out;
  for (const std::string& part : parts_of(path)) {
    if (part.starts_with("f:")) {
      out += "." + part.substr(2);
      continue;
    }
    out += "[";
    const auto key = parse_json(std::string_view(part).substr(2));
    bool first = true;
    if (key.ok() && key->is_object()) {
      for (const auto& member : key->get_object()) {
        if (!std::exchange(first, false)) out += ",";
        out += std::string(member.key()) + "=" + to_json(member.value());
      }
    }
    out += "]";
  }
  return out;
}

struct Owned {
  std::map<std::string, Paths> by_manager;  // appliers only
};

Owned owners_of(const json::value& current) {
  Owned out;
  for (const json::value& entry : get_array(current, "metadata.managedFields")) {
    if (get_string(entry, "operation") != "Apply") continue;
    const json::value* fields = find(entry, "fieldsV1");
    if (fields != nullptr) {
      paths_of(*fields, "", out.by_manager[std::string(get_string(entry, "manager"))]);
    }
  }
  return out;
}

api::ApiError conflict_of(const std::vector<std::pair<std::string, std::string>>& conflicts) {
  std::string message = "Apply failed with " + std::to_string(conflicts.size()) + " conflict" +
                        (conflicts.size() == 1 ? "" : "s") + ": ";
  bool first = true;
  for (const auto& [manager, path] : conflicts) {
    if (!std::exchange(first, false)) message += "\n";
    message += "conflict with \"" + manager + "\": " + shown_path(path);
  }
  api::ApiError error = api::conflict_error({}, "", message);
  error.status.as_object()["message"] = message;
  for (const auto& [manager, path] : conflicts) {
    api::add_cause(error, "FieldManagerConflict", "conflict with \"" + manager + "\"",
                   shown_path(path));
  }
  return error;
}

json::value entry_for(const api::ResourceInfo& info, const std::string& manager,
                      const ApplyRequest& request, const Paths& paths) {
  json::object entry;
  entry["manager"] = manager;
  entry["operation"] = "Apply";
  entry["apiVersion"] = info.api_version;
  entry["time"] = request.time;
  entry["fieldsType"] = "FieldsV1";
  entry["fieldsV1"] = fields_of(paths);
  if (!request.subresource.empty()) entry["subresource"] = request.subresource;
  return entry;
}

}  // namespace

Outcome<json::value> apply_configuration(const api::ResourceInfo& info, const json::value& current,
                                         const ApplyRequest& request) {
  json::value config = request.config;
  erase_key(api::metadata_of(config), "managedFields");
  Paths wanted;
  leaves(config, info.schema, "", wanted);
  std::erase_if(wanted, is_identity);
  Owned owned = owners_of(current);
  std::vector<std::pair<std::string, std::string>> conflicts;
  for (auto& [manager, paths] : owned.by_manager) {
    if (manager == request.manager) continue;
    for (const std::string& path : wanted) {
      if (!paths.contains(path)) continue;
      const json::value* live = value_at(current, info.schema, path);
      const json::value* mine = value_at(config, info.schema, path);
      if (live == nullptr || mine == nullptr || *live == *mine) continue;
      conflicts.emplace_back(manager, path);
    }
  }
  if (!conflicts.empty() && !request.force) return conflict_of(conflicts);
  for (const auto& [manager, path] : conflicts) owned.by_manager[manager].erase(path);
  json::value next = current;
  Paths dropped = owned.by_manager[request.manager];
  for (const std::string& path : wanted) dropped.erase(path);
  for (const auto& [manager, paths] : owned.by_manager) {
    if (manager == request.manager) continue;
    for (const std::string& path : paths) dropped.erase(path);
  }
  for (const std::string& path : dropped) {
    (void)remove_at(next, info.schema, parts_of(path), 0);
  }
  merge(next, config, info.schema);
  owned.by_manager[request.manager] = wanted;
  json::array entries;
  for (const auto& [manager, paths] : owned.by_manager) {
    if (!paths.empty()) entries.push_back(entry_for(info, manager, request, paths));
  }
  api::metadata_of(next)["managedFields"] = std::move(entries);
  return next;
}

}  // namespace coracle::apiserver
