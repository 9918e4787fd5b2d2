#include <algorithm>
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

std::int64_t members(const json::value& object, std::string_view path) {
  return static_cast<std::int64_t>(get_object(object, path).size());
}

json::value config_map_data(const json::value& object, WallTime) {
  return members(object, "data") + members(object, "binaryData");
}

json::value secret_data(const json::value& object, WallTime) { return members(object, "data"); }

// "cpu: 1/4, pods: 2/10": the limits.* of a quota, or all others.
json::value quota(const json::value& object, bool limits) {
  std::vector<std::string> names;
  for (const auto& [name, hard] : get_object(object, "status.hard")) {
    if (std::string_view(name).starts_with("limits.") == limits) {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> parts;
  const json::object& used = get_object(object, "status.used");
  const json::object& hard = get_object(object, "status.hard");
  for (const std::string& name : names) {
    const std::string amount = cells::scalar_text(find_member(used, name));
    parts.push_back(name + ": " + (amount.empty() ? "0" : amount) + "/" +
                    cells::scalar_text(find_member(hard, name)));
  }
  return cells::text(join(parts, ", "));
}

json::value quota_requests(const json::value& object, WallTime) { return quota(object, false); }
json::value quota_limits(const json::value& object, WallTime) { return quota(object, true); }

json::value budget_min(const json::value& object, WallTime) {
  return cells::text_or(cells::scalar_text(find(object, "spec.minAvailable")), "N/A");
}

json::value budget_max(const json::value& object, WallTime) {
  return cells::text_or(cells::scalar_text(find(object, "spec.maxUnavailable")), "N/A");
}

json::value global_default(const json::value& object, WallTime) {
  return get_bool(object, "globalDefault");
}

json::value scaler_reference(const json::value& object, WallTime) {
  return cells::text(std::string(get_string(object, "spec.scaleTargetRef.kind")) + "/" +
                     std::string(get_string(object, "spec.scaleTargetRef.name")));
}

json::value scaler_min(const json::value& object, WallTime) {
  return cells::text_or(cells::scalar_text(find(object, "spec.minReplicas")), cells::kUnset);
}

json::value scaler_replicas(const json::value& object, WallTime) {
  return get_int(object, "status.currentReplicas");
}

std::string amount_of(const json::value* target) {
  if (target == nullptr) {
    return {};
  }
  if (const json::value* percent = find(*target, "averageUtilization")) {
    return cells::scalar_text(percent) + "%";
  }
  const std::string average = cells::scalar_text(find(*target, "averageValue"));
  return average.empty() ? cells::scalar_text(find(*target, "value")) : average;
}

// The member of a metric that holds its numbers: {type: Resource, resource: {...}}.
std::string_view metric_member(std::string_view type) {
  if (type == "Resource") {
    return "resource";
  }
  if (type == "ContainerResource") {
    return "containerResource";
  }
  return type == "Pods" ? "pods" : type == "Object" ? "object" : "external";
}

// "cpu: 12%/80%", "<unknown>" for what was not measured yet.
json::value scaler_targets(const json::value& object, WallTime) {
  std::vector<std::string> parts;
  const json::array& current = get_array(object, "status.currentMetrics");
  std::size_t index = 0;
  for (const json::value& metric : get_array(object, "spec.metrics")) {
    const std::string member(metric_member(get_string(metric, "type")));
    std::string now;
    if (index < current.size()) {
      now = amount_of(find(current[index], member + ".current"));
    }
    ++index;
    std::string text;
    if (member == "resource" || member == "containerResource") {
      text = std::string(get_string(metric, member + ".name")) + ": ";
    }
    text += now.empty() ? std::string(cells::kUnknown) : now;
    parts.push_back(text + "/" + amount_of(find(metric, member + ".target")));
  }
  constexpr std::size_t kShown = 2;
  if (parts.size() <= kShown) {
    return cells::text_or(join(parts, ", "), cells::kNone);
  }
  return cells::text(parts[0] + ", " + parts[1] + " + " + std::to_string(parts.size() - kShown) +
                     " more...");
}

json::value lease_holder(const json::value& object, WallTime) {
  return cells::text(get_string(object, "spec.holderIdentity"));
}

json::value rbac_role(const json::value& object, WallTime) {
  return cells::text(std::string(get_string(object, "roleRef.kind")) + "/" +
                     std::string(get_string(object, "roleRef.name")));
}

json::value subjects(const json::value& object, std::string_view kind) {
  std::vector<std::string> parts;
  for (const json::value& subject : get_array(object, "subjects")) {
    if (get_string(subject, "kind") != kind) {
      continue;
    }
    std::string name(get_string(subject, "name"));
    if (kind == "ServiceAccount") {
      name = std::string(get_string(subject, "namespace")) + "/" + name;
    }
    parts.push_back(name);
  }
  return cells::text(join(parts, ", "));
}

json::value rbac_users(const json::value& object, WallTime) { return subjects(object, "User"); }
json::value rbac_groups(const json::value& object, WallTime) { return subjects(object, "Group"); }
json::value rbac_accounts(const json::value& object, WallTime) {
  return subjects(object, "ServiceAccount");
}

json::value claim_state(const json::value& object, WallTime) {
  std::vector<std::string> states;
  if (!deletion_timestamp_of(object).empty()) {
    states.emplace_back("deleted");
  }
  if (find(object, "status.allocation") == nullptr) {
    if (states.empty()) {
      states.emplace_back("pending");
    }
  } else {
    states.emplace_back("allocated");
    if (!get_array(object, "status.reservedFor").empty()) {
      states.emplace_back("reserved");
    }
  }
  return cells::text(join(states, ","));
}

constexpr ColumnHook kColumns[] = {
    {"configmap.data", config_map_data},
    {"secret.data", secret_data},
    {"quota.requests", quota_requests},
    {"quota.limits", quota_limits},
    {"pdb.minAvailable", budget_min},
    {"pdb.maxUnavailable", budget_max},
    {"priorityclass.globalDefault", global_default},
    {"hpa.reference", scaler_reference},
    {"hpa.minPods", scaler_min},
    {"hpa.replicas", scaler_replicas},
    {"hpa.targets", scaler_targets},
    {"lease.holder", lease_holder},
    {"rbac.role", rbac_role},
    {"rbac.users", rbac_users},
    {"rbac.groups", rbac_groups},
    {"rbac.serviceAccounts", rbac_accounts},
    {"resourceclaim.state", claim_state},
};

}  // namespace

std::span<const ColumnHook> policy_columns() { return kColumns; }

}  // namespace coracle::api
