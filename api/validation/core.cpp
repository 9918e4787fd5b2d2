// The small kinds: Namespace, Node, Event, Binding, Lease, PriorityClass.
#include <set>
#include <string>

#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/network_parts.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

void taints(const json::value& node, FieldErrors& errors) {
  const FieldPath path = FieldPath("metadata").child("taints");  // where upstream reports them
  std::set<std::pair<std::string, std::string>> seen;
  std::size_t index = 0;
  for (const json::value& taint : get_array(node, "spec.taints")) {
    const FieldPath at = path.index(index++);
    const std::string key(text_of(taint, "key"));
    const std::string effect(text_of(taint, "effect"));
    const std::string_view value = text_of(taint, "value");
    checks::label_name(key, at.child("key"), errors);
    const Messages messages = check_label_value(value);
    if (!messages.empty()) {
      errors.invalid(at.child("value"), checks::text_value(value), join(messages, ";"));
    }
    taint_effect(effect, at.child("effect"), errors);
    if (!seen.emplace(effect, key).second) {
      json::value shown = checks::go_struct(taint, {"key", "value", "effect", "timeAdded"});
      for (const char* key : {"Key", "Value", "Effect"}) {
        json::value& part = shown.get_object()[key];
        if (part.is_null()) part = "";
      }
      errors.add({FieldErrorType::kDuplicate, at.text(), std::move(shown), false,
                  "taints must be unique by key and effect pair"});
    }
  }
}

void once_only(const json::value& node, const json::value& old, std::string_view key,
               std::string_view shown, FieldErrors& errors) {
  const json::value* before = find(old, "spec." + std::string(key));
  const json::value* now = find(node, "spec." + std::string(key));
  if (!checks::is_empty(before) && !checks::same(before, now)) {
    errors.forbidden(
        FieldPath("spec").child(shown),
        "node updates may not change " + std::string(key) + " except from \"\" to valid");
  }
}

// Events written by the newer clients, which set eventTime, are checked more closely.
void new_style_event(const json::value& event, bool newer, FieldErrors& errors) {
  constexpr std::size_t kMax = 128, kNoteMax = 1024;
  const std::string_view own = namespace_of(event);
  const std::string_view involved =
      get_string(event, newer ? "regarding.namespace" : "involvedObject.namespace");
  if (involved.empty() && own != "default" && own != "kube-system") {
    errors.invalid(FieldPath("involvedObject").child("namespace"), involved,
                   "does not match event.namespace");
  }
  const std::string_view key = newer ? "reportingController" : "reportingComponent";
  const FieldPath reporting(key);
  if (text_of(event, key).empty()) errors.required(reporting);
  checks::label_name(text_of(event, key), reporting, errors);
  for (const std::string_view member : {"reportingInstance", "action", "reason"}) {
    checks::required_text(event, member, FieldPath(), errors);
    if (text_of(event, member).size() > kMax) {
      errors.invalid(FieldPath(member), "", "can have at most 128 characters");
    }
  }
  if (text_of(event, newer ? "note" : "message").size() > kNoteMax) {
    errors.invalid(FieldPath("message"), "", "can have at most 1024 characters");
  }
}

// What events.k8s.io/v1 asks of a new event on top of that.
void strict_event(const json::value& event, FieldErrors& errors) {
  if (const json::value* series = member(event, "series")) {
    if (get_int(*series, "count") < 2) {
      errors.invalid(FieldPath("series").child("count"), "", "should be at least 2");
    }
    checks::required_text(*series, "lastObservedTime", FieldPath("series"), errors);
  }
  checks::required_text(event, "eventTime", FieldPath(), errors);
  const std::string type(text_of(event, "type"));
  if (type != "Normal" && type != "Warning") {
    errors.invalid(FieldPath("type"), "", "has invalid value: " + type);
  }
}

}  // namespace

