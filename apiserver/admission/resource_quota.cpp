// ResourceQuota: a namespace's objects stay within its quotas. Usage is counted from the caches,
// with what was admitted a moment ago and is not there yet.
#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "apiserver/admission/plugins.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

using Usage = std::map<std::string, api::Quantity, std::less<>>;
// The caches lag by milliseconds; a claim whose write failed must not hold others up for long.
constexpr Duration kClaimLife = std::chrono::seconds(1);

api::Quantity quantity(const json::value& value) {
  const auto parsed = value.is_string() ? api::Quantity::parse(value.get_string())
                                        : Result<api::Quantity>(api::Quantity());
  return parsed.ok() ? *parsed : api::Quantity();
}
const api::Quantity kOne = api::Quantity::from_units(1);

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

Usage container_usage(const json::value& c) {
  Usage out;
  add_resources(out, c, "resources.requests", "requests.");
  add_resources(out, c, "resources.limits", "limits.");
  return out;
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
  if (ports > 0) out["services.nodeports"] = api::Quantity::from_units(ports);
  return out;
}

Usage claim_usage(const json::value& claim) {
  Usage out;
  const json::value* asked = find(claim, "spec.resources.requests.storage");
  const api::Quantity size = asked ? quantity(*asked) : api::Quantity();
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

Usage usage_of(const api::ResourceInfo& info, const json::value& object) {
  Usage out;
  if (info.group.empty()) {
    if (info.kind == "Pod") return pod_usage(object);
    if (info.kind == "Service") out = service_usage(object);
    if (info.kind == "PersistentVolumeClaim") out = claim_usage(object);
    for (std::string_view plural :
         {"configmaps", "secrets", "replicationcontrollers", "resourcequotas"}) {
      if (info.plural == plural) out[std::string(plural)] = kOne;
    }
  }
  out["count/" + info.plural + (info.group.empty() ? "" : "." + info.group)] = kOne;
  return out;
}

bool best_effort(const json::value& pod) {
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      for (const char* what : {"resources.requests", "resources.limits"}) {
        for (const char* name : {"cpu", "memory"}) {
          const json::value* amount = get_object(c, what).if_contains(name);
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
  const bool listed = lists_text(selector, "values", name);
  return op == "In" ? listed : !listed && !name.empty();
}

// Quotas with scopes are of pods only.
bool quota_matches(const json::value& quota, bool is_pod, const json::value& object) {
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

// `must specify limits.cpu for: a,b; ...`: a quota of an amount demands that pods state it.
std::string unspecified(const json::object& hard, const json::value& pod) {
  std::vector<std::string> missing;
  for (std::string_view name :
       {"cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"}) {
    if (!hard.contains(name)) continue;
    const std::string full =
        std::string(name.find('.') == std::string_view::npos ? "requests." : "") +
        std::string(name);
    std::vector<std::string> containers;
    for (const char* list : {"spec.containers", "spec.initContainers"}) {
      for (const json::value& c : get_array(pod, list)) {
        if (!container_usage(c).contains(full)) containers.emplace_back(get_string(c, "name"));
      }
    }
    std::ranges::sort(containers);
    if (!containers.empty()) {
      missing.push_back(std::string(name) + " for: " + join(containers, ","));
    }
  }
  return join(missing, "; ");
}

class Counter {
 public:
  Counter(Admitted& a, const json::value& object, const json::value* old)
      : a_(a), object_(object), is_pod_(a.is("", "Pod")), now_(a.m.executor.now()) {
    delta_ = usage_of(*a.c.storage, object);
    if (old != nullptr) {
      for (const auto& [name, amount] : usage_of(*a.c.storage, *old)) delta_[name].sub(amount);
    }
    std::erase_if(delta_, [](const auto& entry) { return entry.second.sign() <= 0; });
  }
  bool nothing() const { return delta_.empty(); }

  Outcome<Done> check(const json::value& quota, bool created) {
    const json::object& hard = get_object(quota, "spec.hard");
    Usage asked;
    for (const auto& [name, amount] : delta_) {
      if (hard.contains(name)) asked[name] = amount;
    }
    const std::string name(api::name_of(quota));
    if (is_pod_ && created) {
      const std::string missing = unspecified(hard, object_);
      if (!missing.empty()) {
        return a_.forbidden(object_, "failed quota: " + name + ": must specify " + missing);
      }
    }
    if (asked.empty()) return Done{};
    const Usage used = usage(quota);
    std::vector<std::string> want, have, most;
    for (const auto& [what, amount] : asked) {
      const auto found = used.find(what);
      const api::Quantity before = found == used.end() ? api::Quantity() : found->second;
      api::Quantity sum = before;
      sum.add(amount);
      const api::Quantity limit = quantity(*hard.if_contains(what));
      if (sum <= limit) continue;
      want.push_back(what + "=" + amount.text());
      have.push_back(what + "=" + before.text());
      most.push_back(what + "=" + limit.text());
    }
    if (want.empty()) return Done{};
    return a_.forbidden(object_, "exceeded quota: " + name + ", requested: " + join(want, ",") +
                                     ", used: " + join(have, ",") +
                                     ", limited: " + join(most, ","));
  }

  // Others must count it before the caches show it.
  void claim(const std::string& name) {
    json::object usage;
    for (const auto& [what, amount] : delta_) usage[what] = amount.text();
    if (a_.state.claims.size() >= AdmissionState::kClaimsMax) a_.state.claims.pop_front();
    a_.state.claims.push_back(
        {a_.c.info.ns, a_.c.storage->storage_prefix, name, now_ + kClaimLife, std::move(usage)});
  }

 private:
  Usage usage(const json::value& quota) {
    Usage sum;
    a_.scan(a_.c.storage->storage_prefix, a_.c.info.ns, [&](const json::value& other) {
      if (!quota_matches(quota, is_pod_, other)) return true;
      for (const auto& [name, amount] : usage_of(*a_.c.storage, other)) sum[name].add(amount);
      return true;
    });
    std::erase_if(a_.state.claims, [&](const QuotaClaim& c) {
      const ResourceCache* seen = a_.m.feed.cache(c.storage_prefix);
      return c.until <= now_ || (seen != nullptr && seen->find(c.ns + "/" + c.name));
    });
    for (const QuotaClaim& c : a_.state.claims) {
      const bool same = c.ns == a_.c.info.ns && c.storage_prefix == a_.c.storage->storage_prefix;
      if (!same || c.name == a_.c.info.name) continue;  // this one, asked again
      for (const auto& [name, amount] : c.usage) sum[std::string(name)].add(quantity(amount));
    }
    return sum;
  }

  Admitted& a_;
  const json::value& object_;
  const bool is_pod_;
  const TimePoint now_;
  Usage delta_;
};

}  // namespace

Outcome<Done> check_resource_quota(Admitted& a, const json::value* object, const json::value* old) {
  if (object == nullptr || !a.c.resource->namespaced || !a.c.info.subresource.empty()) {
    return Done{};
  }
  std::vector<json::value> quotas;
  a.scan("resourcequotas", a.c.info.ns, [&](const json::value& quota) {
    if (quota_matches(quota, a.is("", "Pod"), *object)) quotas.push_back(quota);
    return true;
  });
  if (quotas.empty()) return Done{};
  Counter counter(a, *object, old);
  if (counter.nothing()) return Done{};
  for (const json::value& quota : quotas) {
    const Outcome<Done> answer = counter.check(quota, old == nullptr);
    if (!answer.ok()) return answer;
  }
  if (old == nullptr && !a.c.dry_run) counter.claim(a.c.info.name);
  return Done{};
}

}  // namespace coracle::apiserver
