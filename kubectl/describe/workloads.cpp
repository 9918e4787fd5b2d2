// deployment, replica set, replication controller
#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"
#include "describe/workload_parts.hpp"

namespace coracle::kubectl {
namespace {

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

}  // namespace coracle::kubectl