void namespace_(const json::value& object, const json::value* old, FieldErrors& errors) {
  if (old != nullptr) return;  // they change through /finalize
  const FieldPath at = FieldPath("spec").child("finalizers");
  for (const json::value& finalizer : get_array(object, "spec.finalizers")) {
    if (!finalizer.is_string()) continue;
    const std::string_view name = finalizer.get_string();
    errors.invalid_each(at, finalizer, check_qualified_name(name));
    if (name != "kubernetes" && name != "orphan" && name != "foregroundDeletion" &&
        name.find('/') == std::string_view::npos) {
      errors.invalid(at, finalizer,
                     "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}

void node(const json::value& object, const json::value* old, FieldErrors& errors) {
  if (old == nullptr) {
    taints(object, errors);
    std::size_t index = 0;
    for (const json::value& range : get_array(object, "spec.podCIDRs")) {
      const FieldPath at = FieldPath("spec").child("podCIDRs").index(index++);
      if (range.is_string()) legacy_network(at, range.get_string(), errors);
    }
    return;
  }
  once_only(object, *old, "podCIDR", "podCIDRs", errors);
  once_only(object, *old, "providerID", "providerID", errors);
  taints(object, errors);
  if (!checks::same(find(object, "spec.externalID"), find(*old, "spec.externalID"))) {
    errors.forbidden(FieldPath("spec").child("externalID"), "may not be updated");
  }
}

void event(const json::value& object, const json::value* old, FieldErrors& errors) {
  const bool newer = member(object, "regarding") != nullptr || member(object, "note") != nullptr ||
                     text_of(object, "apiVersion").starts_with("events.k8s.io/");
  const std::string_view involved =
      get_string(object, newer ? "regarding.namespace" : "involvedObject.namespace");
  const std::string_view own = namespace_of(object);
  if (!text_of(object, "eventTime").empty()) {
    new_style_event(object, newer, errors);
  } else if (involved.empty() ? !own.empty() && own != "default" : own != involved) {
    // Events about cluster-wide objects live in "default".
    errors.invalid(FieldPath("involvedObject").child("namespace"), involved,
                   "does not match event.namespace");
  }
  if (newer && old == nullptr) strict_event(object, errors);
}

void binding(const json::value& object, const json::value*, FieldErrors& errors) {
  const FieldPath target("target");
  const std::string_view kind = get_string(object, "target.kind");
  if (!kind.empty() && kind != "Node") {
    errors.not_supported(target.child("kind"), checks::text_value(kind), {"Node", "<empty>"});
  }
  if (get_string(object, "target.name").empty()) {
    errors.required(target.child("name"));
  }
}

void lease(const json::value& object, const json::value*, FieldErrors& errors) {
  const FieldPath path("spec");
  const json::value* seconds = find(object, "spec.leaseDurationSeconds");
  if (seconds != nullptr && get_int(object, "spec.leaseDurationSeconds") <= 0) {
    errors.invalid(path.child("leaseDurationSeconds"), *seconds, checks::kPositive);
  }
  const json::value* transitions = find(object, "spec.leaseTransitions");
  if (transitions != nullptr && get_int(object, "spec.leaseTransitions") < 0) {
    errors.invalid(path.child("leaseTransitions"), *transitions, checks::kNotNegative);
  }
  const std::string_view strategy = get_string(object, "spec.strategy");
  const FieldPath at = path.child("strategy", "strategy");
  if (!strategy.empty() && strategy.find('/') == std::string_view::npos) {
    if (strategy != "OldestEmulationVersion") {
      errors.not_supported(at, strategy, {"OldestEmulationVersion"});
    }
  } else if (!strategy.empty()) {
    checks::label_name(strategy, at, errors);
  }
  if (!get_string(object, "spec.preferredHolder").empty() && strategy.empty()) {
    errors.forbidden(path.child("preferredHolder"),
                     "may only be specified if `strategy` is defined");
  }
}

void priority_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  constexpr std::int64_t kUserMax = 1000000000;
  const std::string_view name = name_of(object);
  const std::int64_t value = get_int(object, "value");
  const bool node_critical = name == "system-node-critical" && value == 2000001000;
  const bool cluster_critical = name == "system-cluster-critical" && value == 2000000000;
  if (name.starts_with("system-") && !node_critical && !cluster_critical) {
    errors.forbidden(FieldPath("metadata").child("name"),
                     "priority class names with 'system-' prefix are reserved for system use "
                     "only. error: " +
                         std::string(name) + " is not a known system priority class");
  } else if (!node_critical && !cluster_critical && value > kUserMax) {
    errors.forbidden(FieldPath("value"),
                     "maximum allowed value of a user defined priority is 1000000000");
  }
  checks::one_of_if_set(object, "preemptionPolicy", FieldPath(), {"PreemptLowerPriority", "Never"},
                        errors);
  if (old == nullptr) {
    return;
  }
  if (value != get_int(*old, "value")) {
    errors.forbidden(FieldPath("value"), "may not be changed in an update.");
  }
  validate_immutable(member(object, "preemptionPolicy"), member(*old, "preemptionPolicy"),
                     FieldPath("preemptionPolicy"), errors);
}

}  // namespace coracle::api::validation
