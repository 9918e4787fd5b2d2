#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <map>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/openssl_util.hpp"

namespace coracle::net {
namespace {

SslContext new_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // Resumed sessions would skip the look at the client's certificate.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Status use_key_pair(SSL_CTX* context, std::string_view cert_pem, std::string_view key_pem) {
  ASSIGN_OR_RETURN(auto chain, read_certificates(cert_pem));
  ASSIGN_OR_RETURN(auto key, read_private_key(key_pem));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1) {
    return invalid_argument("tls: bad certificate: " + openssl_error());
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    SSL_CTX_add1_chain_cert(context, chain[i].get());
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return invalid_argument("tls: private key does not match public key");
  }
  return {};
}

// The contexts of a server's other names, kept by its context.
struct NameTable {
  std::vector<SslContext> contexts;
  std::map<std::string, SSL_CTX*> by_name;  // lower case

  SSL_CTX* find(const std::string& name) const {
    auto found = by_name.find(name);
    const size_t dot = name.find('.');
    if (found == by_name.end() && dot != name.npos) found = by_name.find("*" + name.substr(dot));
    return found == by_name.end() ? nullptr : found->second;
  }
};

int name_table_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* table, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<NameTable*>(table);
      });
  return index;
}

int choose_by_name(SSL* ssl, int*, void* argument) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (SSL_CTX* chosen = static_cast<NameTable*>(argument)->find(to_lower(name))) {
    SSL_set_SSL_CTX(ssl, chosen);  // its certificate; the other settings stay
  }
  return SSL_TLSEXT_ERR_OK;
}

Status use_names(SSL_CTX* context, const std::vector<NamedPair>& pairs) {
  auto table = std::make_unique<NameTable>();
  for (const NamedPair& pair : pairs) {
    SslContext own = new_context(TLS_server_method());
    RETURN_IF_ERROR(use_key_pair(own.get(), pair.cert_pem, pair.key_pem));
    for (const std::string& name : pair.names) table->by_name.emplace(to_lower(name), own.get());
    table->contexts.push_back(std::move(own));
  }
  SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
  SSL_CTX_set_tlsext_servername_arg(context, table.get());
  SSL_CTX_set_ex_data(context, name_table_index(), table.release());
  return {};
}

Status trust(SSL_CTX* context, std::string_view ca_pem, bool announce) {
  ASSIGN_OR_RETURN(auto authorities, read_certificates(ca_pem));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& one : authorities) {
    X509_STORE_add_cert(store, one.get());
    if (announce) SSL_CTX_add_client_CA(context, one.get());
  }
  return {};
}

// Lets every client certificate pass; SSL_get_verify_result keeps what was wrong with it.
int note_verification(X509_STORE_CTX* store, void*) {
  X509_verify_cert(store);
  ERR_clear_error();
  return 1;
}

// `protocol`: the one spoken, as ALPN has it.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* protocol) {
  const auto* const spoken = static_cast<const unsigned char*>(protocol);
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, spoken, spoken[0] + 1u, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::string name_mismatch(X509* certificate, std::string_view host, bool is_ip) {
  SubjectAltNames names = subject_alt_names(certificate);
  const auto& valid = is_ip ? names.ips : names.dns;
  if (valid.empty()) {
    if (is_ip) {
      return "x509: cannot validate certificate for " + std::string(host) +
             " because it doesn't contain any IP SANs";
    }
    return "x509: certificate is not valid for any names, but wanted to match " + std::string(host);
  }
  return "x509: certificate is valid for " + join(valid, ", ") + ", not " + std::string(host);
}

// An X509_V_ERR code in Go's words.
std::string x509_error(long code, X509* certificate, std::string_view host, WallTime now) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: {
      bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
      WallTime limit = from_asn1_time(expired ? X509_get0_notAfter(certificate)
                                              : X509_get0_notBefore(certificate));
      return "x509: certificate has expired or is not yet valid: current time " + format_time(now) +
             (expired ? " is after " : " is before ") + format_time(limit);
    }
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return name_mismatch(certificate, host, false);
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return name_mismatch(certificate, host, true);
    case X509_V_ERR_INVALID_PURPOSE:
      return "x509: certificate specifies an incompatible key usage";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "x509: certificate signed by unknown authority";
    default:
      return std::string("x509: ") + X509_verify_cert_error_string(code);
  }
}

