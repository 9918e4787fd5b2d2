// Internal to net: a non-blocking TCP connection, plain or TLS, as a readiness machine: try to read
// or write, and when the kernel says "later", wait for it. OpenSSL works on the descriptor itself,
// which keeps an idle TLS connection at about 20 KiB.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "net/out_queue.hpp"
#include "net/tls_context.hpp"

namespace coracle::net {

enum class Ready { kRead, kWrite };

// Somebody who waits for a Stream. Kept alive while a wait is pending.
class Waiter {
 public:
  virtual ~Waiter() = default;
  // Also after an error on the descriptor: the next read or write shows it. Not after close().
  virtual void on_ready(Ready ready) = 0;
};

struct Io {
  enum Kind { kOk, kWantRead, kWantWrite, kEof, kError };
  Kind kind = kOk;
  std::size_t bytes = 0;
  std::string error = {};  // "connection reset by peer", of kError
};

class Stream {
 public:
  Stream(boost::asio::io_context& context, int descriptor);  // owns the descriptor
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Before handshake(). `name` is for verification, a host name or an address.
  void use_tls_server(SSL_CTX* context);
  void use_tls_client(SSL_CTX* context, const std::string& name, WallTime now);
  bool tls() const { return ssl_ != nullptr; }
  SSL* ssl() const { return ssl_.get(); }

  Io handshake();  // kOk, or what to wait for
  Io read(char* buffer, std::size_t size);
  // Sends from the front of the queue until it is empty or the kernel is full.
  Io write(OutQueue& queue);
  // Bytes that TLS holds already: no readiness would tell of them.
  bool has_buffered() const { return ssl_ && SSL_has_pending(ssl_.get()); }
  // The first bytes, without taking them; 0 if there are none yet.
  std::size_t peek(char* buffer, std::size_t size) const;
  // Is an idle connection still good? False when the peer has closed, or talks out of turn.
  bool quiet() const;

  // At most one wait a kind is pending; a second is ignored.
  void wait(Ready ready, std::shared_ptr<Waiter> waiter);
  void cancel_waits();    // forgets the waiters; the connection goes on
  void shutdown_write();  // the peer sees the end; reading goes on
  void close();           // idempotent
  bool open() const { return open_; }
  int descriptor() { return socket_.native_handle(); }
  int connect_error();  // of a connect under way; 0 is good

 private:
  using Socket =
      boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Io ssl_result(int returned);
  Io write_plain(OutQueue& queue);
  Io write_tls(OutQueue& queue);

  Socket socket_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
  std::unique_ptr<VerificationNote> note_;
  // Waits are stamped, so that one completed before cancel_waits() is ignored after it.
  std::shared_ptr<unsigned> generation_ = std::make_shared<unsigned>(0);
  bool waiting_[2] = {false, false};
  bool open_ = true;
};

// "Connection refused" -> "connection refused", as Go spells an errno.
std::string errno_text(int error);
void ignore_sigpipe();

}  // namespace coracle::net
