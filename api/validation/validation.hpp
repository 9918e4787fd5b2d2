// validation: what a kind's schema cannot say, checked on create (`old` is nullptr) and update.
// Errors come in the order and wording of upstream, whose texts clients print. Pure.
// Metadata and the schema were checked before (api/strategy.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

using Object = const json::value&;
using Old = const json::value*;

// Pods and what makes them.
void pod(Object object, Old old, FieldErrors& errors);
void pod_status(Object object, Object old, FieldErrors& errors);
void pod_template_kind(Object object, Old old, FieldErrors& errors);
void deployment(Object object, Old old, FieldErrors& errors);
void replica_set(Object object, Old old, FieldErrors& errors);
void replication_controller(Object object, Old old, FieldErrors& errors);
void daemon_set(Object object, Old old, FieldErrors& errors);
void stateful_set(Object object, Old old, FieldErrors& errors);
void job(Object object, Old old, FieldErrors& errors);
void cron_job(Object object, Old old, FieldErrors& errors);
void controller_revision(Object object, Old old, FieldErrors& errors);

void service(Object object, Old old, FieldErrors& errors);
void service_status(Object object, Object old, FieldErrors& errors);
void endpoints(Object object, Old old, FieldErrors& errors);
void endpoint_slice(Object object, Old old, FieldErrors& errors);
void ingress(Object object, Old old, FieldErrors& errors);
void ingress_status(Object object, Object old, FieldErrors& errors);
void network_policy(Object object, Old old, FieldErrors& errors);

void config_map(Object object, Old old, FieldErrors& errors);
void secret(Object object, Old old, FieldErrors& errors);
void namespace_(Object object, Old old, FieldErrors& errors);
void node(Object object, Old old, FieldErrors& errors);
void event(Object object, Old old, FieldErrors& errors);
void binding(Object object, Old old, FieldErrors& errors);
void lease(Object object, Old old, FieldErrors& errors);
void priority_class(Object object, Old old, FieldErrors& errors);
void disruption_budget(Object object, Old old, FieldErrors& errors);
void role(Object object, Old old, FieldErrors& errors);
void cluster_role(Object object, Old old, FieldErrors& errors);
void role_binding(Object object, Old old, FieldErrors& errors);
void autoscaler(Object object, Old old, FieldErrors& errors);
void autoscaler_status(Object object, Object old, FieldErrors& errors);
void persistent_volume_claim(Object object, Old old, FieldErrors& errors);
void persistent_volume(Object object, Old old, FieldErrors& errors);
void resource_quota(Object object, Old old, FieldErrors& errors);
void limit_range(Object object, Old old, FieldErrors& errors);
void storage_class(Object object, Old old, FieldErrors& errors);

void certificate_request(Object object, Old old, FieldErrors& errors);
// Of /status and /approval.
void certificate_request_status(Object object, Object old, FieldErrors& errors);
void api_service(Object object, Old old, FieldErrors& errors);
void flow_schema(Object object, Old old, FieldErrors& errors);
void priority_level(Object object, Old old, FieldErrors& errors);
void mutating_webhooks(Object object, Old old, FieldErrors& errors);
void validating_webhooks(Object object, Old old, FieldErrors& errors);
void custom_definition(Object object, Old old, FieldErrors& errors);
void ingress_class(Object object, Old old, FieldErrors& errors);
void runtime_class(Object object, Old old, FieldErrors& errors);
void service_cidr(Object object, Old old, FieldErrors& errors);
void ip_address(Object object, Old old, FieldErrors& errors);
void volume_attachment(Object object, Old old, FieldErrors& errors);
void csi_driver(Object object, Old old, FieldErrors& errors);
void csi_node(Object object, Old old, FieldErrors& errors);
void csi_capacity(Object object, Old old, FieldErrors& errors);
void volume_attributes_class(Object object, Old old, FieldErrors& errors);

// Checks of metadata.name.
std::vector<std::string> any_name(std::string_view name);
std::vector<std::string> ip_name(std::string_view name);

}  // namespace coracle::api::validation
