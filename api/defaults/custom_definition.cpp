// CustomResourceDefinition.
#include "api/defaults/defaults.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api::defaults {

namespace {

std::string storage_version(const json::value& object) {
  for (const json::value& version : get_array(object, "spec.versions")) {
    if (get_bool(version, "storage")) return std::string(get_string(version, "name"));
  }
  return {};
}

void add_stored_version(json::object& object) {
  json::value view = object;
  const std::string version = storage_version(view);
  if (version.empty()) return;
  for (const json::value& known : get_array(view, "status.storedVersions")) {
    if (known.is_string() && known.get_string() == version) return;
  }
  json::value& status = object["status"];
  if (!status.is_object()) status.emplace_object();
  json::value& list = status.get_object()["storedVersions"];
  if (!list.is_array()) list.emplace_array();
  list.get_array().emplace_back(version);
}

}  // namespace

void set_custom_definition(json::object& object) {
  json::value* spec = find_member(object, "spec");
  if (spec == nullptr || !spec->is_object()) return;
  json::object& members = spec->get_object();
  if (json::value* names = find_member(members, "names"); names && names->is_object()) {
    json::object& n = names->get_object();
    const std::string kind(get_string(*names, "kind"));
    if (get_string(*names, "singular").empty() && !kind.empty()) n["singular"] = to_lower(kind);
    if (get_string(*names, "listKind").empty() && !kind.empty()) n["listKind"] = kind + "List";
  }
  if (!members.contains("conversion")) {
    members["conversion"] = json::object{{"strategy", "None"}};
  }
}

void prepare_custom_definition_create(json::object& object) { add_stored_version(object); }

// The storage version of now joins those that may be in the store.
void prepare_custom_definition_update(json::object& object, const json::value&) {
  add_stored_version(object);
}

}  // namespace coracle::api::defaults
