// What a TLS server is given. Everything is PEM text; a chain is leaf first.
#pragma once

#include <string>

namespace coracle::net {

struct TlsConfig {
  std::string cert_pem;  // certificate chain of the server
  std::string key_pem;   // its private key
  // Client certificates are asked for, never demanded; the handler learns whether one of these CAs
  // vouches for it (Peer::cert_trusted). Empty: certificates are not asked for.
  std::string client_ca_pem;
};

}  // namespace coracle::net
