// What a CertificateSigningRequest says about who made it: the server writes it, whatever the body
// says; and whether whoever made it has its key. Pure.
#pragma once

#include "api/strategy.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

// Nothing for other kinds.
void stamp_requestor(const Context& c, json::value& object);
// A new request is signed by its own key.
void check_request_signature(const Context& c, const json::value& object, api::FieldErrors& errors);
// Of a write to /approval: only the verdicts change; everything else as it was.
void keep_but_verdicts(json::value& next, const json::value& current);
// /status and /approval touch the status, everything else the object.
api::WriteTarget write_target(const Context& c);

}  // namespace coracle::apiserver
