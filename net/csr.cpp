#include "net/csr.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/openssl_util.hpp"
#include "net/x509_build.hpp"

namespace coracle::net {
namespace {

using ReqPtr = std::unique_ptr<X509_REQ, OpensslDeleter<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;

void free_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), OpensslDeleter<free_extensions>>;

struct Usage {
  std::string_view name, openssl;
  bool extended;
};
constexpr Usage kUsages[] = {
    {"signing", "digitalSignature", false},
    {"digital signature", "digitalSignature", false},
    {"content commitment", "nonRepudiation", false},
    {"key encipherment", "keyEncipherment", false},
    {"key agreement", "keyAgreement", false},
    {"data encipherment", "dataEncipherment", false},
    {"cert sign", "keyCertSign", false},
    {"crl sign", "cRLSign", false},
    {"encipher only", "encipherOnly", false},
    {"decipher only", "decipherOnly", false},
    {"any", "anyExtendedKeyUsage", true},
    {"server auth", "serverAuth", true},
    {"client auth", "clientAuth", true},
    {"code signing", "codeSigning", true},
    {"email protection", "emailProtection", true},
    {"s/mime", "emailProtection", true},
    {"ipsec end system", "ipsecEndSystem", true},
    {"ipsec tunnel", "ipsecTunnel", true},
    {"ipsec user", "ipsecUser", true},
    {"timestamping", "timeStamping", true},
    {"ocsp signing", "OCSPSigning", true},
    {"microsoft sgc", "msSGC", true},
    {"netscape sgc", "nsSGC", true},
};

Result<ReqPtr> read_csr(std::string_view pem) {
  BioPtr bio = read_bio(pem);
  ReqPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (!request) {
    ERR_clear_error();
    return invalid_argument("PEM block type must be CERTIFICATE REQUEST");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return invalid_argument("x509: the request's signature is not by its own key");
  }
  return request;
}

Names alt_names(X509_REQ* request) {
  const Extensions extensions(X509_REQ_get_extensions(request));
  if (!extensions) return nullptr;
  return Names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
}

std::string text_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

Status add_usages(X509* leaf, X509* issuer, const std::vector<std::string>& usages) {
  std::vector<std::string> plain, extended;
  for (const std::string& usage : usages) {
    const auto known = std::find_if(std::begin(kUsages), std::end(kUsages),
                                    [&](const Usage& u) { return u.name == usage; });
    if (known == std::end(kUsages)) {
      return invalid_argument("unrecognized usage value: " + quoted(usage));
    }
    auto& list = known->extended ? extended : plain;
    if (std::find(list.begin(), list.end(), known->openssl) == list.end()) {
      list.emplace_back(known->openssl);
    }
  }
  const bool good =
      (plain.empty() ||
       add_extension(leaf, issuer, NID_key_usage, "critical," + join(plain, ","))) &&
      (extended.empty() || add_extension(leaf, issuer, NID_ext_key_usage, join(extended, ",")));
  if (!good) return internal_error("cannot set the usages: " + openssl_error());
  return {};
}

}  // namespace

Result<CsrInfo> inspect_csr(std::string_view pem) {
  ASSIGN_OR_RETURN(const ReqPtr request, read_csr(pem));
  CsrInfo info;
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  const auto names = name_entries(subject, NID_commonName);
  if (!names.empty()) info.common_name = names.back();
  info.organizations = name_entries(subject, NID_organizationName);
  const Names alternatives = alt_names(request.get());
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(alternatives.get(), i), &type));
    if (type == GEN_DNS) info.dns_names.push_back(text_of(value));
    if (type == GEN_EMAIL) info.emails.push_back(text_of(value));
    if (type == GEN_URI) info.uris.push_back(text_of(value));
    if (type == GEN_IPADD) info.ip_addresses.push_back(address_text(text_of(value)));
  }
  return info;
}

Result<CsrAndKey> make_csr(const CertRequest& wanted) {
  PkeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return internal_error("cannot make a key: " + openssl_error());
  ReqPtr request(X509_REQ_new());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  for (const std::string& organization : wanted.organizations) add_name(subject, "O", organization);
  add_name(subject, "CN", wanted.common_name);
  X509_REQ_set_pubkey(request.get(), key.get());
  ASSIGN_OR_RETURN(const auto names, make_alt_names(wanted));
  if (names) {
    X509_EXTENSION* extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get());
    STACK_OF(X509_EXTENSION)* stack = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(stack, extension);
    X509_REQ_add_extensions(request.get(), stack);
    free_extensions(stack);
  }
  if (X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return internal_error("cannot sign the request: " + openssl_error());
  }
  BioPtr csr_bio(BIO_new(BIO_s_mem())), key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(csr_bio.get(), request.get());
  PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return CsrAndKey{bio_text(csr_bio.get()), bio_text(key_bio.get())};
}

Result<std::string> sign_csr(const KeyPair& ca, std::string_view csr_pem,
                             const std::vector<std::string>& usages, const Validity& validity) {
  RETURN_IF_ERROR(check_key_pair(ca).with_context("CA"));
  ASSIGN_OR_RETURN(auto issuers, read_certificates(ca.cert_pem));
  ASSIGN_OR_RETURN(auto ca_key, read_private_key(ca.key_pem));
  X509* issuer = issuers[0].get();
  if (X509_check_ca(issuer) != 1) return invalid_argument("CA: the certificate is no CA");
  ASSIGN_OR_RETURN(const ReqPtr request, read_csr(csr_pem));
  Validity within = validity;
  within.not_after = std::min(within.not_after, from_asn1_time(X509_get0_notAfter(issuer)));
  X509Ptr certificate = blank_certificate(X509_REQ_get0_pubkey(request.get()), within);
  X509* leaf = certificate.get();
  X509_set_subject_name(leaf, X509_REQ_get_subject_name(request.get()));
  X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
  RETURN_IF_ERROR(add_usages(leaf, issuer, usages));
  const Names names = alt_names(request.get());
  const bool good = add_extension(leaf, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(leaf, issuer, NID_authority_key_identifier, "keyid") &&
                    (!names || X509_add1_ext_i2d(leaf, NID_subject_alt_name, names.get(), 0,
                                                 X509V3_ADD_DEFAULT) == 1) &&
                    X509_sign(leaf, ca_key.get(), EVP_sha256()) > 0;
  if (!good) return internal_error("cannot sign the certificate: " + openssl_error());
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), leaf);
  return bio_text(bio.get());
}

Result<std::string> public_key_sha256(std::string_view cert_pem) {
  ASSIGN_OR_RETURN(auto certificates, read_certificates(cert_pem));
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificates[0].get()), &der);
  if (size <= 0) return internal_error("cannot write the key: " + openssl_error());
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_Digest(der, static_cast<std::size_t>(size), hash, &length, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return hex_encode({reinterpret_cast<const char*>(hash), length});
}

}  // namespace coracle::net
