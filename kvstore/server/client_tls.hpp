// ClientTls: the certificate files of the client port, read again when they change.
//
// Thread: one. A file that is being written, or does not fit the other, leaves what was good, and
// is logged.
#pragma once

#include <optional>
#include <string>

#include "net/tls.hpp"
#include "tls_files/tls_files.hpp"

namespace coracle::store {

class ClientTls {
 public:
  explicit ClientTls(TlsFiles files) : files_(std::move(files)) {}
  // What the files say, if that is not what they said the last time.
  std::optional<net::TlsConfig> renew();

 private:
  const TlsFiles files_;
  net::TlsConfig last_;
  std::string complaint_;  // what was logged last
};

}  // namespace coracle::store
