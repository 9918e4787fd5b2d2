#include "apiserver/aggregation/registration.hpp"

#include <algorithm>
#include <set>

#include "api/custom_kind.hpp"
#include "api/object.hpp"

namespace coracle::apiserver {

namespace {

constexpr int kGroupPriority = 1000, kVersionPriority = 100;

json::object spec_for(std::string_view group, std::string_view version) {
  json::object spec;
  spec["group"] = group;
  spec["version"] = version;
  spec["groupPriorityMinimum"] = kGroupPriority;
  spec["versionPriority"] = kVersionPriority;
  return spec;
}

bool is_ours(const json::value& service) { return api::label_of(service, kAutomanaged) == "true"; }

}  // namespace

RegistrationPlan plan_registrations(const std::vector<json::value>& definitions,
                                    const std::map<std::string, json::value>& services,
                                    const std::vector<std::string>& builtin) {
  RegistrationPlan plan;
  std::set<std::string> wanted;
  for (const json::value& definition : definitions) {
    if (!api::definition_condition(definition, "Established")) continue;
    const std::string group(get_string(definition, "spec.group"));
    for (const json::value& version : get_array(definition, "spec.versions")) {
      if (!get_bool(version, "served")) continue;
      const std::string name = std::string(get_string(version, "name")) + "." + group;
      if (std::ranges::find(builtin, name) != builtin.end() || !wanted.insert(name).second) {
        continue;
      }
      const json::object spec = spec_for(group, get_string(version, "name"));
      const auto known = services.find(name);
      if (known == services.end()) {
        json::value made = json::object{{"kind", "APIService"},
                                        {"apiVersion", "apiregistration.k8s.io/v1"},
                                        {"metadata", json::object{{"name", name}}},
                                        {"spec", spec}};
        api::set_label(made, kAutomanaged, "true");
        plan.create.push_back(std::move(made));
      } else if (is_ours(known->second)) {
        const json::object& have = get_object(known->second, "spec");
        if (have != spec) plan.repair[name] = spec;
      }
    }
  }
  for (const auto& [name, service] : services) {
    if (is_ours(service) && !wanted.contains(name)) plan.remove.push_back(name);
  }
  return plan;
}

}  // namespace coracle::apiserver
