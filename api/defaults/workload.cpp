#include <algorithm>
#include <limits>
#include <string>

#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"
#include "base/strings.hpp"

namespace coracle::api::defaults {
namespace {

// The spec with its pod template defaulted, or nullptr.
json::object* spec_with_template(json::object& object) {
  json::object* spec = child(object, "spec");
  if (spec != nullptr) {
    set_template_kind(*spec);
  }
  return spec;
}

json::object template_labels(json::object& spec) {
  json::object* pod_template = child(spec, "template");
  json::object* metadata = pod_template == nullptr ? nullptr : child(*pod_template, "metadata");
  json::object* labels = metadata == nullptr ? nullptr : child(*metadata, "labels");
  return labels == nullptr ? json::object() : *labels;
}

// Objects that came without labels get those of their pods.
void adopt_labels(json::object& object, const json::object& labels) {
  json::object* metadata = child_default(object, "metadata");
  if (metadata == nullptr || labels.empty()) {
    return;
  }
  const json::object* present = child(*metadata, "labels");
  if (present == nullptr || present->empty()) {
    (*metadata)["labels"] = labels;
  }
}

// Outside the API's groups of today it was a field; as an annotation it is still shown and counted.
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

void set_template_generation(json::object& object, long long generation) {
  json::object* metadata = child_default(object, "metadata");
  json::object* annotations =
      metadata == nullptr ? nullptr : child_default(*metadata, "annotations");
  if (annotations != nullptr) (*annotations)[kTemplateGeneration] = std::to_string(generation);
}

}  // namespace

void set_deployment(json::object& object) {
  json::object* spec = spec_with_template(object);
  if (spec == nullptr) {
    return;
  }
  set_default(*spec, "replicas", 1);
  if (json::object* strategy = child_default(*spec, "strategy")) {
    set_text_default(*strategy, "type", "RollingUpdate");
    if (text(*strategy, "type") == "RollingUpdate") {
      if (json::object* rolling = child_default(*strategy, "rollingUpdate")) {
        set_default(*rolling, "maxUnavailable", "25%");
        set_default(*rolling, "maxSurge", "25%");
      }
    }
  }
  set_default(*spec, "revisionHistoryLimit", 10);
  set_default(*spec, "progressDeadlineSeconds", 600);
}

void set_replica_set(json::object& object) {
  if (json::object* spec = spec_with_template(object)) {
    set_default(*spec, "replicas", 1);
  }
}

void set_replication_controller(json::object& object) {
  json::object* spec = spec_with_template(object);
  if (spec == nullptr) {
    return;
  }
  set_default(*spec, "replicas", 1);
  const json::object labels = template_labels(*spec);
  if (!labels.empty()) {
    const json::object* selector = child(*spec, "selector");
    if (selector == nullptr || selector->empty()) {
      (*spec)["selector"] = labels;
    }
  }
  adopt_labels(object, labels);
}

void set_daemon_set(json::object& object) {
  json::object* spec = spec_with_template(object);
  if (spec == nullptr) {
    return;
  }
  if (json::object* strategy = child_default(*spec, "updateStrategy")) {
    set_text_default(*strategy, "type", "RollingUpdate");
    if (text(*strategy, "type") == "RollingUpdate") {
      if (json::object* rolling = child_default(*strategy, "rollingUpdate")) {
        set_default(*rolling, "maxUnavailable", 1);
        set_default(*rolling, "maxSurge", 0);
      }
    }
  }
  set_default(*spec, "revisionHistoryLimit", 10);
}

void prepare_daemon_set_create(json::object& object) { set_template_generation(object, 1); }

void prepare_daemon_set_update(json::object& object, const json::value& old) {
  long long generation = 0;
  if (const json::value* had = find_keys(old, {"metadata", "annotations", kTemplateGeneration})) {
    if (had->is_string()) parse_int(had->get_string(), &generation);
  }
  const json::object* spec = child(object, "spec");
  const json::value* now = spec == nullptr ? nullptr : find_member(*spec, "template");
  const json::value* before = find(old, "spec.template");
  const bool same = now != nullptr && before != nullptr && *now == *before;
  set_template_generation(object, std::max<long long>(generation, 1) + (same ? 0 : 1));
}

void set_stateful_set(json::object& object) {
  json::object* spec = spec_with_template(object);
  if (spec == nullptr) {
    return;
  }
  set_text_default(*spec, "podManagementPolicy", "OrderedReady");
  if (json::object* strategy = child_default(*spec, "updateStrategy")) {
    set_text_default(*strategy, "type", "RollingUpdate");
    if (text(*strategy, "type") == "RollingUpdate") {
      if (json::object* rolling = child_default(*strategy, "rollingUpdate")) {
        set_default(*rolling, "partition", 0);
      }
    }
  }
  set_default(*spec, "replicas", 1);
  set_default(*spec, "revisionHistoryLimit", 10);
  if (json::object* retention = child_default(*spec, "persistentVolumeClaimRetentionPolicy")) {
    set_text_default(*retention, "whenDeleted", "Retain");
    set_text_default(*retention, "whenScaled", "Retain");
  }
  each_object(*spec, "volumeClaimTemplates", [](json::object& claim) {
    set_text_default(claim, "apiVersion", "v1");
    set_text_default(claim, "kind", "PersistentVolumeClaim");
    set_persistent_volume_claim(claim);
  });
}

void set_job(json::object& object) {
  json::object* spec = spec_with_template(object);
  if (spec == nullptr) {
    return;
  }
  if (!has(*spec, "completions") && !has(*spec, "parallelism")) {
    set_default(*spec, "completions", 1);
  }
  set_default(*spec, "parallelism", 1);
  // A limit for each index replaces the limit of the whole job.
  set_default(*spec, "backoffLimit",
              has(*spec, "backoffLimitPerIndex") ? std::numeric_limits<std::int32_t>::max() : 6);
  set_text_default(*spec, "completionMode", "NonIndexed");
  set_default(*spec, "suspend", false);
  set_default(*spec, "manualSelector", false);
  set_text_default(*spec, "podReplacementPolicy",
                   has(*spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
  adopt_labels(object, template_labels(*spec));
}

void prepare_job_create(json::object& job) {
  json::object* spec = child(job, "spec");
  json::object* metadata = child(job, "metadata");
  if (spec == nullptr || metadata == nullptr || text(*metadata, "uid").empty()) {
    return;
  }
  const json::value* manual = find_member(*spec, "manualSelector");
  if (manual != nullptr && manual->is_bool() && manual->get_bool()) {
    return;
  }
  const json::string uid(text(*metadata, "uid"));
  const json::string name(text(*metadata, "name"));
  json::object* pod_template = child_default(*spec, "template");
  json::object* pod_metadata =
      pod_template == nullptr ? nullptr : child_default(*pod_template, "metadata");
  json::object* labels = pod_metadata == nullptr ? nullptr : child_default(*pod_metadata, "labels");
  if (labels == nullptr) {
    return;
  }
  // Old and new spellings: clients select by either.
  set_default(*labels, "controller-uid", uid);
  set_default(*labels, "batch.kubernetes.io/controller-uid", uid);
  set_default(*labels, "job-name", name);
  set_default(*labels, "batch.kubernetes.io/job-name", name);
  if (json::object* selector = child_default(*spec, "selector")) {
    if (json::object* match = child_default(*selector, "matchLabels")) {
      set_default(*match, "batch.kubernetes.io/controller-uid", uid);
    }
  }
}

void set_cron_job(json::object& object) {
  json::object* spec = child(object, "spec");
  if (spec == nullptr) {
    return;
  }
  set_text_default(*spec, "concurrencyPolicy", "Allow");
  set_default(*spec, "suspend", false);
  set_default(*spec, "successfulJobsHistoryLimit", 3);
  set_default(*spec, "failedJobsHistoryLimit", 1);
  if (json::object* job_template = child(*spec, "jobTemplate")) {
    spec_with_template(*job_template);
  }
}

}  // namespace coracle::api::defaults
