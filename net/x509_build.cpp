#include "net/x509_build.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>

#include "base/strings.hpp"

namespace coracle::net {
namespace {

using Bignum = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;

void set_time(ASN1_TIME* target, WallTime time) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  ASN1_TIME_set(target, static_cast<time_t>(seconds.count()));
}

}  // namespace

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

void add_name(X509_NAME* name, const char* field, std::string_view value) {
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

X509Ptr blank_certificate(EVP_PKEY* key, const Validity& validity) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  Bignum serial(BN_new());
  BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get()));
  set_time(X509_getm_notBefore(certificate.get()), validity.not_before);
  set_time(X509_getm_notAfter(certificate.get()), validity.not_after);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

// Through GENERAL_NAMES: text would let a name smuggle another in.
Result<AltNames> make_alt_names(const CertRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return AltNames();
  AltNames names(sk_GENERAL_NAME_new_null());
  auto add = [&](int type, const void* data, std::size_t size) {
    ASN1_STRING* value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    ASN1_STRING_set(value, data, static_cast<int>(size));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(names.get(), name);
  };
  for (const std::string& dns : request.dns_names) add(GEN_DNS, dns.data(), dns.size());
  for (const std::string& text : request.ip_addresses) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
    if (!address) {
      ERR_clear_error();
      return invalid_argument("not an IP address: " + quoted(text));
    }
    add(GEN_IPADD, ASN1_STRING_get0_data(address),
        static_cast<std::size_t>(ASN1_STRING_length(address)));
    ASN1_OCTET_STRING_free(address);
  }
  return names;
}

std::string address_text(std::string_view bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  char text[INET6_ADDRSTRLEN];
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

}  // namespace coracle::net
