#include <algorithm>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::string_view kOnlyThese =
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)";

// False when containers came or went, after which comparing them says nothing new.
bool container_updates(const json::value& now, const json::value& before, std::string_view list,
                       FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child(list);
  const json::array& containers = get_array(now, list);
  if (containers.size() != get_array(before, list).size()) {
    errors.forbidden(path, "pod updates may not add or remove containers");
    return false;
  }
  std::size_t index = 0;
  for (const json::value& container : containers) {
    if (text_of(container, "image").empty()) {
      errors.required(path.index(index).child("image"));
    }
    ++index;
  }
  return true;
}

void active_deadline(const json::value& now, const json::value& before, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("activeDeadlineSeconds");
  const json::value* value = member(now, "activeDeadlineSeconds");
  const json::value* old_value = member(before, "activeDeadlineSeconds");
  if (value == nullptr) {
    if (old_value != nullptr) {
      errors.invalid(path, nullptr, "must not update from a positive integer to nil value");
    }
    return;
  }
  if (old_value != nullptr &&
      get_int(now, "activeDeadlineSeconds") > get_int(before, "activeDeadlineSeconds")) {
    errors.invalid(path, *value, "must be less than or equal to previous value");
  }
}

// Old tolerations must still be there, but for their seconds.
void added_tolerations(const json::value& now, const json::value& before, FieldErrors& errors) {
  const auto without_seconds = [](const json::value& item) {
    json::value copy = item;
    if (json::object* members = copy.if_object()) {
      erase_key(*members, "tolerationSeconds");
    }
    return copy;
  };
  std::vector<json::value> present;
  for (const json::value& item : get_array(now, "tolerations")) {
    present.push_back(without_seconds(item));
  }
  for (const json::value& item : get_array(before, "tolerations")) {
    if (std::find(present.begin(), present.end(), without_seconds(item)) == present.end()) {
      errors.forbidden(FieldPath("spec").child("tolerations"),
                       "existing toleration can not be modified except its tolerationSeconds");
      return;
    }
  }
}

void removed_gates(const json::value& now, const json::value& before, FieldErrors& errors) {
  std::set<std::string_view> old_gates;
  for (const json::value& gate : get_array(before, "schedulingGates")) {
    old_gates.insert(text_of(gate, "name"));
  }
  std::size_t index = 0;
  for (const json::value& gate : get_array(now, "schedulingGates")) {
    const std::string name(text_of(gate, "name"));
    if (old_gates.count(name) == 0) {
      errors.forbidden(FieldPath("spec").child("schedulingGates").index(index),
                       "only deletion is allowed, but found new scheduling gate '" + name + "'");
    }
    ++index;
  }
}

// What an update may change is taken out of both sides; what remains must be equal.
json::object fixed_part(const json::value& spec) {
  const json::object* members = spec.if_object();
  json::object out = members == nullptr ? json::object() : *members;
  for (const std::string_view key : {"activeDeadlineSeconds", "tolerations", "schedulingGates",
                                     "terminationGracePeriodSeconds"}) {
    erase_key(out, key);
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    json::value* entries = out.if_contains(list);
    if (entries == nullptr || !entries->is_array()) {
      continue;
    }
    for (json::value& container : entries->get_array()) {
      if (json::object* fields = container.if_object()) {
        erase_key(*fields, "image");
      }
    }
  }
  return out;
}

// One line a changed member, so that people see what was refused.
std::string differences(const json::object& before, const json::object& now) {
  std::set<std::string> keys;
  for (const json::object* side : {&before, &now}) {
    for (const auto& [key, value] : *side) {
      keys.emplace(key);
    }
  }
  std::string out;
  for (const std::string& key : keys) {
    const json::value* a = before.if_contains(key);
    const json::value* b = now.if_contains(key);
    if (checks::same(a, b)) {
      continue;
    }
    out += "\n- " + key + ": " + to_json(checks::value_or_null(a));
    out += "\n+ " + key + ": " + to_json(checks::value_or_null(b));
  }
  return out;
}

void pod_update(const json::value& now, const json::value& before, FieldErrors& errors) {
  const bool containers_kept = container_updates(now, before, "containers", errors);
  if (!containers_kept || !container_updates(now, before, "initContainers", errors)) {
    return;
  }
  active_deadline(now, before, errors);
  added_tolerations(now, before, errors);
  removed_gates(now, before, errors);
  json::object fixed = fixed_part(now);
  json::object old_fixed = fixed_part(before);
  const bool gated = !get_array(before, "schedulingGates").empty();
  if (gated) {
    // A gated pod may still be narrowed down to fewer nodes.
    for (const std::string_view key : {"nodeSelector", "affinity"}) {
      erase_key(fixed, key);
      erase_key(old_fixed, key);
    }
  }
  const json::value* grace = member(now, "terminationGracePeriodSeconds");
  const json::value* old_grace = member(before, "terminationGracePeriodSeconds");
  const bool grace_repaired = old_grace != nullptr && grace != nullptr &&
                              get_int(before, "terminationGracePeriodSeconds") < 0 &&
                              get_int(now, "terminationGracePeriodSeconds") == 1;
  if (!grace_repaired && !checks::same(grace, old_grace)) {
    fixed["terminationGracePeriodSeconds"] = checks::value_or_null(grace);
    old_fixed["terminationGracePeriodSeconds"] = checks::value_or_null(old_grace);
  }
  const std::string changed = differences(old_fixed, fixed);
  if (!changed.empty()) {
    errors.forbidden(FieldPath("spec"), std::string(kOnlyThese) + changed);
  }
}

}  // namespace

void pod(const json::value& object, const json::value* old, FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  const json::value& now = spec == nullptr ? kNothing : *spec;
  const FieldPath path("spec");
  pod_spec(now, path, errors);
  if (old != nullptr) {
    const json::value* before = member(*old, "spec");
    pod_update(now, before == nullptr ? kNothing : *before, errors);
    return;
  }
  if (!get_array(now, "ephemeralContainers").empty()) {
    errors.forbidden(path.child("ephemeralContainers"), "cannot be set on create");
  }
  if (!text_of(now, "nodeName").empty() && !get_array(now, "schedulingGates").empty()) {
    errors.forbidden(path.child("nodeName"),
                     "cannot be set until all schedulingGates have been "
                     "cleared");
  }
}

void pod_status(const json::value& object, const json::value& old, FieldErrors& errors) {
  const FieldPath status("status");
  const std::string_view nominated = get_string(object, "status.nominatedNodeName");
  if (!nominated.empty()) {
    checks::dns_subdomain(nominated, status.child("nominatedNodeName"), errors);
  }
  std::size_t index = 0;
  for (const json::value& address : get_array(object, "status.podIPs")) {
    const std::string_view ip = text_of(address, "ip");
    errors.invalid_each(status.child("podIPs").index(index++), checks::text_value(ip),
                        check_ip(ip));
  }
  // A pod that will not be restarted cannot rise again.
  if (get_string(old, "spec.restartPolicy") != "Never") {
    return;
  }
  index = 0;
  const json::array& before = get_array(old, "status.containerStatuses");
  for (const json::value& container : get_array(object, "status.containerStatuses")) {
    const FieldPath at = status.child("containerStatuses").index(index++).child("state");
    for (const json::value& was : before) {
      if (text_of(was, "name") == text_of(container, "name") &&
          find(was, "state.terminated") != nullptr &&
          find(container, "state.terminated") == nullptr) {
        errors.forbidden(at, "may not be transitioned to non-terminated state");
      }
    }
  }
}

}  // namespace coracle::api::validation
