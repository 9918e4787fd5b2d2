// TLS on a socket, for the servers and the client of this program: read and write as recv() and
// send() do, with their errno. OpenSSL is behind it, linked in; nothing of it happens before the
// first context is made.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

namespace lab_image {

class TlsContext {
 public:
  // Null: `error` says why, as nginx does.
  static std::shared_ptr<TlsContext> server(const std::string& certificate, const std::string& key,
                                            std::string* error);
  // ca_file "": nobody is believed, unless `insecure`: then everybody is.
  static std::shared_ptr<TlsContext> client(const std::string& ca_file, bool insecure,
                                            std::string* error);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  TlsContext() = default;
  void* context_ = nullptr;
  bool accepts_ = false;
};

class TlsSession {
 public:
  // The socket is not owned. `host`: of a client, the name the certificate must have.
  TlsSession(std::shared_ptr<TlsContext> context, int socket, const std::string& host = {});
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // EAGAIN: later; EPROTO: no TLS with that side, problem() says why.
  ssize_t receive(void* buffer, size_t size);
  ssize_t send(const void* data, size_t size);
  const std::string& problem() const { return problem_; }

 private:
  ssize_t result(int done);
  std::shared_ptr<TlsContext> context_;
  void* session_ = nullptr;
  std::string problem_;
};

}  // namespace lab_image
