// custom_rules: x-kubernetes-validations of custom kinds, the CEL rules in their schemas. Pure.
#pragma once

#include "api/custom_schema.hpp"
#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api {

// A CustomRules. Rules that look at oldSelf are for updates. Bound: one budget of CEL cost for all
// rules.
void check_custom_rules(const CustomSchema& schema, const Schema* shape, const json::value& object,
                        const json::value* old, FieldErrors& errors);
// Whether the rules of a CustomResourceDefinition compile, and cost no more than allowed unless the
// version was so before.
void check_rule_texts(const json::value& definition, const json::value* old, FieldErrors& errors);

}  // namespace coracle::api
