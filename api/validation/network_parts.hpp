// network_parts: what the checks of the kinds with addresses share, and the pieces of a Service's.
// Pure.
#pragma once

#include <string_view>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// As leniently as fields of old are read. Whether it is one.
bool legacy_ip(const FieldPath& path, std::string_view text, FieldErrors& errors);
bool legacy_network(const FieldPath& path, std::string_view text, FieldErrors& errors);
// What an endpoint or an external address may not be. `loopback` is let through where simulated
// nodes live on it.
enum class Loopback { kAllowed, kForbidden };
void endpoint_ip(const FieldPath& path, std::string_view text, Loopback loopback,
                 FieldErrors& errors);
// A DNS name that is no address; "" is fine.
void host_name(const FieldPath& path, std::string_view text, FieldErrors& errors);

// service_addresses.cpp: of a Service's spec. `before` is nullptr on create.
void service_addresses(const json::value& spec, const json::value* before, FieldErrors& errors);
void service_changes(const json::value& spec, const json::value& before, FieldErrors& errors);
void balancer_class(const json::value& spec, FieldErrors& errors);

}  // namespace coracle::api::validation
