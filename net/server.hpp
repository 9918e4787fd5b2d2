// HTTP/1.1 server, with or without TLS (1.2 and newer). Runs wholly on one AsioExecutor strand:
// every function here and every callback is called there, and nothing blocks.
//
// Bounds: request head and body, number of connections, time without progress, and nothing is read
// from a client while its request is being answered (but one read buffer, to see it go away). What
// a handler writes into a stream is queued without bound: look at queued_bytes() and end slow
// readers. SIGPIPE is ignored for the whole process from the first listen() on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"

namespace coracle::net {

class AsioExecutor;

// A raw connection after 101 Switching Protocols: bytes both ways, no framing.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Gets what arrives, from the next turn of the strand on. Set it before returning to the
  // executor.
  virtual void on_data(std::function<void(std::string_view)> fn) = 0;
  // Runs once, when the peer closed or the connection broke; not after our own close().
  virtual void on_close(std::function<void()> fn) = 0;
  // Runs each time everything queued has been given to the kernel.
  virtual void on_drain(std::function<void()> fn) = 0;
  virtual void write(Bytes bytes) = 0;  // ignored when closed
  virtual std::size_t queued_bytes() const = 0;
  // While paused nothing is read from the peer, and its end is not noticed.
  virtual void pause(bool paused) = 0;
  virtual void close() = 0;  // sends what is queued, then closes
  virtual bool closed() const = 0;
};

// The answer to one request. Exactly one of respond(), begin_stream(), upgrade() is called, at once
// or later; a second is a CHECK. Dropping the last reference without any answers 500, and without
// end() aborts. The peer may be gone at any time: then all writes are ignored.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual void respond(Response response) = 0;

  // Sends the head now, before any content, so that the client's watch is established.
  virtual void begin_stream(int status, Headers headers) = 0;
  virtual void write(Bytes bytes) = 0;           // one chunk; empty ones are ignored
  virtual std::size_t queued_bytes() const = 0;  // written, not yet taken by the kernel
  virtual void end() = 0;                        // the orderly end; keeps the connection
  virtual void abort() = 0;                      // breaks the connection: the client sees an error

  // Raw bytes both ways: status is 101. Gives what arrived behind the head already, too.
  virtual std::shared_ptr<ByteStream> upgrade(int status, Headers headers) = 0;

  // Runs once if the client goes away, or the server stops, before the answer was complete; at the
  // next turn if that has happened already. Never after an orderly end. Several may be set.
  virtual void on_close(std::function<void()> fn) = 0;
  // Runs each time queued_bytes() has come down to 0.
  virtual void on_drain(std::function<void()> fn) = 0;
  virtual bool closed() const = 0;  // nobody reads the answer any more
};

// Why the server answers by itself, before a handler sees a request. The connection closes after
// it.
enum class RequestError {
  kBadRequest,      // 400: not HTTP
  kHeaderTooLarge,  // 431
  kBodyTooLarge,    // 413
  kRequestTimeout,  // 408: the request did not arrive in time
};

struct ServerLimits {
  std::size_t max_body = 3u << 20;
  std::size_t max_header = 1u << 20;
  std::size_t max_connections = 20'000;                 // more are closed at once
  Duration idle_timeout = std::chrono::seconds(180);    // keep-alive without a request
  Duration request_timeout = std::chrono::seconds(60);  // from its first byte to its last
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration write_timeout = std::chrono::seconds(60);  // no byte taken by the peer for so long
};

struct ServerStats {
  std::size_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t tls_failures = 0;
};

using Handler = std::function<void(Request, std::shared_ptr<Exchange>)>;

class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one, see port()
    std::optional<TlsConfig> tls;
    std::shared_ptr<TlsIdentity> identity;  // instead of `tls`, and shared with other servers
    ServerLimits limits;
    // The answer to what never became a Request; a plain text one by default.
    std::function<Response(RequestError)> on_error;
  };

  // Failures: bad PEM (InvalidArgument), "listen tcp 127.0.0.1:6443: bind: address already in use"
  // (Unavailable).
  static Result<std::unique_ptr<Server>> listen(AsioExecutor& executor, Options options,
                                                Handler handler);
  virtual ~Server() = default;  // stops at once, breaking what is open

  virtual std::uint16_t port() const = 0;
  virtual ServerStats stats() const = 0;
  // See TlsIdentity::reload(): also for those it is shared with. Only of a server with TLS.
  virtual Status reload_tls(const TlsConfig& tls) = 0;
  // Accepts no more, ends open streams in order (on_close runs), lets running requests finish
  // within `grace`, closes idle connections, then calls `done` once.
  virtual void stop(Duration grace, std::function<void()> done) = 0;
};

}  // namespace coracle::net
