// Internal to net: the pieces that certificates and requests are built of.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/openssl_util.hpp"
#include "net/pki.hpp"

namespace coracle::net {

using AltNames = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value);
void add_name(X509_NAME* name, const char* field, std::string_view value);
// Version 3, with a random serial.
X509Ptr blank_certificate(EVP_PKEY* key, const Validity& validity);
// The alternative names asked for; null: none. InvalidArgument: a bad address.
Result<AltNames> make_alt_names(const CertRequest& request);
// Of the 4 or 16 bytes of a certificate.
std::string address_text(std::string_view bytes);

}  // namespace coracle::net
