// LimitRanger: defaults, bounds and ratios that a namespace's LimitRanges set for containers, pods
// and claims.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "apiserver/admission/plugins.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";

using Amounts = std::map<std::string, api::Quantity, std::less<>>;

Amounts amounts_of(const json::value& root, std::string_view path) {
  Amounts out;
  for (const auto& [name, value] : get_object(root, path)) {
    if (!value.is_string()) continue;
    const auto parsed = api::Quantity::parse(value.get_string());
    if (parsed.ok()) out[std::string(name)] = *parsed;
  }
  return out;
}

// Sets what is not set; names of what was.
std::vector<std::string> merge(json::object& resources, std::string_view list,
                               const json::object& defaults) {
  std::vector<std::string> set;
  for (const auto& [name, value] : defaults) {
    json::value& slot = resources[list];
    json::object& have = slot.is_object() ? slot.get_object() : slot.emplace_object();
    if (have.contains(name)) continue;
    have[name] = value;
    set.emplace_back(name);
  }
  std::ranges::sort(set);
  return set;
}

void fill_containers(json::object& spec, std::string_view list, std::string_view what,
                     const json::value& limit, std::vector<std::string>& notes) {
  json::value* containers = find_member(spec, list);
  if (containers == nullptr || !containers->is_array()) return;
  for (json::value& container : containers->get_array()) {
    json::object& resources = make_object(container, "resources");
    const auto requests = merge(resources, "requests", get_object(limit, "defaultRequest"));
    const auto limits = merge(resources, "limits", get_object(limit, "default"));
    const std::string name(get_string(container, "name"));
    const auto note = [&](const std::vector<std::string>& names, std::string_view kind) {
      if (names.empty()) return;
      notes.push_back(fmt::format("{} {} for {} {}", join(names, ", "), kind, what, name));
    };
    note(requests, "request");
    note(limits, "limit");
  }
}

// One kind of thing ("Container") against one item of a LimitRange.
class Bounds {
 public:
  Bounds(const json::value& limit, std::string_view type, std::vector<std::string>& errors)
      : limit_(limit), type_(type), errors_(errors) {}

  void check(const Amounts& requests, const Amounts& limits, bool requests_only = false) {
    for (const auto& [name, least] : amounts_of(limit_, "min")) {
      const auto request = requests.find(name), limit = limits.find(name);
      const std::string rule =
          fmt::format("minimum {} usage per {} is {}", name, type_, least.text());
      if (request == requests.end()) {
        errors_.push_back(rule + ".  No request is specified");
      } else if (request->second < least) {
        errors_.push_back(rule + ", but request is " + request->second.text());
      } else if (limit != limits.end() && limit->second < least) {
        errors_.push_back(rule + ", but limit is " + limit->second.text());
      }
    }
    for (const auto& [name, most] : amounts_of(limit_, "max")) {
      maximum(name, most, requests, limits, requests_only);
    }
    for (const auto& [name, most] : amounts_of(limit_, "maxLimitRequestRatio")) {
      ratio(name, most, requests, limits);
    }
  }

 private:
  void maximum(const std::string& name, const api::Quantity& most, const Amounts& requests,
               const Amounts& limits, bool requests_only) {
    const auto request = requests.find(name), limit = limits.find(name);
    const std::string rule = fmt::format("maximum {} usage per {} is {}", name, type_, most.text());
    if (requests_only && request == requests.end()) {
      errors_.push_back(rule + ".  No request is specified");
    } else if (!requests_only && limit == limits.end()) {
      errors_.push_back(rule + ".  No limit is specified");
    } else if (!requests_only && limit->second > most) {
      errors_.push_back(rule + ", but limit is " + limit->second.text());
    } else if (request != requests.end() && request->second > most) {
      errors_.push_back(rule + ", but request is " + request->second.text());
    }
  }
  void ratio(const std::string& name, const api::Quantity& most, const Amounts& requests,
             const Amounts& limits) {
    const auto request = requests.find(name), limit = limits.find(name);
    const std::string rule =
        fmt::format("{} max limit to request ratio per {} is {}, but ", name, type_, most.text());
    if (request == requests.end() || request->second.is_zero()) {
      errors_.push_back(rule + "no request is specified or request is 0");
    } else if (limit == limits.end() || limit->second.is_zero()) {
      errors_.push_back(rule + "no limit is specified or limit is 0");
    } else if (const double have = limit->second.as_double() / request->second.as_double();
               have > most.as_double()) {
      errors_.push_back(rule + fmt::format("provided ratio is {:f}", have));
    }
  }

