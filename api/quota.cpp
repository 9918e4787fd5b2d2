#include "api/quota.hpp"

#include <algorithm>

namespace coracle::api::quota {
namespace {

const Quantity kOne = Quantity::from_units(1);

void add_resources(Usage& sum, const json::value& c, std::string_view list,
                   std::string_view prefix) {
  for (const auto& [name, value] : get_object(c, list)) {
    sum[std::string(prefix) + std::string(name)].add(quantity(value));
  }
}
void keep_most(Usage& most, const Usage& other) {
  for (const auto& [name, amount] : other) {
    const auto [at, fresh] = most.try_emplace(name, amount);
    if (!fresh && at->second < amount) at->second = amount;
  }
}

Usage pod_usage(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  Usage sum;
  sum["count/pods"] = kOne;
  if (phase == "Succeeded" || phase == "Failed") return sum;
  Usage amounts;
  for (const json::value& c : get_array(pod, "spec.containers")) {
    for (const auto& [name, amount] : container_usage(c)) amounts[name].add(amount);
  }
  for (const json::value& c : get_array(pod, "spec.initContainers")) {
    if (get_string(c, "restartPolicy") != "Always") continue;
    for (const auto& [name, amount] : container_usage(c)) amounts[name].add(amount);
  }
  for (const json::value& c : get_array(pod, "spec.initContainers")) {
    if (get_string(c, "restartPolicy") != "Always") keep_most(amounts, container_usage(c));
  }
  add_resources(amounts, pod, "spec.overhead", "requests.");
  sum.insert(amounts.begin(), amounts.end());
  sum["pods"] = kOne;
  for (const char* name : {"cpu", "memory", "ephemeral-storage"}) {
    const auto found = amounts.find("requests." + std::string(name));
    if (found != amounts.end()) sum[name] = found->second;
  }
  return sum;
}

Usage service_usage(const json::value& service) {
  Usage out;
  const std::string_view type = get_string(service, "spec.type", "ClusterIP");
  out["services"] = kOne;
  if (type == "LoadBalancer") out["services.loadbalancers"] = kOne;
  std::int64_t ports = 0;
  const bool takes =
      type == "NodePort" ||
      (type == "LoadBalancer" && get_bool(service, "spec.allocateLoadBalancerNodePorts", true));
  if (takes) ports = std::ssize(get_array(service, "spec.ports"));
  if (ports > 0) out["services.nodeports"] = Quantity::from_units(ports);
  return out;
}

Usage claim_usage(const json::value& claim) {
  Usage out;
  const json::value* asked = find(claim, "spec.resources.requests.storage");
  const Quantity size = asked ? quantity(*asked) : Quantity();
  const std::string name(get_string(claim, "spec.storageClassName"));
  out["persistentvolumeclaims"] = kOne;
  out["requests.storage"] = size;
  if (!name.empty()) {
    const std::string prefix = name + ".storageclass.storage.k8s.io/";
    out[prefix + "persistentvolumeclaims"] = kOne;
    out[prefix + "requests.storage"] = size;
  }
  return out;
}

// At most: what a request for all gets is not known before, and of alternatives the one counts that
// takes most of a class.
Usage device_claim_usage(const json::value& claim) {
  constexpr std::int64_t kResultsMax = 32;  // of an allocation
  const auto devices_of = [](const json::value& request) {
    Usage one;
    const bool all = get_string(request, "allocationMode") == "All";
    one[std::string(get_string(request, "deviceClassName")).append(kDevicesOfClass)] =
        Quantity::from_units(all ? kResultsMax : get_int(request, "count", 1));
    return one;
  };
  Usage out;
  for (const json::value& request : get_array(claim, "spec.devices.requests")) {
    Usage most;
    if (const json::value* exactly = find(request, "exactly")) most = devices_of(*exactly);
    for (const json::value& alternative : get_array(request, "firstAvailable")) {
      keep_most(most, devices_of(alternative));
    }
    for (const auto& [name, amount] : most) out[name].add(amount);
  }
  return out;
}

bool best_effort(const json::value& pod) {
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      for (const char* what : {"resources.requests", "resources.limits"}) {
        for (const char* name : {"cpu", "memory"}) {
          const json::value* amount = find_member(get_object(c, what), name);
          if (amount != nullptr && !quantity(*amount).is_zero()) return false;
        }
      }
    }
  }
  return true;
}

bool in_scope(const json::value& pod, std::string_view scope, std::string_view op,
              const json::value& selector) {
  const bool terminating = find(pod, "spec.activeDeadlineSeconds") != nullptr;
  if (scope == "Terminating") return terminating;
  if (scope == "NotTerminating") return !terminating;
  if (scope == "BestEffort") return best_effort(pod);
  if (scope == "NotBestEffort") return !best_effort(pod);
  if (scope != "PriorityClass") return false;
  const std::string_view name = get_string(pod, "spec.priorityClassName");
  if (op == "Exists" || op.empty()) return !name.empty();
  if (op == "DoesNotExist") return name.empty();
  const json::array& values = get_array(selector, "values");
  const bool listed = std::any_of(values.begin(), values.end(), [&](const json::value& value) {
    return value.is_string() && std::string_view(value.get_string()) == name;
  });
  return op == "In" ? listed : !listed && !name.empty();
}

}  // namespace

Quantity quantity(const json::value& value) {
  const auto parsed =
      value.is_string() ? Quantity::parse(value.get_string()) : Result<Quantity>(Quantity());
  return parsed.ok() ? *parsed : Quantity();
}
Usage container_usage(const json::value& c) {
  Usage out;
  add_resources(out, c, "resources.requests", "requests.");
  add_resources(out, c, "resources.limits", "limits.");
  return out;
}

Usage usage_of(std::string_view group, std::string_view plural, const json::value& object) {
  Usage out;
  if (group.empty()) {
    if (plural == "pods") return pod_usage(object);
    if (plural == "services") out = service_usage(object);
    if (plural == "persistentvolumeclaims") out = claim_usage(object);
    for (const std::string_view counted :
         {"configmaps", "secrets", "replicationcontrollers", "resourcequotas"}) {
      if (plural == counted) out[std::string(counted)] = kOne;
    }
  }
  if (group == "resource.k8s.io" && plural == "resourceclaims") out = device_claim_usage(object);
  std::string counted = "count/" + std::string(plural);
  if (!group.empty()) counted += "." + std::string(group);
  out[counted] = kOne;
  return out;
}

Usage usage_of(const ResourceInfo& info, const json::value& object) {
  return usage_of(info.group, info.plural, object);
}

// Quotas with scopes are of pods only.
bool matches(const json::value& quota, bool is_pod, const json::value& object) {
  const json::array& scopes = get_array(quota, "spec.scopes");
  const json::array& selectors = get_array(quota, "spec.scopeSelector.matchExpressions");
  if (scopes.empty() && selectors.empty()) return true;
  if (!is_pod) return false;
  for (const json::value& scope : scopes) {
    if (!scope.is_string() || !in_scope(object, scope.get_string(), "", json::value()))
      return false;
  }
  for (const json::value& s : selectors) {
    if (!in_scope(object, get_string(s, "scopeName"), get_string(s, "operator"), s)) {
      return false;
    }
  }
  return true;
}

}  // namespace coracle::api::quota
