// deployment, replica set, daemon set, stateful set, job
#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"

namespace coracle::kubectl {
namespace {

std::string number(const json::value& object, std::string_view path, std::int64_t fallback = 0) {
  return std::to_string(get_int(object, path, fallback));
}

std::string selector_text(const json::value& object) {
  return api::format_label_selector(find(object, "spec.selector"));
}

client::QueryList by_selector(const json::value& object) {
  return {{"labelSelector", selector_text(object)}};
}

std::vector<json::value> owned(const DescribeContext& context, std::string_view resource) {
  std::vector<json::value> out;
  for (json::value& item : context.list(resource, context.target.ns, by_selector(context.object))) {
    if (api::is_owned_by(item, api::uid_of(context.object))) out.push_back(std::move(item));
  }
  return out;
}

std::string pods_status(const DescribeContext& context) {
  std::int64_t running = 0, waiting = 0, succeeded = 0, failed = 0;
  for (const json::value& pod : owned(context, "pods")) {
    const std::string phase = text_at(pod, "status.phase");
    running += phase == "Running";
    waiting += phase == "Pending";
    succeeded += phase == "Succeeded";
    failed += phase == "Failed";
  }
  return std::to_string(running) + " Running / " + std::to_string(waiting) + " Waiting / " +
         std::to_string(succeeded) + " Succeeded / " + std::to_string(failed) + " Failed";
}

std::string replica_sets_text(const std::vector<json::value>& sets) {
  std::vector<std::string> parts;
  for (const json::value& set : sets) {
    parts.push_back(std::string(api::name_of(set)) + " (" + number(set, "status.replicas") + "/" +
                    number(set, "spec.replicas") + " replicas created)");
  }
  return or_none(join(parts, ", "));
}

std::int64_t revision_of(const json::value& object) {
  long long revision = 0;
  parse_int(api::annotation_of(object, "deployment.kubernetes.io/revision"), &revision);
  return revision;
}

// The newest replica set is the one of the deployment's revision; the rest are old.
void write_replica_sets(DescribeWriter& out, const DescribeContext& context) {
  std::vector<json::value> fresh, old;
  for (json::value& set : owned(context, "replicasets.apps")) {
    const bool is_new = revision_of(set) == revision_of(context.object);
    (is_new ? fresh : old).push_back(std::move(set));
  }
  std::sort(old.begin(), old.end(), [](const json::value& a, const json::value& b) {
    return revision_of(a) < revision_of(b);
  });
  out.field(0, "OldReplicaSets", replica_sets_text(old));
  out.field(0, "NewReplicaSet", replica_sets_text(fresh));
}

}  // namespace

void describe_deployment(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(object)));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.field(0, "Selector", selector_text(object));
  out.field(0, "Replicas",
            number(object, "spec.replicas", 1) + " desired | " +
                number(object, "status.updatedReplicas") + " updated | " +
                number(object, "status.replicas") + " total | " +
                number(object, "status.availableReplicas") + " available | " +
                number(object, "status.unavailableReplicas") + " unavailable");
  out.field(0, "StrategyType", text_at(object, "spec.strategy.type"));
  out.field(0, "MinReadySeconds", number(object, "spec.minReadySeconds"));
  if (find(object, "spec.strategy.rollingUpdate")) {
    out.field(0, "RollingUpdateStrategy",
              text_at(object, "spec.strategy.rollingUpdate.maxUnavailable") + " max unavailable, " +
                  text_at(object, "spec.strategy.rollingUpdate.maxSurge") + " max surge");
  }
  write_pod_template(out, json::value(get_object(object, "spec.template")));
  write_conditions(out, object);
  write_replica_sets(out, context);
}

void describe_replica_set(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  out.field(0, "Selector", selector_text(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  const std::string controller = controller_text(object);
  if (!controller.empty()) out.field(0, "Controlled By", controller);
  out.field(0, "Replicas",
            number(object, "status.replicas") + " current / " + number(object, "spec.replicas", 1) +
                " desired");
  out.field(0, "Pods Status", pods_status(context));
  write_pod_template(out, json::value(get_object(object, "spec.template")));
  write_conditions(out, object);
}

void describe_daemon_or_stateful_set(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  if (context.target.resource.kind == "StatefulSet") {
    out.field(0, "Namespace", api::namespace_of(object));
    out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(object)));
    out.field(0, "Selector", selector_text(object));
    write_labels(out, "Labels", api::labels_of(object));
    write_annotations(out, "Annotations", api::annotations_of(object));
    out.field(0, "Replicas",
              number(object, "spec.replicas", 1) + " desired | " +
                  number(object, "status.replicas") + " total");
    out.field(0, "Update Strategy", text_at(object, "spec.updateStrategy.type"));
    if (find(object, "spec.updateStrategy.rollingUpdate")) {
      out.field(1, "Partition", number(object, "spec.updateStrategy.rollingUpdate.partition"));
    }
  } else {
    out.field(0, "Namespace", api::namespace_of(object));
    out.field(0, "Selector", selector_text(object));
    write_labels(out, "Node-Selector", get_object(object, "spec.template.spec.nodeSelector"));
    write_labels(out, "Labels", api::labels_of(object));
    write_annotations(out, "Annotations", api::annotations_of(object));
    out.field(0, "Desired Number of Nodes Scheduled",
              number(object, "status.desiredNumberScheduled"));
    out.field(0, "Current Number of Nodes Scheduled",
              number(object, "status.currentNumberScheduled"));
    out.field(0, "Number of Nodes Scheduled with Up-to-date Pods",
              number(object, "status.updatedNumberScheduled"));
    out.field(0, "Number of Nodes Scheduled with Available Pods",
              number(object, "status.numberAvailable"));
    out.field(0, "Number of Nodes Misscheduled", number(object, "status.numberMisscheduled"));
  }
  out.field(0, "Pods Status", pods_status(context));
  write_pod_template(out, json::value(get_object(object, "spec.template")));
  if (context.target.resource.kind == "StatefulSet" &&
      get_array(object, "spec.volumeClaimTemplates").empty()) {
    out.line(0, "Volume Claims:\t<none>");
  }
}

void describe_job(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  out.field(0, "Selector", selector_text(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  const std::string controller = controller_text(object);
  if (!controller.empty()) out.field(0, "Controlled By", controller);
  out.field(0, "Parallelism", number(object, "spec.parallelism", 1));
  const std::string completions = text_at(object, "spec.completions");
  out.field(0, "Completions", completions.empty() ? "<unset>" : completions);
  out.field(0, "Completion Mode", text_at(object, "spec.completionMode"));
  out.field(0, "Suspend", get_bool(object, "spec.suspend") ? "true" : "false");
  out.field(0, "Backoff Limit", number(object, "spec.backoffLimit", 6));
  const std::string start = text_at(object, "status.startTime");
  const std::string end = text_at(object, "status.completionTime");
  if (!start.empty()) out.field(0, "Start Time", long_time(start));
  if (!end.empty()) out.field(0, "Completed At", long_time(end));
  const auto from = parse_time(start), to = parse_time(end);
  if (from.ok() && to.ok()) out.field(0, "Duration", human_duration(*to - *from));
  out.field(0, "Pods Statuses",
            number(object, "status.active") + " Active (" + number(object, "status.ready") +
                " Ready) / " + number(object, "status.succeeded") + " Succeeded / " +
                number(object, "status.failed") + " Failed");
  write_pod_template(out, json::value(get_object(object, "spec.template")));
}

}  // namespace coracle::kubectl
