#include "api/columns/columns.hpp"
#include "api/defaults/defaults.hpp"
#include "api/devices/validation.hpp"
#include "api/hooks.hpp"
#include "api/hooks/custom_rules.hpp"
#include "api/object.hpp"
#include "api/policy/validation.hpp"
#include "api/validation/validation.hpp"
#include "api/warnings/warnings.hpp"

namespace coracle::api {
namespace {

namespace d = defaults;
namespace v = validation;
namespace w = warnings;

constexpr std::string_view kApps = "apps";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::string_view kNetworking = "networking.k8s.io";
constexpr std::string_view kStorage = "storage.k8s.io";
constexpr std::string_view kFlowControl = "flowcontrol.apiserver.k8s.io";
constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
constexpr std::string_view kResource = "resource.k8s.io";

void custom_definition(const json::value& object, const json::value* old, FieldErrors& errors) {
  v::custom_definition(object, old, errors);
  if (errors.empty()) check_rule_texts(object, old, errors);
}

const std::vector<KindHooks>& core_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = "",
       .kind = "Pod",
       .set_defaults = d::set_pod,
       .prepare_create = d::prepare_pod_create,
       .validate = v::pod,
       .validate_status = v::pod_status,
       .warnings = w::pod},
      {.group = "",
       .kind = "PodTemplate",
       .set_defaults = d::set_template_kind,
       .validate = v::pod_template_kind,
       .warnings = w::pod_template_kind},
      {.group = "",
       .kind = "ReplicationController",
       .set_defaults = d::set_replication_controller,
       .validate = v::replication_controller,
       .warnings = w::replicated},
      {.group = "",
       .kind = "Service",
       .set_defaults = d::set_service,
       .prepare_create = d::prepare_service_create,
       .prepare_update = d::prepare_service_update,
       .validate = v::service,
       .validate_status = v::service_status,
       .check_name = check_dns1035_label,
       .warnings = w::service},
      {.group = "",
       .kind = "Endpoints",
       .set_defaults = d::set_endpoints,
       .validate = v::endpoints,
       .warnings = w::endpoints},
      {.group = "", .kind = "ConfigMap", .validate = v::config_map},
      {.group = "",
       .kind = "Secret",
       .set_defaults = d::set_secret,
       .validate = v::secret,
       .warnings = w::secret},
  };
  return kHooks;
}

const std::vector<KindHooks>& cluster_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = "",
       .kind = "Namespace",
       .set_defaults = d::set_namespace,
       .prepare_create = d::prepare_namespace_create,
       .prepare_update = d::prepare_namespace_update,
       .validate = v::namespace_,
       .check_name = check_dns1123_label},
      {.group = "",
       .kind = "Node",
       .set_defaults = d::set_node,
       .validate = v::node,
       .warnings = w::node},
      {.group = "", .kind = "ServiceAccount", .warnings = w::service_account},
      {.group = "", .kind = "Event", .validate = v::event},
      {.group = "", .kind = "Binding", .validate = v::binding},
      {.group = "",
       .kind = "LimitRange",
       .set_defaults = d::set_limit_range,
       .validate = v::limit_range},
      {.group = "", .kind = "ResourceQuota", .validate = v::resource_quota},
      {.group = "",
       .kind = "PersistentVolume",
       .set_defaults = d::set_persistent_volume,
       .prepare_create = d::prepare_volume_create,
       .validate = v::persistent_volume,
       .warnings = w::persistent_volume},
      {.group = "",
       .kind = "PersistentVolumeClaim",
       .set_defaults = d::set_persistent_volume_claim,
       .prepare_create = d::prepare_volume_create,
       .validate = v::persistent_volume_claim,
       .warnings = w::persistent_volume_claim},
  };
  return kHooks;
}

const std::vector<KindHooks>& workload_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = kApps,
       .kind = "Deployment",
       .set_defaults = d::set_deployment,
       .validate = v::deployment,
       .warnings = w::replicated},
      {.group = kApps,
       .kind = "ReplicaSet",
       .set_defaults = d::set_replica_set,
       .validate = v::replica_set,
       .warnings = w::replicated},
      {.group = kApps,
       .kind = "DaemonSet",
       .set_defaults = d::set_daemon_set,
       .prepare_create = d::prepare_daemon_set_create,
       .prepare_update = d::prepare_daemon_set_update,
       .validate = v::daemon_set,
       .warnings = w::daemon_set},
      {.group = kApps,
       .kind = "StatefulSet",
       .set_defaults = d::set_stateful_set,
       .validate = v::stateful_set,
       .check_name = check_dns1123_label,
       .warnings = w::stateful_set},
      {.group = kApps, .kind = "ControllerRevision", .validate = v::controller_revision},
      {.group = "batch",
       .kind = "Job",
       .set_defaults = d::set_job,
       .prepare_create = d::prepare_job_create,
       .validate = v::job,
       .warnings = w::job},
      {.group = "batch",
       .kind = "CronJob",
       .set_defaults = d::set_cron_job,
       .validate = v::cron_job,
       .warnings = w::cron_job},
      {.group = "autoscaling",
       .kind = "HorizontalPodAutoscaler",
       .set_defaults = d::set_autoscaler,
       .validate = v::autoscaler,
       .validate_status = v::autoscaler_status},
      {.group = "policy", .kind = "PodDisruptionBudget", .validate = v::disruption_budget},
  };
  return kHooks;
}

