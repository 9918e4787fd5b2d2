// Admin access to devices (monitoring, diagnosis: devices that are in use by others) is for
// namespaces whose label allows it.
#pragma once

#include "api/field_error.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

// Of a claim or template that is made (`old` null), and of the allocation of a claim that had none:
// what asks for it in a namespace without the label. Nothing for all else.
Task<api::FieldErrors> admin_access_errors(const Machinery& m, const Context& c,
                                           const json::value& object, const json::value* old);

}  // namespace coracle::apiserver
