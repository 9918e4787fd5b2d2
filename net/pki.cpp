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
#include "net/x509_build.hpp"

namespace coracle::net {
namespace {

KeyPair to_pem(X509* certificate, EVP_PKEY* key) {
  BioPtr cert_bio(BIO_new(BIO_s_mem())), key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(cert_bio.get(), certificate);
  PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {bio_text(cert_bio.get()), bio_text(key_bio.get())};
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
  ASSIGN_OR_RETURN(const AltNames names, make_alt_names(request));
  if (names) X509_add1_ext_i2d(leaf, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT);
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
