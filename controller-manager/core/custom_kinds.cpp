#include "controllers/custom_kinds.hpp"

#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {

CustomKind custom_kind_of(const json::value& definition) {
  CustomKind custom;
  const json::value* established = condition(definition, "Established");
  if (established == nullptr || get_string(*established, "status") != "True") return custom;
  for (const json::value& version : get_array(definition, "spec.versions")) {
    if (!get_bool(version, "served")) continue;
    if (custom.gvr.version.empty() || get_bool(version, "storage")) {
      custom.gvr.version = get_string(version, "name");
    }
  }
  if (custom.gvr.version.empty()) return custom;
  custom.gvr.group = get_string(definition, "spec.group");
  custom.gvr.plural = get_string(definition, "spec.names.plural");
  custom.gvr.namespaced = get_string(definition, "spec.scope") == "Namespaced";
  custom.kind = get_string(definition, "spec.names.kind");
  return custom;
}

std::vector<CustomKind> custom_kinds(const World& world) {
  std::vector<CustomKind> all;
  for (const auto& [name, definition] : world.of(gvr::kCustomResourceDefinitions).objects()) {
    CustomKind custom = custom_kind_of(*definition);
    if (!custom.kind.empty() && world.follows(custom.gvr)) all.push_back(std::move(custom));
  }
  return all;
}

}  // namespace coracle::controllers
