// GrpcServer: gRPC over HTTP/2 (gRPC's PROTOCOL-HTTP2 document), wholly on the strand: requests are
// handed to their methods there, and what is answered in one turn leaves in one write.
//
// Thread: the strand of its AsioExecutor, which outlives it. No callback runs inside a call to us.
// Bounds: requests a connection (Http2Session::kRequestsMax), kConnectionsMax, the size of a
// message, and kPendingMax bytes of answers that a client does not take: then it gets
// ResourceExhausted. Deadlines are the client's to keep: it resets the call, which on_gone() tells.
// No compression.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"

namespace coracle::net {

class AsioExecutor;

// One message in parts, which may be shared with other messages.
using GrpcMessage = std::vector<Bytes>;

// The answer to one call. May outlive it: then nothing happens any more.
class GrpcReply {
 public:
  virtual ~GrpcReply() = default;
  // Of the request's head, name in lower case; empty if it is not there.
  virtual std::string_view metadata(std::string_view name) const = 0;
  virtual void send(GrpcMessage message) = 0;
  virtual void finish(const Status& status) = 0;  // the last word; a second is ignored
  virtual bool over() const = 0;                  // finished, or the client is gone
};

// A call whose sides send any number of messages.
class GrpcServerStream {
 public:
  virtual ~GrpcServerStream() = default;
  virtual void on_message(std::string message) = 0;
  virtual void on_input_end() {}                                  // the client has said all
  virtual void on_sent(std::size_t messages) { (void)messages; }  // so many more are on their way
  virtual void on_gone() = 0;                                     // the client; not after finish()
};

class GrpcServer {
 public:
  static constexpr std::size_t kConnectionsMax = 10'000;
  static constexpr std::size_t kPendingMax = 256u << 20;  // of one connection
  static constexpr Duration kHandshakeTimeout = std::chrono::seconds(10);

  using Unary = std::function<void(std::string request, std::shared_ptr<GrpcReply>)>;
  using Open = std::function<std::shared_ptr<GrpcServerStream>(std::shared_ptr<GrpcReply>)>;
  // What a handshake needs, when it is another than the last time; asked before each.
  using Renew = std::function<std::optional<TlsConfig>()>;

  GrpcServer(AsioExecutor& executor, std::size_t message_max);
  ~GrpcServer();  // connections break

  // `path`: "/etcdserverpb.KV/Range". Before listen().
  void add_unary(std::string path, Unary method);
  void add_stream(std::string path, Open method);

  // Any number of addresses. `renew`: for TLS; with a client CA it demands a certificate.
  // Unavailable: "listen tcp 127.0.0.1:2379: bind: address already in use"; InvalidArgument: bad
  // PEM, no address.
  Status listen(const std::string& host, std::uint16_t port, Renew renew);
  std::uint16_t port() const;  // of the last listen()

  // Takes nothing new, and says so; `done` runs when all that was answered has left.
  void stop(std::function<void()> done);
  // Why connections fail, for a log.
  void on_trouble(std::function<void(const std::string&)> fn);

  struct Shared;  // with its connections; of grpc_server.cpp

 private:
  const std::shared_ptr<Shared> shared_;
};

}  // namespace coracle::net
