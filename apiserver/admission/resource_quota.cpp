// ResourceQuota: a namespace's objects stay within its quotas. Usage is counted from the caches,
// with what was admitted a moment ago and is not there yet.
#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/quota.hpp"
#include "apiserver/admission/plugins.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

using api::quota::quantity;
using api::quota::Usage;
using api::quota::usage_of;
// The caches lag by milliseconds; a claim whose write failed must not hold others up for long.
constexpr Duration kClaimLife = std::chrono::seconds(1);

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
        if (!api::quota::container_usage(c).contains(full))
          containers.emplace_back(get_string(c, "name"));
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
      const api::Quantity limit = quantity(*find_member(hard, what));
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
  void claim(const std::string& name, std::vector<std::string> quotas) {
    json::object usage;
    for (const auto& [what, amount] : delta_) usage[what] = amount.text();
    if (a_.state.claims.size() >= AdmissionState::kClaimsMax) a_.state.claims.pop_front();
    a_.state.claims.push_back({a_.c.info.ns, a_.c.storage->storage_prefix, name, now_ + kClaimLife,
                               std::move(usage), std::move(quotas)});
  }

 private:
  Usage usage(const json::value& quota) {
    Usage sum;
    a_.scan(a_.c.storage->storage_prefix, a_.c.info.ns, [&](const json::value& other) {
      if (!api::quota::matches(quota, is_pod_, other)) return true;
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
      if (std::ranges::find(c.quotas, api::name_of(quota)) == c.quotas.end()) continue;
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

// What is deleted had been seen, also if no quota was asked in between.
void drop_claim(Admitted& a, const json::value& object) {
  std::erase_if(a.state.claims, [&](const QuotaClaim& c) {
    return c.name == api::name_of(object) && c.ns == a.c.info.ns &&
           c.storage_prefix == a.c.storage->storage_prefix;
  });
}

}  // namespace

Outcome<Done> check_resource_quota(Admitted& a, const json::value* object, const json::value* old) {
  if (object == nullptr && old != nullptr && !a.c.dry_run) drop_claim(a, *old);
  if (object == nullptr || !a.c.resource->namespaced || !a.c.info.subresource.empty()) {
    return Done{};
  }
  std::vector<json::value> quotas;
  a.scan("resourcequotas", a.c.info.ns, [&](const json::value& quota) {
    if (api::quota::matches(quota, a.is("", "Pod"), *object)) quotas.push_back(quota);
    return true;
  });
  if (quotas.empty()) return Done{};
  Counter counter(a, *object, old);
  if (counter.nothing()) return Done{};
  std::vector<std::string> names;
  for (const json::value& quota : quotas) {
    const Outcome<Done> answer = counter.check(quota, old == nullptr);
    if (!answer.ok()) return answer;
    names.emplace_back(api::name_of(quota));
  }
  if (old == nullptr && !a.c.dry_run) counter.claim(a.c.info.name, std::move(names));
  return Done{};
}

}  // namespace coracle::apiserver
