// validation: what is wrong with ValidatingAdmissionPolicies, their bindings and the match
// conditions of webhooks, expressions included. As in api/validation. Pure.
#pragma once

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::policy {

void admission_policy(const json::value& object, const json::value* old, FieldErrors& errors);
void admission_policy_status(const json::value& object, const json::value& old,
                             FieldErrors& errors);
void admission_policy_binding(const json::value& object, const json::value* old,
                              FieldErrors& errors);

}  // namespace coracle::api::policy
