#include "net/pki.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/address.hpp"
#include "net/openssl_util.hpp"

namespace coracle::net {
namespace {

using Bignum = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;

void set_time(ASN1_TIME* target, WallTime time) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  ASN1_TIME_set(target, static_cast<time_t>(seconds.count()));
}

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

KeyPair to_pem(X509* certificate, EVP_PKEY* key) {
  BioPtr cert_bio(BIO_new(BIO_s_mem())), key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(cert_bio.get(), certificate);
  PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {bio_text(cert_bio.get()), bio_text(key_bio.get())};
}

// Subject alternative names go through GENERAL_NAMES: text would let a name smuggle another in.
Status add_alt_names(X509* certificate, const CertRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return {};
  using Names = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
  Names names(sk_GENERAL_NAME_new_null());
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
  X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
  return {};
}

}  // namespace

Validity Validity::days(WallTime now, int days) {
  return {now - std::chrono::minutes(5), now + std::chrono::hours(24) * days};
}

Result<KeyPair> make_ca(std::string_view common_name, const Validity& validity) {
  PkeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return internal_error("cannot make a key: " + openssl_error());
  X509Ptr certificate = blank_certificate(key.get(), validity);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  add_name(subject, "CN", common_name);
  X509_set_issuer_name(certificate.get(), subject);
  X509* self = certificate.get();
  bool good = add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE") &&
              add_extension(self, self, NID_key_usage,
                            "critical,digitalSignature,keyEncipherment,keyCertSign") &&
              add_extension(self, self, NID_subject_key_identifier, "hash") &&
              X509_sign(self, key.get(), EVP_sha256()) > 0;
  if (!good) return internal_error("cannot make a CA: " + openssl_error());
  return to_pem(self, key.get());
}

Result<KeyPair> issue(const KeyPair& ca, const CertRequest& request, const Validity& validity) {
  RETURN_IF_ERROR(check_key_pair(ca).with_context("CA"));
  ASSIGN_OR_RETURN(auto issuers, read_certificates(ca.cert_pem));
  ASSIGN_OR_RETURN(auto ca_key, read_private_key(ca.key_pem));
  X509* issuer = issuers[0].get();
  if (X509_check_ca(issuer) != 1) return invalid_argument("CA: the certificate is no CA");
  PkeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return internal_error("cannot make a key: " + openssl_error());
  X509Ptr certificate = blank_certificate(key.get(), validity);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  for (const std::string& organization : request.organizations) {
    add_name(subject, "O", organization);
  }
  add_name(subject, "CN", request.common_name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  X509* leaf = certificate.get();
  RETURN_IF_ERROR(add_alt_names(leaf, request));
  std::vector<std::string> usages;
  if (request.server) usages.push_back("serverAuth");
  if (request.client) usages.push_back("clientAuth");
  bool good =
      add_extension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(leaf, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
      (usages.empty() || add_extension(leaf, issuer, NID_ext_key_usage, join(usages, ","))) &&
      add_extension(leaf, issuer, NID_authority_key_identifier, "keyid") &&
      X509_sign(leaf, ca_key.get(), EVP_sha256()) > 0;
  if (!good) return internal_error("cannot issue a certificate: " + openssl_error());
  return to_pem(leaf, key.get());
}

Result<CertInfo> inspect_certificate(std::string_view pem) {
  ASSIGN_OR_RETURN(auto certificates, read_certificates(pem));
  X509* certificate = certificates[0].get();
  CertInfo info;
  auto last_cn = [](X509_NAME* name) {
    auto names = name_entries(name, NID_commonName);
    return names.empty() ? std::string() : names.back();
  };
  X509_NAME* subject = X509_get_subject_name(certificate);
  info.common_name = last_cn(subject);
  info.organizations = name_entries(subject, NID_organizationName);
  info.issuer_common_name = last_cn(X509_get_issuer_name(certificate));
  SubjectAltNames names = subject_alt_names(certificate);
  info.dns_names = std::move(names.dns);
  info.ip_addresses = std::move(names.ips);
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  info.serial_hex = hex_encode({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                                static_cast<std::size_t>(ASN1_STRING_length(serial))});
  info.not_before = from_asn1_time(X509_get0_notBefore(certificate));
  info.not_after = from_asn1_time(X509_get0_notAfter(certificate));
  info.is_ca = X509_check_ca(certificate) == 1;
  return info;
}

Status check_key_pair(const KeyPair& pair) {
  ASSIGN_OR_RETURN(auto certificates, read_certificates(pair.cert_pem));
  ASSIGN_OR_RETURN(auto key, read_private_key(pair.key_pem));
  if (X509_check_private_key(certificates[0].get(), key.get()) == 1) return {};
  ERR_clear_error();
  return invalid_argument("tls: private key does not match public key");
}

Status write_private_file(const std::string& path, std::string_view content) {
  std::string temporary = path + ".new";
  auto failed = [&](const char* what) {
    Status status = unavailable(std::string(what) + " " + temporary + ": " + std::strerror(errno));
    ::unlink(temporary.c_str());
    return status;
  };
  ::unlink(temporary.c_str());
  int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return failed("open");
  while (!content.empty()) {
    ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      ::close(file);
      return failed("write");
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::fsync(file);
  ::close(file);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename");
  return {};
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace coracle::net
