#include <set>
#include <string>

#include "api/selectors.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

const json::value& empty_object() {
  static const json::value kNothing = json::object();
  return kNothing;
}

const json::value& spec_of(const json::value& object) {
  const json::value* spec = member(object, "spec");
  return spec == nullptr ? empty_object() : *spec;
}

const json::value& template_of(const json::value& spec) {
  const json::value* inner = member(spec, "template");
  return inner == nullptr ? empty_object() : *inner;
}

// spec.selector: there, well-formed, and not everything. `kind` is how upstream ends the text.
void selector(const json::value& spec, std::string_view kind, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("selector");
  const json::value* value = member(spec, "selector");
  if (value == nullptr) {
    errors.required(path);
    return;
  }
  validate_label_selector(value, path, errors);
  if (get_object(*value, "matchLabels").empty() && get_array(*value, "matchExpressions").empty()) {
    errors.invalid(path, *value, "empty selector is invalid for " + std::string(kind));
  }
}

// The template of something that replaces its pods for ever.
void replicated_template(const json::value& inner, const Result<LabelSelector>& selects,
                         FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("template");
  if (selects.ok() && !selects->is_everything() &&
      !selects->matches(get_object(inner, "metadata.labels"))) {
    errors.invalid(path.child("metadata").child("labels"),
                   checks::value_or_null(find(inner, "metadata.labels")),
                   "`selector` does not match template `labels`");
  }
  pod_template(inner, path, errors);
  const std::string_view policy = get_string(inner, "spec.restartPolicy");
  if (policy != "Always") {
    errors.not_supported(path.child("spec").child("restartPolicy"), checks::text_value(policy),
                         {"Always"});
  }
}

void no_deadline(const json::value& spec, std::string_view kind, FieldErrors& errors) {
  if (find(spec, "template.spec.activeDeadlineSeconds") != nullptr) {
    errors.forbidden(
        FieldPath("spec").child("template").child("spec").child("activeDeadlineSeconds"),
        "activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
  }
}

void immutable(const json::value& now, const json::value& before, std::string_view key,
               FieldErrors& errors) {
  if (!checks::same(member(now, key), member(before, key))) {
    errors.invalid(FieldPath("spec").child(key), checks::value_or_null(member(now, key)),
                   checks::kImmutable);
  }
}

void rolling_update(const json::value& rolling, const FieldPath& path, FieldErrors& errors) {
  const json::value* unavailable = member(rolling, "maxUnavailable");
  const json::value* surge = member(rolling, "maxSurge");
  checks::int_or_percent(unavailable, path.child("maxUnavailable"), errors);
  checks::int_or_percent(surge, path.child("maxSurge"), errors);
  if (checks::int_or_percent_value(unavailable) == 0 && checks::int_or_percent_value(surge) == 0) {
    errors.invalid(path.child("maxUnavailable"), checks::value_or_null(unavailable),
                   "may not be 0 when `maxSurge` is 0");
  }
  checks::at_most_100_percent(unavailable, path.child("maxUnavailable"), errors);
}

void deployment_strategy(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("strategy");
  const json::value* found = member(spec, "strategy");
  const json::value& strategy = found == nullptr ? empty_object() : *found;
  const std::string_view type = text_of(strategy, "type");
  const json::value* rolling = member(strategy, "rollingUpdate");
  if (type == "Recreate") {
    if (rolling != nullptr) {
      errors.forbidden(path.child("rollingUpdate"),
                       "may not be specified when strategy `type` is 'Recreate'");
    }
  } else if (type == "RollingUpdate") {
    if (rolling == nullptr) {
      errors.required(path.child("rollingUpdate"), "this should be defaulted and never be nil");
    } else {
      rolling_update(*rolling, path.child("rollingUpdate"), errors);
    }
  } else {
    errors.not_supported(path, as_go_struct(strategy, "DeploymentStrategy"),
                         {"Recreate", "RollingUpdate"});
  }
}

void daemon_strategy(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("updateStrategy");
  const std::string_view type = get_string(spec, "updateStrategy.type");
  if (type == "OnDelete") {
    return;
  }
  if (type != "RollingUpdate") {
    const json::value* strategy = member(spec, "updateStrategy");
    errors.not_supported(
        path, as_go_struct(strategy == nullptr ? empty_object() : *strategy, "DeploymentStrategy"),
        {"RollingUpdate", "OnDelete"});
    return;
  }
  const json::value* rolling = find(spec, "updateStrategy.rollingUpdate");
  const FieldPath at = path.child("rollingUpdate");
  if (rolling == nullptr) {
    errors.required(at);
    return;
  }
  const json::value* unavailable = member(*rolling, "maxUnavailable");
  const json::value* surge = member(*rolling, "maxSurge");
  checks::int_or_percent(unavailable, at.child("maxUnavailable"), errors);
  checks::int_or_percent(surge, at.child("maxSurge"), errors);
  checks::at_most_100_percent(unavailable, at.child("maxUnavailable"), errors);
  checks::at_most_100_percent(surge, at.child("maxSurge"), errors);
  const bool has_unavailable = checks::int_or_percent_value(unavailable) != 0;
  const bool has_surge = checks::int_or_percent_value(surge) != 0;
  if (has_unavailable && has_surge) {
    errors.invalid(at.child("maxSurge"), *surge, "may not be set when maxUnavailable is non-zero");
  } else if (!has_unavailable && !has_surge) {
    errors.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
  }
}

void stateful_rolling(const json::value& rolling, const FieldPath& path, FieldErrors& errors) {
  checks::non_negative(rolling, {"partition"}, path, errors);
  const json::value* unavailable = member(rolling, "maxUnavailable");
  if (unavailable == nullptr) return;
  const FieldPath at = path.child("maxUnavailable");
  checks::int_or_percent(unavailable, at, errors);
  if (checks::int_or_percent_value(unavailable) == 0) {
    errors.invalid(at, *unavailable, "cannot be 0");
  }
  checks::at_most_100_percent(unavailable, at, errors);
}

void stateful_strategy(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("updateStrategy");
  const std::string_view type = get_string(spec, "updateStrategy.type");
  const json::value* rolling = find(spec, "updateStrategy.rollingUpdate");
  if (type.empty()) {
    errors.required(path);
  } else if (type == "OnDelete") {
    if (rolling != nullptr) {
      errors.invalid(path.child("rollingUpdate"),
                     as_go_struct(*rolling, "RollingUpdateStatefulSetStrategy"),
                     "only allowed for updateStrategy 'RollingUpdate'");
    }
  } else if (type == "RollingUpdate") {
    if (rolling != nullptr) {
      stateful_rolling(*rolling, path.child("rollingUpdate"), errors);
    }
  } else {
    errors.invalid(path, as_go_struct(*member(spec, "updateStrategy"), "StatefulSetUpdateStrategy"),
                   "must be 'RollingUpdate' or 'OnDelete'");
  }
}

}  // namespace

