#include "api/object.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"

namespace coracle::kubectl {
namespace {

void write_optional(DescribeWriter& out, const json::value& pod, const char* title,
                    const char* path) {
  const std::string text = text_at(pod, path);
  if (!text.empty()) out.field(0, title, text);
}

void write_status(DescribeWriter& out, const json::value& pod, WallTime now) {
  const std::string phase = text_at(pod, "status.phase");
  const std::string deleted(api::deletion_timestamp_of(pod));
  if (!deleted.empty() && phase != "Failed" && phase != "Succeeded") {
    out.field(0, "Status", "Terminating (lasts " + age_text(deleted, now) + ")");
    out.field(0, "Termination Grace Period",
              text_at(pod, "metadata.deletionGracePeriodSeconds") + "s");
  } else {
    out.field(0, "Status", phase);
  }
  write_optional(out, pod, "Reason", "status.reason");
  write_optional(out, pod, "Message", "status.message");
}

void write_addresses(DescribeWriter& out, const json::value& pod) {
  out.field(0, "IP", text_at(pod, "status.podIP"));
  const json::array& addresses = get_array(pod, "status.podIPs");
  if (addresses.empty()) return out.line(0, "IPs:\t<none>");
  out.line(0, "IPs:");
  for (const json::value& address : addresses) out.field(1, "IP", text_at(address, "ip"));
}

}  // namespace

void describe_pod(DescribeWriter& out, const DescribeContext& context) {
  const json::value& pod = context.object;
  out.field(0, "Name", api::name_of(pod));
  out.field(0, "Namespace", api::namespace_of(pod));
  write_optional(out, pod, "Priority", "spec.priority");
  write_optional(out, pod, "Priority Class Name", "spec.priorityClassName");
  write_optional(out, pod, "Service Account", "spec.serviceAccountName");
  const std::string node = text_at(pod, "spec.nodeName");
  out.field(0, "Node", node.empty() ? "<none>" : node + "/" + text_at(pod, "status.hostIP"));
  const std::string start = text_at(pod, "status.startTime");
  if (!start.empty()) out.field(0, "Start Time", long_time(start));
  write_labels(out, "Labels", api::labels_of(pod));
  write_annotations(out, "Annotations", api::annotations_of(pod));
  write_status(out, pod, context.now);
  write_addresses(out, pod);
  const std::string controller = controller_text(pod);
  if (!controller.empty()) out.field(0, "Controlled By", controller);
  write_optional(out, pod, "NominatedNodeName", "status.nominatedNodeName");
  if (const auto& init = get_array(pod, "spec.initContainers"); !init.empty()) {
    write_containers(out, "Init Containers", init, get_array(pod, "status.initContainerStatuses"),
                     "", &pod);
  }
  write_containers(out, "Containers", get_array(pod, "spec.containers"),
                   get_array(pod, "status.containerStatuses"), "", &pod);
  const json::array& conditions = get_array(pod, "status.conditions");
  if (!conditions.empty()) out.line(0, "Conditions:\n  Type\tStatus");
  for (const json::value& condition : conditions) {
    out.line(1, text_at(condition, "type") + " \t" + text_at(condition, "status") + " ");
  }
  write_volumes(out, get_array(pod, "spec.volumes"), "");
  out.field(0, "QoS Class", text_at(pod, "status.qosClass"));
  write_labels(out, "Node-Selectors", get_object(pod, "spec.nodeSelector"));
  write_tolerations(out, "Tolerations", get_array(pod, "spec.tolerations"));
}

}  // namespace coracle::kubectl
