#include "describe/describe.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

struct Entry {
  const char* group;
  const char* kind;
  Describer describe;
  bool with_events;
};

constexpr Entry kDescribers[] = {
    {"", "Pod", describe_pod, true},
    {"apps", "Deployment", describe_deployment, true},
    {"apps", "ReplicaSet", describe_replica_set, true},
    {"", "ReplicationController", describe_replica_set, true},
    {"apps", "DaemonSet", describe_daemon_set, true},
    {"apps", "StatefulSet", describe_stateful_set, true},
    {"batch", "Job", describe_job, true},
    {"batch", "CronJob", describe_cron_job, true},
    {"", "Service", describe_service, true},
    {"networking.k8s.io", "Ingress", describe_ingress, true},
    {"networking.k8s.io", "IngressClass", describe_ingress_class, true},
    {"networking.k8s.io", "NetworkPolicy", describe_network_policy, false},
    {"", "Node", describe_node, true},
    {"", "Namespace", describe_namespace, false},
    {"", "ConfigMap", describe_config_map, true},
    {"", "Secret", describe_secret, false},
    {"", "ServiceAccount", describe_service_account, true},
    {"rbac.authorization.k8s.io", "Role", describe_role, false},
    {"rbac.authorization.k8s.io", "ClusterRole", describe_role, false},
    {"rbac.authorization.k8s.io", "RoleBinding", describe_role_binding, false},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", describe_role_binding, false},
    {"", "PersistentVolume", describe_volume, true},
    {"", "PersistentVolumeClaim", describe_claim, true},
    {"storage.k8s.io", "StorageClass", describe_storage_class, true},
    {"certificates.k8s.io", "CertificateSigningRequest", describe_certificate_request, true},
    {"", "ResourceQuota", describe_quota, false},
    {"autoscaling", "HorizontalPodAutoscaler", describe_autoscaler, true},
};
constexpr Entry kAny = {"", "", describe_any, true};

const Entry& entry_of(const Resource& resource) {
  for (const Entry& entry : kDescribers) {
    if (resource.group == entry.group && resource.kind == entry.kind) return entry;
  }
  return kAny;
}

std::vector<json::value> events_of(const DescribeContext& context) {
  const json::value& object = context.object;
  std::string fields = "involvedObject.name=" + std::string(api::name_of(object)) +
                       ",involvedObject.kind=" + std::string(api::kind_of(object));
  // Events of cluster-wide objects are in default, and their uid may be the name (nodes).
  if (context.target.resource.namespaced) {
    fields += ",involvedObject.namespace=" + std::string(api::namespace_of(object)) +
              ",involvedObject.uid=" + std::string(api::uid_of(object));
  }
  return context.list("events", std::string(api::namespace_of(object)),
                      {{"fieldSelector", fields}});
}

std::string event_time(const json::value& event) {
  for (const char* field : {"series.lastObservedTime", "lastTimestamp", "eventTime"}) {
    const std::string text = text_at(event, field);
    if (!text.empty()) return text;
  }
  return std::string(api::creation_timestamp_of(event));
}

}  // namespace

std::vector<json::value> DescribeContext::list(std::string_view resource, const std::string& ns,
                                               client::QueryList query) const {
  std::vector<json::value> out;
  const auto known = session.resource(resource);
  if (!known.ok()) return out;
  auto answer = session.list(**known, ns, std::move(query));
  if (!answer.ok()) return out;
  for (const json::value& item : get_array(answer.value(), "items")) out.push_back(item);
  return out;
}

std::string age_text(std::string_view rfc3339, WallTime now) {
  const auto time = parse_time(rfc3339);
  return time.ok() ? human_duration(now - *time) : "<unknown>";
}

std::string event_age(const json::value& event, WallTime now) {
  std::string first = text_at(event, "firstTimestamp");
  if (first.empty()) first = text_at(event, "eventTime");
  const std::int64_t repeated = get_int(event, "series.count", get_int(event, "count"));
  if (repeated <= 1) return age_text(first, now);
  return age_text(event_time(event), now) + " (x" + std::to_string(repeated) + " over " +
         age_text(first, now) + ")";
}

void write_events(DescribeWriter& out, std::vector<json::value> events, WallTime now) {
  if (events.empty()) return out.line(0, "Events:\t<none>");
  out.flush();
  std::stable_sort(events.begin(), events.end(), [](const json::value& a, const json::value& b) {
    return event_time(a) < event_time(b);
  });
  out.line(0, "Events:");
  out.line(1, "Type\tReason\tAge\tFrom\tMessage");
  out.line(1, "----\t------\t----\t----\t-------");
  for (const json::value& event : events) {
    std::string source = text_at(event, "source.component");
    if (source.empty()) source = text_at(event, "reportingComponent");
    out.line(1, text_at(event, "type") + "\t" + text_at(event, "reason") + "\t" +
                    event_age(event, now) + "\t" + source + "\t" +
                    std::string(trim(get_string(event, "message"))));
  }
}

void write_conditions(DescribeWriter& out, const json::value& object) {
  const json::array& conditions = get_array(object, "status.conditions");
  if (conditions.empty()) return;
  out.line(0, "Conditions:");
  out.line(1, "Type\tStatus\tReason");
  out.line(1, "----\t------\t------");
  for (const json::value& condition : conditions) {
    out.line(1, text_at(condition, "type") + " \t" + text_at(condition, "status") + "\t" +
                    text_at(condition, "reason"));
  }
}

Result<std::string> describe_object(Session& session, const Target& target, bool show_events) {
  const DescribeContext context{session, target, target.object, session.wall_now()};
  const Entry& entry = entry_of(target.resource);
  DescribeWriter out;
  entry.describe(out, context);
  if (entry.with_events && show_events) write_events(out, events_of(context), context.now);
  return out.text();
}

}  // namespace coracle::kubectl
