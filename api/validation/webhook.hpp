// What webhooks of admission and of conversion share, and policies with them. Pure.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// Exactly one of url and service, and each as it must be. `missing` is where the rule itself is
// reported.
void webhook_client(const json::value& config, const FieldPath& path, FieldErrors& errors);
// Names of versions, one of which must be v1 or v1beta1.
void review_versions(const json::value& holder, std::string_view key, const FieldPath& path,
                     std::string_view when_empty, FieldErrors& errors);

// A rule of operations on resources: of webhooks and of policies.
void operations_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::validation