const std::vector<KindHooks>& other_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = "events.k8s.io", .kind = "Event", .validate = v::event},
      {.group = "discovery.k8s.io",
       .kind = "EndpointSlice",
       .set_defaults = d::set_endpoint_slice,
       .validate = v::endpoint_slice,
       .warnings = w::endpoint_slice},
      {.group = "coordination.k8s.io", .kind = "Lease", .validate = v::lease},
      {.group = "scheduling.k8s.io",
       .kind = "PriorityClass",
       .set_defaults = d::set_priority_class,
       .validate = v::priority_class},
      {.group = kNetworking,
       .kind = "Ingress",
       .validate = v::ingress,
       .validate_status = v::ingress_status,
       .warnings = w::ingress},
      {.group = kNetworking,
       .kind = "IngressClass",
       .set_defaults = d::set_ingress_class,
       .validate = v::ingress_class},
      {.group = kNetworking, .kind = "ServiceCIDR", .validate = v::service_cidr},
      {.group = kNetworking,
       .kind = "IPAddress",
       .validate = v::ip_address,
       .check_name = v::ip_name},
      {.group = kNetworking,
       .kind = "NetworkPolicy",
       .set_defaults = d::set_network_policy,
       .validate = v::network_policy,
       .warnings = w::network_policy},
      {.group = kRbac, .kind = "Role", .validate = v::role, .check_name = check_path_segment_name},
      {.group = kRbac,
       .kind = "ClusterRole",
       .validate = v::cluster_role,
       .check_name = check_path_segment_name},
      {.group = kRbac,
       .kind = "RoleBinding",
       .set_defaults = d::set_role_binding,
       .validate = v::role_binding,
       .check_name = check_path_segment_name},
      {.group = kRbac,
       .kind = "ClusterRoleBinding",
       .set_defaults = d::set_role_binding,
       .validate = v::role_binding,
       .check_name = check_path_segment_name},
      {.group = kStorage,
       .kind = "StorageClass",
       .set_defaults = d::set_storage_class,
       .validate = v::storage_class,
       .warnings = w::storage_class},
      {.group = kStorage,
       .kind = "CSIDriver",
       .set_defaults = d::set_csi_driver,
       .validate = v::csi_driver},
      {.group = kStorage, .kind = "CSINode", .validate = v::csi_node},
      {.group = kStorage,
       .kind = "CSIStorageCapacity",
       .validate = v::csi_capacity,
       .warnings = w::csi_capacity},
      {.group = kStorage, .kind = "VolumeAttachment", .validate = v::volume_attachment},
      {.group = kStorage, .kind = "VolumeAttributesClass", .validate = v::volume_attributes_class},
      {.group = "node.k8s.io",
       .kind = "RuntimeClass",
       .validate = v::runtime_class,
       .warnings = w::runtime_class},
  };
  return kHooks;
}

const std::vector<KindHooks>& extension_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = "certificates.k8s.io",
       .kind = "CertificateSigningRequest",
       .validate = v::certificate_request,
       .validate_status = v::certificate_request_status,
       .check_name = v::any_name},
      {.group = "apiextensions.k8s.io",
       .kind = "CustomResourceDefinition",
       .set_defaults = d::set_custom_definition,
       .prepare_create = d::prepare_custom_definition_create,
       .prepare_update = d::prepare_custom_definition_update,
       .validate = custom_definition,
       .warnings = w::custom_definition},
      {.group = "apiregistration.k8s.io",
       .kind = "APIService",
       .validate = v::api_service,
       .check_name = check_path_segment_name},
      {.group = kFlowControl, .kind = "FlowSchema", .validate = v::flow_schema},
      {.group = kFlowControl, .kind = "PriorityLevelConfiguration", .validate = v::priority_level},
      {.group = kAdmission,
       .kind = "ValidatingAdmissionPolicy",
       .validate = policy::admission_policy,
       .validate_status = policy::admission_policy_status},
      {.group = kAdmission,
       .kind = "ValidatingAdmissionPolicyBinding",
       .validate = policy::admission_policy_binding},
      {.group = kAdmission,
       .kind = "MutatingWebhookConfiguration",
       .validate = v::mutating_webhooks},
      {.group = kAdmission,
       .kind = "ValidatingWebhookConfiguration",
       .validate = v::validating_webhooks},
  };
  return kHooks;
}

const std::vector<KindHooks>& device_kinds() {
  static const std::vector<KindHooks> kHooks = {
      {.group = kResource, .kind = "DeviceClass", .validate = devices::device_class},
      {.group = kResource,
       .kind = "ResourceClaim",
       .set_defaults = d::set_resource_claim,
       .validate = devices::resource_claim,
       .validate_status = devices::resource_claim_status},
      {.group = kResource,
       .kind = "ResourceClaimTemplate",
       .set_defaults = d::set_resource_claim_template,
       .validate = devices::resource_claim_template},
      {.group = kResource, .kind = "ResourceSlice", .validate = devices::resource_slice},
  };
  return kHooks;
}

HookTable make_table() {
  HookTable table;
  table.add_kinds(core_kinds());
  table.add_kinds(cluster_kinds());
  table.add_kinds(workload_kinds());
  table.add_kinds(other_kinds());
  table.add_kinds(extension_kinds());
  table.add_kinds(device_kinds());
  table.add_columns(pod_columns());
  table.add_columns(node_columns());
  table.add_columns(network_columns());
  table.add_columns(workload_columns());
  table.add_columns(batch_columns());
  table.add_columns(event_columns());
  table.add_columns(storage_columns());
  table.add_columns(policy_columns());
  table.add_columns(extension_columns());
  return table;
}

}  // namespace

const HookTable& builtin_hooks() {
  static const HookTable kTable = make_table();
  return kTable;
}

}  // namespace coracle::api