void deployment(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  checks::non_negative(spec, {"replicas"}, path, errors);
  selector(spec, "deployment", errors);
  replicated_template(template_of(spec), LabelSelector::from_object(member(spec, "selector")),
                      errors);
  no_deadline(spec, "ReplicaSet", errors);
  deployment_strategy(spec, errors);
  checks::non_negative(spec, {"minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"},
                       path, errors);
  const json::value* deadline = member(spec, "progressDeadlineSeconds");
  if (deadline != nullptr &&
      get_int(spec, "progressDeadlineSeconds") <= get_int(spec, "minReadySeconds")) {
    errors.invalid(path.child("progressDeadlineSeconds"), *deadline,
                   "must be greater than minReadySeconds");
  }
  if (old != nullptr) {
    immutable(spec, spec_of(*old), "selector", errors);
  }
}

void replica_set(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  checks::non_negative(spec, {"replicas", "minReadySeconds"}, FieldPath("spec"), errors);
  selector(spec, "deployment", errors);
  replicated_template(template_of(spec), LabelSelector::from_object(member(spec, "selector")),
                      errors);
  no_deadline(spec, "ReplicaSet", errors);
  if (old != nullptr) {
    immutable(spec, spec_of(*old), "selector", errors);
  }
}

void replication_controller(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  checks::non_negative(spec, {"minReadySeconds"}, FieldPath("spec"), errors);
  const json::object& selects = get_object(spec, "selector");
  if (selects.empty()) {
    errors.required(FieldPath("spec").child("selector"));
  }
  checks::non_negative(spec, {"replicas"}, FieldPath("spec"), errors);
  replicated_template(template_of(spec), LabelSelector::from_map(selects), errors);
  no_deadline(spec, "ReplicationController", errors);
}