int verify_server(X509_STORE_CTX* store, void*) {
  if (X509_verify_cert(store) == 1) return 1;
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* note = static_cast<VerificationNote*>(SSL_get_app_data(ssl));
  note->error = x509_error(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get0_cert(store),
                           note->host, note->now);
  return 0;
}

}  // namespace

Result<SslContext> make_server_context(const TlsConfig& config) {
  SslContext context = new_context(TLS_server_method());
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  RETURN_IF_ERROR(use_key_pair(context.get(), config.cert_pem, config.key_pem));
  if (!config.client_ca_pem.empty()) {
    RETURN_IF_ERROR(
        trust(context.get(), config.client_ca_pem, /*announce=*/true).with_context("client CA"));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), note_verification, nullptr);
  }
  static unsigned char http11[] = "\x08http/1.1";
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, http11);
  if (!config.by_name.empty()) RETURN_IF_ERROR(use_names(context.get(), config.by_name));
  return context;
}

namespace {

class LiveTlsIdentity final : public TlsIdentity {
 public:
  explicit LiveTlsIdentity(SslContext context) : context_(std::move(context)) {}
  Status reload(const TlsConfig& config) override {
    ASSIGN_OR_RETURN(context_, make_server_context(config));
    return {};
  }
  SSL_CTX* context() const { return context_.get(); }

 private:
  SslContext context_;  // handshakes under way hold the one they began with
};

}  // namespace

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::make(const TlsConfig& config) {
  ASSIGN_OR_RETURN(SslContext context, make_server_context(config));
  return std::shared_ptr<TlsIdentity>(std::make_shared<LiveTlsIdentity>(std::move(context)));
}

SSL_CTX* server_context_of(const TlsIdentity& identity) {
  return static_cast<const LiveTlsIdentity&>(identity).context();
}

Result<SslContext> make_http2_server_context(const TlsConfig& config) {
  ASSIGN_OR_RETURN(SslContext context, make_server_context(config));
  if (!config.client_ca_pem.empty()) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), nullptr, nullptr);  // OpenSSL's own
  }
  static unsigned char http2[] = "\x02h2";
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, http2);
  return context;
}

Result<SslContext> make_client_context(const ClientTls& config) {
  SslContext context = new_context(TLS_client_method());
  if (!config.cert_pem.empty() || !config.key_pem.empty()) {
    RETURN_IF_ERROR(use_key_pair(context.get(), config.cert_pem, config.key_pem));
  }
  if (config.insecure_skip_verify) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), verify_server, nullptr);
    if (config.ca_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context.get());
    } else {
      RETURN_IF_ERROR(trust(context.get(), config.ca_pem, /*announce=*/false)
                          .with_context("certificate authority"));
    }
  }
  return context;
}

void describe_client_certificate(SSL* ssl, WallTime now, Peer* peer, WallTime* expires) {
  peer->tls = true;
  *expires = WallTime::max();
  X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return;
  peer->has_cert = true;
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  auto names = name_entries(subject, NID_commonName);
  if (!names.empty()) peer->cert_cn = names.back();
  peer->cert_orgs = name_entries(subject, NID_organizationName);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest, &size) == 1) {
    peer->cert_sha256 = hex_encode({reinterpret_cast<const char*>(digest), size});
  }
  *expires = from_asn1_time(X509_get0_notAfter(certificate.get()));
  long verdict = SSL_get_verify_result(ssl);
  peer->cert_trusted = verdict == X509_V_OK;
  if (!peer->cert_trusted) peer->cert_error = x509_error(verdict, certificate.get(), "", now);
}

std::string handshake_error(SSL* ssl) {
  if (auto* note = static_cast<VerificationNote*>(SSL_get_app_data(ssl))) {
    if (!note->error.empty()) {
      ERR_clear_error();
      return "tls: failed to verify certificate: " + note->error;
    }
  }
  unsigned long code = ERR_peek_error();
  int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_WRONG_VERSION_NUMBER) {
    ERR_clear_error();
    return "http: server gave HTTP response to HTTPS client";
  }
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
    ERR_clear_error();
    int alert = reason - SSL_AD_REASON_OFFSET;
    return std::string("remote error: tls: ") + SSL_alert_desc_string_long(alert);
  }
  return "tls: " + openssl_error();
}

}  // namespace coracle::net
