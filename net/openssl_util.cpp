#include "net/openssl_util.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

#include "base/timestamp.hpp"

namespace coracle::net {

std::string openssl_error() {
  unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

BioPtr read_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
  std::vector<X509Ptr> certificates;
  BioPtr bio = read_bio(pem);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(one);
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty()) {
    ERR_clear_error();
    return invalid_argument("failed to find any PEM data in certificate input");
  }
  if (!at_end) return invalid_argument("damaged certificate: " + openssl_error());
  ERR_clear_error();
  return certificates;
}

Result<PkeyPtr> read_private_key(std::string_view pem) {
  BioPtr bio = read_bio(pem);
  // An empty pass phrase: an encrypted key fails, and nobody is asked on the terminal.
  char no_phrase[] = "";
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_phrase));
  if (!key) {
    ERR_clear_error();
    return invalid_argument("failed to find any PEM data in key input");
  }
  return key;
}

SubjectAltNames subject_alt_names(X509* certificate) {
  SubjectAltNames names;
  using Names = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
  Names list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    const ASN1_STRING* value = name->d.ia5;
    const unsigned char* data = ASN1_STRING_get0_data(value);
    int size = ASN1_STRING_length(value);
    if (name->type == GEN_DNS) {
      names.dns.emplace_back(reinterpret_cast<const char*>(data), size);
    } else if (name->type == GEN_IPADD && (size == 4 || size == 16)) {
      char text[INET6_ADDRSTRLEN];
      inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text, sizeof text);
      names.ips.emplace_back(text);
    }
  }
  return names;
}

std::vector<std::string> name_entries(X509_NAME* name, int nid) {
  std::vector<std::string> values;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
    const ASN1_STRING* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* utf8 = nullptr;
    int size = ASN1_STRING_to_UTF8(&utf8, data);
    if (size < 0) continue;
    values.emplace_back(reinterpret_cast<char*>(utf8), size);
    OPENSSL_free(utf8);
  }
  return values;
}

WallTime from_asn1_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return to_wall_time({timegm(&parts), 0});  // some certificates are good until the year 9999
}

}  // namespace coracle::net
