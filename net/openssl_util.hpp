// Internal to net: owning pointers and text of OpenSSL's objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::net {

template <auto Free>
struct OpensslDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;

// The earliest queued error's reason; clears the queue. "unknown error" when there is none.
std::string openssl_error();

BioPtr read_bio(std::string_view text);
std::string bio_text(BIO* bio);

// All CERTIFICATE blocks; InvalidArgument if there is none or one is damaged.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);
Result<PkeyPtr> read_private_key(std::string_view pem);

struct SubjectAltNames {
  std::vector<std::string> dns;
  std::vector<std::string> ips;
};
SubjectAltNames subject_alt_names(X509* certificate);
std::vector<std::string> name_entries(X509_NAME* name, int nid);  // NID_organizationName
WallTime from_asn1_time(const ASN1_TIME* time);

}  // namespace coracle::net