  const json::value& limit_;
  const std::string_view type_;
  std::vector<std::string>& errors_;
};

void add_all(Amounts& sum, const Amounts& more) {
  for (const auto& [name, amount] : more) sum[name].add(amount);
}
void keep_most(Amounts& most, const Amounts& other) {
  for (const auto& [name, amount] : other) {
    const auto [at, fresh] = most.try_emplace(name, amount);
    if (!fresh && at->second < amount) at->second = amount;
  }
}

// What a pod asks for: its containers together, or more when one that runs before them does.
Amounts pod_amounts(const json::value& pod, std::string_view list) {
  Amounts sum;
  for (const json::value& c : get_array(pod, "spec.containers")) add_all(sum, amounts_of(c, list));
  for (const json::value& c : get_array(pod, "spec.initContainers")) {
    if (get_string(c, "restartPolicy") == "Always") add_all(sum, amounts_of(c, list));
  }
  for (const json::value& c : get_array(pod, "spec.initContainers")) {
    if (get_string(c, "restartPolicy") != "Always") keep_most(sum, amounts_of(c, list));
  }
  return sum;
}

void check_pod(const json::value& pod, const json::value& limit, std::vector<std::string>& errors) {
  const std::string_view type = get_string(limit, "type");
  Bounds bounds(limit, type, errors);
  if (type == "Container") {
    for (const char* list : {"spec.containers", "spec.initContainers"}) {
      for (const json::value& c : get_array(pod, list)) {
        bounds.check(amounts_of(c, "resources.requests"), amounts_of(c, "resources.limits"));
      }
    }
  } else if (type == "Pod") {
    bounds.check(pod_amounts(pod, "resources.requests"), pod_amounts(pod, "resources.limits"));
  }
}

}  // namespace

Task<Outcome<Done>> fill_limit_ranger(Admitted& a, json::value& pod) {
  if (!a.is("", "Pod")) co_return Done{};
  std::vector<std::string> notes;
  a.scan("limitranges", a.c.info.ns, [&](const json::value& range) {
    for (const json::value& limit : get_array(range, "spec.limits")) {
      if (get_string(limit, "type") != "Container") continue;
      json::object& spec = make_object(pod, "spec");
      fill_containers(spec, "containers", "container", limit, notes);
      fill_containers(spec, "initContainers", "init container", limit, notes);
    }
    return true;
  });
  if (!notes.empty()) {
    api::set_annotation(pod, kAnnotation, "LimitRanger plugin set: " + join(notes, "; "));
  }
  co_return Done{};
}

Outcome<Done> check_limit_ranger(Admitted& a, const json::value* object, const json::value* old) {
  const bool pod = a.is("", "Pod");
  if (object == nullptr || !a.c.info.subresource.empty()) return Done{};
  // A pod's resources do not change by an update; a claim's do.
  if (!(pod && old == nullptr) && !a.is("", "PersistentVolumeClaim")) return Done{};
  std::vector<std::string> errors;
  a.scan("limitranges", a.c.info.ns, [&](const json::value& range) {
    for (const json::value& limit : get_array(range, "spec.limits")) {
      if (pod) {
        check_pod(*object, limit, errors);
      } else if (get_string(limit, "type") == "PersistentVolumeClaim") {
        Bounds(limit, "PersistentVolumeClaim", errors)
            .check(amounts_of(*object, "spec.resources.requests"), {}, true);
      }
    }
    return errors.empty();  // upstream stops at the first LimitRange that is violated
  });
  if (errors.empty()) return Done{};
  return a.forbidden(*object, aggregate_text(errors));
}

}  // namespace coracle::apiserver
