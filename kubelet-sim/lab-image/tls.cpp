#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace lab_image {
namespace {

std::string last_error() {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return text;
}

SSL_CTX* raw(void* context) { return static_cast<SSL_CTX*>(context); }
SSL* raw_session(void* session) { return static_cast<SSL*>(session); }

}  // namespace

std::shared_ptr<TlsContext> TlsContext::server(const std::string& certificate,
                                               const std::string& key, std::string* error) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->accepts_ = true;
  made->context_ = SSL_CTX_new(TLS_server_method());
  SSL_CTX* const context = raw(made->context_);
  if (context == nullptr || SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    *error = "cannot load certificate \"" + certificate + "\": " + last_error();
    return nullptr;
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    *error = "cannot load certificate key \"" + key + "\": " + last_error();
    return nullptr;
  }
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return made;
}

std::shared_ptr<TlsContext> TlsContext::client(const std::string& ca_file, bool insecure,
                                               std::string* error) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX* const context = raw(made->context_);
  const bool good =
      context != nullptr &&
      (ca_file.empty() || SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1);
  if (!good) {
    *error = "error setting certificate verify locations: CAfile: " + ca_file;
    return nullptr;
  }
  SSL_CTX_set_verify(context, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(raw(context_)); }

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int socket, const std::string& host)
    : context_(std::move(context)), session_(SSL_new(raw(context_->context_))) {
  SSL* const session = raw_session(session_);
  if (session == nullptr || SSL_set_fd(session, socket) != 1) return;
  if (context_->accepts_) {
    SSL_set_accept_state(session);
    return;
  }
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str());
  } else {
    SSL_set_tlsext_host_name(session, host.c_str());
    SSL_set1_host(session, host.c_str());
  }
  SSL_set_connect_state(session);
}

TlsSession::~TlsSession() {
  if (session_ != nullptr && SSL_is_init_finished(raw_session(session_)) == 1) {
    SSL_shutdown(raw_session(session_));
  }
  SSL_free(raw_session(session_));
}

ssize_t TlsSession::result(int done) {
  if (done > 0) return done;
  switch (SSL_get_error(raw_session(session_), done)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      if (errno == 0) return 0;  // it went without a word
      return -1;
    default: {
      const long wrong = SSL_get_verify_result(raw_session(session_));
      problem_ = wrong == X509_V_OK ? last_error() : X509_verify_cert_error_string(wrong);
      errno = EPROTO;
      return -1;
    }
  }
}

ssize_t TlsSession::receive(void* buffer, size_t size) {
  errno = 0;
  ERR_clear_error();
  return result(
      SSL_read(raw_session(session_), buffer, static_cast<int>(std::min<size_t>(size, INT_MAX))));
}

ssize_t TlsSession::send(const void* data, size_t size) {
  errno = 0;
  ERR_clear_error();
  return result(
      SSL_write(raw_session(session_), data, static_cast<int>(std::min<size_t>(size, INT_MAX))));
}

}  // namespace lab_image
