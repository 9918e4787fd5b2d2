#include <algorithm>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
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
    const std::string_view image = text_of(container, "image");
    if (image.empty()) {
      errors.required(path.index(index).child("image"));
    }
    if (trim(image).size() != image.size()) {
      errors.invalid(path.index(index).child("image"), image,
                     "must not have leading or trailing whitespace");
    }
    ++index;
  }
  return true;
}

// False when it grew, after which upstream looks no further.
bool active_deadline(const json::value& now, const json::value& before, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("activeDeadlineSeconds");
  const json::value* value = member(now, "activeDeadlineSeconds");
  const json::value* old_value = member(before, "activeDeadlineSeconds");
  if (value == nullptr) {
    if (old_value != nullptr) {
      errors.invalid(path, nullptr, "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (old_value != nullptr &&
      get_int(now, "activeDeadlineSeconds") > get_int(before, "activeDeadlineSeconds")) {
    errors.invalid(path, *value, "must be less than or equal to previous value");
    return false;
  }
  return true;
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
  tolerations(now, FieldPath("spec"), errors);
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
      errors.forbidden(FieldPath("spec").child("schedulingGates").index(index).child("name"),
                       "only deletion is allowed, but found new scheduling gate '" + name + "'");
    }
    ++index;
  }
}

void put_back(json::object& now, const json::value& before, std::string_view key) {
  if (const json::value* was = member(before, key)) {
    now[key] = *was;
  } else {
    erase_key(now, key);
  }
}

// The new spec with all that an update may change as it was: what still differs may not.
json::value munged(const json::value& now, const json::value& before) {
  json::value out = now;
  json::object* members = out.if_object();
  if (members == nullptr) {
    return out;
  }
  for (const std::string_view key : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    put_back(*members, before, key);
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    json::value* entries = find_member(*members, list);
    const json::array& old_entries = get_array(before, list);
    if (entries == nullptr || !entries->is_array()) {
      continue;
    }
    json::array& containers = entries->get_array();
    for (std::size_t i = 0; i < containers.size() && i < old_entries.size(); ++i) {
      if (json::object* fields = containers[i].if_object()) {
        put_back(*fields, old_entries[i], "image");
      }
    }
  }
  if (get_int(before, "terminationGracePeriodSeconds") < 0 &&
      get_int(now, "terminationGracePeriodSeconds") == 1) {
    put_back(*members, before, "terminationGracePeriodSeconds");
  }
  return out;
}

// Every old requirement is still there, at its place; only the end may have grown.
bool only_grown(const json::value& now, const json::value& before, std::string_view list) {
  const json::array& is = get_array(now, list);
  const json::array& was = get_array(before, list);
  return is.size() >= was.size() && std::equal(was.begin(), was.end(), is.begin());
}

bool narrowed(const json::value& now, const json::value& before) {
  const bool everything =
      get_array(before, "matchExpressions").empty() && get_array(before, "matchFields").empty();
  const bool more =
      !get_array(now, "matchExpressions").empty() || !get_array(now, "matchFields").empty();
  return !(everything && more) && only_grown(now, before, "matchExpressions") &&
         only_grown(now, before, "matchFields");
}

// A gated pod may still be narrowed down to fewer nodes.
void gated_update(json::value& now, const json::value& before, FieldErrors& errors) {
  json::object* members = now.if_object();
  if (members == nullptr || get_array(before, "schedulingGates").empty()) {
    return;
  }
  for (const auto& [key, value] : get_object(before, "nodeSelector")) {
    const json::value* is = find_member(get_object(now, "nodeSelector"), key);
    if (is == nullptr || *is != value) {
      errors.invalid(FieldPath("spec").child("nodeSelector"),
                     checks::value_or_null(member(now, "nodeSelector")),
                     "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
      break;
    }
  }
  put_back(*members, before, "nodeSelector");
  constexpr std::string_view kTerms =
      "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const json::array& was = get_array(before, kTerms);
  const json::array& is = get_array(now, kTerms);
  const FieldPath path = FieldPath("spec").child(kTerms);
  if (!was.empty() && was.size() != is.size()) {
    errors.invalid(path, is,
                   "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  } else {
    for (std::size_t i = 0; i < was.size(); ++i) {
      if (!narrowed(is[i], was[i])) {
        errors.invalid(path.index(i), is[i],
                       "only additions are allowed (no mutations or deletions)");
      }
    }
  }
  json::value* affinity = find_member(*members, "affinity");
  if (affinity == nullptr || !affinity->is_object()) {
    put_back(*members, before, "affinity");
    return;
  }
  const json::value* old_affinity = member(before, "affinity");
  static const json::value kNone = json::object();
  put_back(affinity->get_object(), old_affinity == nullptr ? kNone : *old_affinity, "nodeAffinity");
  if (affinity->get_object().empty() && old_affinity == nullptr) {
    erase_key(*members, "affinity");
  }
}

void pod_update(const json::value& now, const json::value& before, FieldErrors& errors) {
  const bool containers_kept = container_updates(now, before, "containers", errors);
  if (!containers_kept || !container_updates(now, before, "initContainers", errors)) {
    return;
  }
  if (!active_deadline(now, before, errors)) {
    return;
  }
  added_tolerations(now, before, errors);
  removed_gates(now, before, errors);
  json::value rest = munged(now, before);
  gated_update(rest, before, errors);
  if (rest != before) {
    errors.forbidden(FieldPath("spec"),
                     std::string(kOnlyThese) + changed_spec(before, rest, "PodSpec"));
  }
}

// What upstream asks of pods but not of templates, after everything else.
void only_for_pods(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  if (text_of(spec, "serviceAccountName").empty()) {
    std::size_t index = 0;
    for (const json::value& volume : get_array(spec, "volumes")) {
      const FieldPath at = path.child("volumes").index(index++).child("projected");
      std::size_t part = 0;
      for (const json::value& source : get_array(volume, "projected.sources")) {
        const FieldPath here = at.child("sources").index(part++).child("serviceAccountToken");
        if (member(source, "serviceAccountToken") != nullptr) {
          errors.forbidden(here, "must not be specified when serviceAccountName is not set");
        }
      }
    }
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    std::size_t index = 0;
    for (const json::value& container : get_array(spec, list)) {
      const FieldPath at = path.child(list).index(index++).child("image");
      const std::string_view image = text_of(container, "image");
      if (trim(image).size() != image.size()) {
        errors.invalid(at, image, "must not have leading or trailing whitespace");
      }
    }
  }
}

}  // namespace

void pod(const json::value& object, const json::value* old, FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  const json::value& now = spec == nullptr ? kNothing : *spec;
  const FieldPath path("spec");
  pod_annotations(object, FieldPath("metadata").child("annotations"), errors);
  pod_spec(now, PodRole::kPod, path, errors);
  only_for_pods(now, path, errors);
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
  device_claim_statuses(object, errors);
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
