// What a user may write into CertificateSigningRequests beyond what roles of the resource say: to
// approve or sign needs that verb on the signer (upstream's admission plugins CertificateApproval,
// CertificateSigning), and nobody asks for a client certificate of system:masters
// (CertificateSubjectRestriction). Pure but for the roles it reads.
#pragma once

#include <string>

#include "apiserver/rbac/access.hpp"
#include "apiserver/registry/context.hpp"

namespace coracle::apiserver::rbac {

// Why not; "" when it may be written. Nothing is said about other kinds.
std::string certificate_write_refusal(const Access& access, const Context& c,
                                      const json::value& next, const json::value* old);

}  // namespace coracle::apiserver::rbac
