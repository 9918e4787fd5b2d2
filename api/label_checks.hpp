// label_checks: what upstream's NewRequirement finds wrong with a label requirement, by field.
// Pure.
#pragma once

#include "api/field_error.hpp"
#include "api/selectors.hpp"

namespace coracle::api {

// `path`: of the requirement; its key is `path.key`, its values `path.values`, in the order they
// have in `requirement`.
void check_label_requirement(const LabelRequirement& requirement, const FieldPath& path,
                             FieldErrors& errors);

}  // namespace coracle::api
