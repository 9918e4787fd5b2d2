// defaults: values the schema cannot default because they depend on other fields, and the kinds'
// own steps before a create or an update. set_* are idempotent and only fill what is absent;
// prepare_* change what a client may not set. Pure; a member of the wrong shape is left alone.
#pragma once

#include "base/json.hpp"

namespace coracle::api::defaults {

// pod.cpp. A template's spec gets less than a pod's: requests from limits, service links and host
// ports are settled when the pod itself is made.
void set_pod(json::object& pod);
void set_pod_template(json::object& pod_template);  // {metadata, spec}
void set_template_kind(json::object& object);       // a kind with a pod template at .template
void prepare_pod_create(json::object& pod);
// Guaranteed, Burstable or BestEffort, from the cpu and memory of all containers.
std::string_view qos_class(const json::value& pod);

// volume.cpp
void set_volumes(json::object& pod_spec);
void set_persistent_volume(json::object& volume);
void set_persistent_volume_claim(json::object& claim);
void prepare_volume_create(json::object& object);  // status is Pending
void set_storage_class(json::object& object);
void set_csi_driver(json::object& object);

// workload.cpp
void set_deployment(json::object& object);
void set_replica_set(json::object& object);
void set_replication_controller(json::object& object);
void set_daemon_set(json::object& object);
void set_stateful_set(json::object& object);
void set_job(json::object& object);
void set_cron_job(json::object& object);
// The selector and pod labels that tie pods to this very job. Needs metadata.uid. Nothing happens
// with manualSelector.
void prepare_job_create(json::object& job);
// The annotation that counts a DaemonSet's templates, which clients may not change.
void prepare_daemon_set_create(json::object& object);
void prepare_daemon_set_update(json::object& object, const json::value& old);

// service.cpp
void set_service(json::object& service);
void prepare_service_create(json::object& service);
// Values the server allocated are kept when an update leaves them out, and dropped with the type
// that needed them.
void prepare_service_update(json::object& service, const json::value& old);
void set_endpoints(json::object& object);
void set_endpoint_slice(json::object& object);
void set_network_policy(json::object& object);
void set_ingress_class(json::object& object);

// core.cpp
void set_namespace(json::object& object);
void prepare_namespace_create(json::object& object);
void prepare_namespace_update(json::object& object, const json::value& old);
void set_node(json::object& object);
void set_secret(json::object& object);
void set_limit_range(json::object& object);
void set_priority_class(json::object& object);
void set_role_binding(json::object& object);
void set_autoscaler(json::object& object);

// devices.cpp
void set_resource_claim(json::object& claim);
void set_resource_claim_template(json::object& object);

// custom_definition.cpp
void set_custom_definition(json::object& object);
void prepare_custom_definition_create(json::object& object);
void prepare_custom_definition_update(json::object& object, const json::value& old);

}  // namespace coracle::api::defaults
