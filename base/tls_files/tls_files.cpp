#include "tls_files/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

namespace coracle {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

Status named(const std::string& flag, const std::string& path, const std::string& what) {
  return invalid_argument(flag + " " + path + ": " + what);
}

Result<std::string> read_file(const std::string& flag, const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return named(flag, path, errno != 0 ? std::strerror(errno) : "the file is empty");
  }
  return text.str();
}

BioPtr bio_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), int(text.size())), BIO_free_all};
}

std::vector<X509Ptr> certificates_in(const std::string& text) {
  std::vector<X509Ptr> found;
  const BioPtr bio = bio_of(text);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(certificate, X509_free);
  }
  ERR_clear_error();
  return found;
}

Result<std::vector<X509Ptr>> read_certificates(const std::string& flag, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(flag, path));
  auto found = certificates_in(text);
  if (found.empty()) return named(flag, path, "holds no certificate in PEM");
  return found;
}

// No passphrase is asked for: a daemon has nobody to ask.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<KeyPtr> read_key(const std::string& flag, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(flag, path));
  KeyPtr key(PEM_read_bio_PrivateKey(bio_of(text).get(), nullptr, no_passphrase, nullptr),
             EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) return named(flag, path, "holds no private key in PEM (without passphrase)");
  return key;
}

std::string day(const ASN1_TIME* time) {
  std::tm parts{};
  char text[32];
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

void warn_of(const std::string& flag, const std::string& path, WallTime now,
             std::vector<std::string>* warnings) {
  if (path.empty()) return;
  const auto found = read_certificates(flag, path);
  if (!found.ok()) return;
  std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  for (const X509Ptr& certificate : *found) {
    const ASN1_TIME* begin = X509_get0_notBefore(certificate.get());
    const ASN1_TIME* end = X509_get0_notAfter(certificate.get());
    if (X509_cmp_time(end, &seconds) < 0) {
      warnings->push_back(flag + " " + path + ": the certificate expired on " + day(end));
    } else if (X509_cmp_time(begin, &seconds) > 0) {
      warnings->push_back(flag + " " + path + ": the certificate is not valid before " +
                          day(begin));
    }
  }
}

}  // namespace

Status check_tls_files(const TlsFiles& files, const TlsFlagNames& flags) {
  if (files.cert.empty() != files.key.empty()) {
    const std::string& missing = files.cert.empty() ? flags.cert : flags.key;
    const std::string& given = files.cert.empty() ? flags.key : flags.cert;
    return invalid_argument(missing + ": is needed, because " + given + " is given");
  }
  if (!files.cert.empty()) {
    ASSIGN_OR_RETURN(const auto chain, read_certificates(flags.cert, files.cert));
    ASSIGN_OR_RETURN(const KeyPtr key, read_key(flags.key, files.key));
    const bool fits = X509_check_private_key(chain.front().get(), key.get()) == 1;
    ERR_clear_error();
    if (!fits) {
      return named(flags.key, files.key,
                   "does not belong to the certificate of " + flags.cert + " " + files.cert);
    }
  }
  if (files.ca.empty()) return {};
  return read_certificates(flags.ca, files.ca).status();
}

std::vector<std::string> tls_warnings(const TlsFiles& files, const TlsFlagNames& flags,
                                      WallTime now) {
  std::vector<std::string> warnings;
  warn_of(flags.cert, files.cert, now, &warnings);
  warn_of(flags.ca, files.ca, now, &warnings);
  return warnings;
}

}  // namespace coracle
