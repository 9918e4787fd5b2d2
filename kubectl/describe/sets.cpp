// daemon set, stateful set
#include "api/object.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"
#include "describe/workload_parts.hpp"

namespace coracle::kubectl {
namespace {

// "[ReadWriteOnce ReadOnlyMany]"
std::string modes_text(const json::value& claim) {
  std::string text;
  for (const json::value& mode : get_array(claim, "spec.accessModes")) {
    if (mode.is_string()) text += (text.empty() ? "" : " ") + std::string(mode.get_string());
  }
  return "[" + text + "]";
}

void write_claim_templates(DescribeWriter& out, const json::array& templates) {
  if (templates.empty()) return out.line(0, "Volume Claims:\t<none>");
  out.line(0, "Volume Claims:");
  for (const json::value& claim : templates) {
    out.field(1, "Name", api::name_of(claim));
    out.field(1, "StorageClass", text_at(claim, "spec.storageClassName"));
    write_labels(out, "  Labels", api::labels_of(claim));
    write_labels(out, "  Annotations", api::annotations_of(claim));
    out.field(1, "Capacity", number_or(claim, "spec.resources.requests.storage", "<default>"));
    out.field(1, "Access Modes", modes_text(claim));
  }
}

}  // namespace

void describe_daemon_set(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Selector", selector_text(object));
  out.field(0, "Node-Selector", labels_line(get_object(object, "spec.template.spec.nodeSelector")));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  const auto count = [&](const char* what, const char* field) {
    out.line(0, std::string(what) + ": " + number(object, std::string("status.") + field));
  };
  count("Desired Number of Nodes Scheduled", "desiredNumberScheduled");
  count("Current Number of Nodes Scheduled", "currentNumberScheduled");
  count("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled");
  count("Number of Nodes Scheduled with Available Pods", "numberAvailable");
  count("Number of Nodes Misscheduled", "numberMisscheduled");
  out.field(0, "Pods Status", pods_status(context));
  write_pod_template(out, json::value(get_object(object, "spec.template")));
}

void describe_stateful_set(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  out.field(0, "Namespace", api::namespace_of(object));
  out.field(0, "CreationTimestamp", long_time(api::creation_timestamp_of(object)));
  out.field(0, "Selector", selector_text(object));
  write_labels(out, "Labels", api::labels_of(object));
  write_annotations(out, "Annotations", api::annotations_of(object));
  out.field(0, "Replicas",
            number(object, "spec.replicas", 1) + " desired | " + number(object, "status.replicas") +
                " total");
  out.field(0, "Update Strategy", text_at(object, "spec.updateStrategy.type"));
  if (find(object, "spec.updateStrategy.rollingUpdate.partition")) {
    out.field(1, "Partition", number(object, "spec.updateStrategy.rollingUpdate.partition"));
    const std::string most = text_at(object, "spec.updateStrategy.rollingUpdate.maxUnavailable");
    if (!most.empty()) out.field(1, "MaxUnavailable", most);
  }
  out.field(0, "Pods Status", pods_status(context));
  write_pod_template(out, json::value(get_object(object, "spec.template")));
  write_claim_templates(out, get_array(object, "spec.volumeClaimTemplates"));
}

}  // namespace coracle::kubectl
