// warnings: what a client is told of an object that is good enough and will surprise: the texts of
// Warning headers, in upstream's words and order. `old` is nullptr on create. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::warnings {

using Object = const json::value&;
using Old = const json::value*;
using Texts = std::vector<std::string>;

void pod(Object object, Old old, Texts& out);
void pod_template_kind(Object object, Old old, Texts& out);
// Deployment, ReplicaSet, ReplicationController.
void replicated(Object object, Old old, Texts& out);
void daemon_set(Object object, Old old, Texts& out);
void stateful_set(Object object, Old old, Texts& out);
void job(Object object, Old old, Texts& out);
void cron_job(Object object, Old old, Texts& out);

void service(Object object, Old old, Texts& out);
void endpoints(Object object, Old old, Texts& out);
void endpoint_slice(Object object, Old old, Texts& out);
void ingress(Object object, Old old, Texts& out);
void network_policy(Object object, Old old, Texts& out);

void service_account(Object object, Old old, Texts& out);
void secret(Object object, Old old, Texts& out);
void node(Object object, Old old, Texts& out);
void runtime_class(Object object, Old old, Texts& out);
void persistent_volume(Object object, Old old, Texts& out);
void persistent_volume_claim(Object object, Old old, Texts& out);
void storage_class(Object object, Old old, Texts& out);
void csi_capacity(Object object, Old old, Texts& out);
void custom_definition(Object object, Old old, Texts& out);

// What the kinds share.

// {metadata, spec} of a pod or of a template at `path` (empty for a pod).
void pod_parts(const json::value& pod, const FieldPath& path, Texts& out);
void pod_volumes(const json::value& spec, const FieldPath& path, Texts& out);
// pod_parts.cpp: ports of all containers; what affinities and constraints name.
void pod_ports(const json::value& spec, const FieldPath& path, Texts& out);
void pod_placement(const json::value& spec, const FieldPath& path, Texts& out);
void claim_spec(const json::value& spec, const FieldPath& path, Texts& out);
// matchExpressions of a node selector's term.
void node_term(const json::value& term, bool values, const FieldPath& path, Texts& out);
// "" where a node's label is not deprecated.
std::string_view deprecated_label(std::string_view key);
void ip(const FieldPath& path, std::string_view text, Texts& out);
void network(const FieldPath& path, std::string_view text, Texts& out);
// A fraction of a byte at {path}[{name}] of a list of amounts.
void whole_bytes(const json::value& amounts, std::string_view name, const FieldPath& path,
                 Texts& out);

// "PATH: TEXT".
void at(const FieldPath& path, std::string_view text, Texts& out);

}  // namespace coracle::api::warnings