void daemon_set(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  const json::value* inner = member(spec, "template");
  const json::value& pods = inner == nullptr ? empty_object() : *inner;
  const auto selects = LabelSelector::from_object(member(spec, "selector"));
  validate_label_selector(member(spec, "selector"), path.child("selector"), errors);
  if (selects.ok() && !selects->matches(get_object(pods, "metadata.labels"))) {
    errors.invalid(path.child("template").child("metadata").child("labels"),
                   checks::value_or_null(find(pods, "metadata.labels")),
                   "`selector` does not match template `labels`");
  }
  if (member(spec, "selector") != nullptr && selects.ok() && selects->is_everything()) {
    errors.invalid(path.child("selector"), *member(spec, "selector"),
                   "empty selector is invalid for daemonset");
  }
  pod_template(pods, path.child("template"), errors);
  const std::string_view policy = get_string(pods, "spec.restartPolicy");
  if (policy != "Always") {
    errors.not_supported(path.child("template").child("spec").child("restartPolicy"),
                         checks::text_value(policy), {"Always"});
  }
  no_deadline(spec, "DaemonSet", errors);
  checks::non_negative(spec, {"minReadySeconds"}, path, errors);
  daemon_strategy(spec, errors);
  checks::non_negative(spec, {"revisionHistoryLimit"}, path, errors);
  if (old != nullptr) {
    immutable(spec, spec_of(*old), "selector", errors);
  }
}

namespace {

// The template with the volumes its claims will be: a claim takes the place of a volume of its
// name.
json::value with_claims(const json::value& spec) {
  const json::value* inner = member(spec, "template");
  json::value pods = inner == nullptr ? empty_object() : *inner;
  json::array volumes;
  std::set<std::string, std::less<>> claimed;
  for (const json::value& claim : get_array(spec, "volumeClaimTemplates")) {
    const std::string name(name_of(claim));
    if (claimed.insert(name).second) {
      volumes.push_back(json::object(
          {{"name", name}, {"persistentVolumeClaim", json::object({{"claimName", name}})}}));
    }
  }
  if (volumes.empty() || find(pods, "spec") == nullptr || !find(pods, "spec")->is_object()) {
    return pods;
  }
  json::array all;
  for (const json::value& volume : get_array(pods, "spec.volumes")) {
    if (!claimed.contains(text_of(volume, "name"))) {
      all.push_back(volume);
    }
  }
  all.insert(all.end(), volumes.begin(), volumes.end());
  pods.get_object()["spec"].get_object()["volumes"] = std::move(all);
  return pods;
}

// What becomes of the claims when the set goes or shrinks.
void retention(const json::value& spec, FieldErrors& errors) {
  const json::value* policy = member(spec, "persistentVolumeClaimRetentionPolicy");
  if (policy == nullptr) {
    return;
  }
  const FieldPath path = FieldPath("spec").child("persistentVolumeClaimRetentionPolicy");
  for (const std::string_view key : {"whenDeleted", "whenScaled"}) {
    const std::string_view text = text_of(*policy, key);
    if (text != "Delete" && text != "Retain") {
      errors.not_supported(path.child(key), text, {"Retain", "Delete"});
    }
  }
}

}  // namespace

void stateful_set(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (checks::required_text(spec, "podManagementPolicy", path, errors)) {
    const std::string_view policy = text_of(spec, "podManagementPolicy");
    if (policy != "OrderedReady" && policy != "Parallel") {
      errors.invalid(path.child("podManagementPolicy"), policy,
                     "must be 'OrderedReady' or 'Parallel'");
    }
  }
  stateful_strategy(spec, errors);
  retention(spec, errors);
  checks::non_negative(spec, {"replicas", "minReadySeconds"}, path, errors);
  if (const json::value* ordinals = member(spec, "ordinals")) {
    checks::non_negative(*ordinals, {"start"}, path.child("ordinals"), errors);
  }
  selector(spec, "statefulset", errors);
  const json::value pods = with_claims(spec);
  replicated_template(pods, LabelSelector::from_object(member(spec, "selector")), errors);
  no_deadline(spec, "StatefulSet", errors);
  if (old == nullptr) {
    return;
  }
  json::object now = spec.is_object() ? spec.get_object() : json::object();
  const json::value& old_spec = spec_of(*old);
  json::object before = old_spec.is_object() ? old_spec.get_object() : json::object();
  for (json::object* side : {&now, &before}) {
    for (const std::string_view key :
         {"replicas", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
          "minReadySeconds", "ordinals", "revisionHistoryLimit"}) {
      erase_key(*side, key);
    }
  }
  if (now != before) {
    errors.forbidden(path,
                     "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                     "'template', 'updateStrategy', 'revisionHistoryLimit', "
                     "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
  }
}

void controller_revision(const json::value& object, const json::value* old, FieldErrors& errors) {
  if (member(object, "data") == nullptr) {
    errors.required(FieldPath("data"), "data is mandatory");
  }
  checks::non_negative(object, {"revision"}, FieldPath(), errors);
  if (old != nullptr && !checks::same(member(object, "data"), member(*old, "data"))) {
    errors.invalid(FieldPath("data"), checks::value_or_null(member(object, "data")),
                   checks::kImmutable);
  }
}

}  // namespace coracle::api::validation
