// Internal to net: OpenSSL contexts made from PEM text, and what a handshake said, in Go's words.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"

namespace coracle::net {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

struct ClientTls {
  std::string ca_pem;  // empty: the system's
  std::string cert_pem;
  std::string key_pem;
  bool insecure_skip_verify = false;
};

Result<SslContext> make_server_context(const TlsConfig& config);
// The context that new handshakes of this identity's servers take.
SSL_CTX* server_context_of(const TlsIdentity& identity);
// For HTTP/2; with a client CA, a handshake without a certificate it vouches for fails.
Result<SslContext> make_http2_server_context(const TlsConfig& config);
Result<SslContext> make_client_context(const ClientTls& config);

// Fills the certificate fields of `peer` after a server's handshake; `expires` is when the
// certificate's own validity ends (far future without one).
void describe_client_certificate(SSL* ssl, WallTime now, Peer* peer, WallTime* expires);

// What a client's verification knows and says. Set with SSL_set_app_data before its handshake.
struct VerificationNote {
  std::string host;
  WallTime now;
  std::string error;  // "x509: ...", when it failed
};

// Why a handshake failed: verification first, then alerts, then what OpenSSL has queued.
std::string handshake_error(SSL* ssl);

}  // namespace coracle::net
