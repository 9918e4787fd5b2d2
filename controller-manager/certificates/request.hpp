// What the controllers of CertificateSigningRequests read of one. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::csr {

bool is(const json::value& request, std::string_view verdict);  // "Approved", "Denied", "Failed"
bool is_issued(const json::value& request);
std::vector<std::string> usages_of(const json::value& request);
std::string pem_of(const json::value& request);          // of spec.request
std::string certificate_of(const json::value& request);  // of status.certificate
// Adds a verdict that holds.
void add_verdict(json::value& request, const char* type, const char* reason,
                 const std::string& message, WallTime now);

}  // namespace coracle::controllers::csr
