#include "server/client_tls.hpp"

#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.hpp"

namespace coracle::store {
namespace {

std::string text_of(const std::string& path) {
  if (path.empty()) return {};
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

std::optional<net::TlsConfig> ClientTls::renew() {
  net::TlsConfig now;
  now.cert_pem = text_of(files_.cert);
  now.key_pem = text_of(files_.key);
  now.client_ca_pem = text_of(files_.ca);
  if (now.cert_pem == last_.cert_pem && now.key_pem == last_.key_pem &&
      now.client_ca_pem == last_.client_ca_pem) {
    return std::nullopt;
  }
  const Status good = check_tls_files(files_, {"--cert-file", "--key-file", "--trusted-ca-file"});
  if (!good.ok() && !last_.cert_pem.empty()) {
    if (std::exchange(complaint_, good.message()) != good.message()) {
      log::warn("client port: the old certificate stays in use: {}", good.message());
    }
    return std::nullopt;
  }
  complaint_.clear();
  last_ = now;
  return now;
}

}  // namespace coracle::store
