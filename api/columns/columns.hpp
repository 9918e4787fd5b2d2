// columns: the computed cells of the built-in kinds' tables, worded as kubectl's users know them.
// Each is a pure function of the object and the time; a missing member never fails. The catalog
// names them ("pod.ready"); api/validation/builtin_hooks.cpp joins the lists.
#pragma once

#include <span>

#include "api/hooks.hpp"

namespace coracle::api {

std::span<const ColumnHook> pod_columns();
std::span<const ColumnHook> node_columns();
std::span<const ColumnHook> network_columns();   // service, endpoints, slices, ingress, policies
std::span<const ColumnHook> workload_columns();  // deployment, daemon set, stateful set, templates
std::span<const ColumnHook> batch_columns();     // job, cron job
std::span<const ColumnHook> event_columns();
std::span<const ColumnHook> storage_columns();    // volumes, claims, classes, csi
std::span<const ColumnHook> policy_columns();     // quota, budget, autoscaler, rbac, the rest
std::span<const ColumnHook> extension_columns();  // csr, flow control, webhooks, apiservice

}  // namespace coracle::api
