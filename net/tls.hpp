// What a TLS server is given. Everything is PEM text; a chain is leaf first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"

namespace coracle::net {

// A certificate for clients that ask for one of these names (SNI): "www.example.com", or
// "*.example.com" for one label before it.
struct NamedPair {
  std::vector<std::string> names;
  std::string cert_pem, key_pem;
};

struct TlsConfig {
  std::string cert_pem;  // certificate chain of the server
  std::string key_pem;   // its private key
  // Client certificates are asked for, never demanded; the handler learns whether one of these CAs
  // vouches for it (Peer::cert_trusted). Empty: certificates are not asked for.
  std::string client_ca_pem;
  std::vector<NamedPair> by_name;  // others get cert_pem; an exact name wins over a wildcard
};

// A TlsConfig made ready for handshakes. It takes hundreds of KB, so that servers with the same
// certificates share one (Server::Options::identity). Strand: that of its servers.
class TlsIdentity {
 public:
  // InvalidArgument: bad PEM, or a key of another certificate.
  static Result<std::shared_ptr<TlsIdentity>> make(const TlsConfig& config);
  virtual ~TlsIdentity() = default;
  // New handshakes of all its servers see the new certificates; InvalidArgument leaves the old
  // ones.
  virtual Status reload(const TlsConfig& config) = 0;
};

}  // namespace coracle::net
