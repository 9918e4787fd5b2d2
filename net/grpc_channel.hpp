// GrpcChannel: gRPC calls to one server, all over one HTTP/2 connection, wholly on the strand: no
// thread but ours, what is asked in one turn leaves in one write. It connects by itself and again
// when the connection is lost.
//
// Thread: the strand of its AsioExecutor, which outlives it. No callback runs inside the call that
// asked for it. Nothing is repeated here: a call whose connection was lost ends with kUnavailable,
// and may have been done.
// Bounds: a message of kMessageMax (else kResourceExhausted); requests wait for the server's
// windows without a bound, so their maker limits them, in number or by time-outs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::net {

class AsioExecutor;

// As the server says it: gRPC's numbers, and the text.
struct GrpcStatus {
  static constexpr int kOk = 0, kCancelled = 1, kUnknown = 2, kDeadlineExceeded = 4,
                       kResourceExhausted = 8, kInternal = 13, kUnavailable = 14;
  int code = kOk;
  std::string message = {};
  bool ok() const { return code == kOk; }
};

struct GrpcTls {
  std::string ca_pem;  // empty: the system's
  std::string cert_pem, key_pem;
};

struct GrpcTarget {
  std::string host;
  std::uint16_t port = 0;
  // Asked before each dial, so that renewed certificates are used; null: plain text.
  std::function<Result<GrpcTls>()> tls;
  // Why it could not connect, or lost the connection; for a log.
  std::function<void(const std::string&)> on_trouble;
};

struct GrpcSink {
  std::function<void(std::string message)> on_message;
  std::function<void(GrpcStatus)> on_end;  // once, last
};

// A call whose both sides send many messages. Destroying it cancels; its sink hears nothing more.
class GrpcStream {
 public:
  virtual ~GrpcStream() = default;
  virtual void send(std::string_view message) = 0;  // ignored once it has ended
};

class GrpcChannel {
 public:
  static constexpr std::size_t kMessageMax = 1u << 30;
  static constexpr Duration kConnectTimeout = std::chrono::seconds(1);
  static constexpr Duration kReconnectMin = std::chrono::milliseconds(50);
  static constexpr Duration kReconnectMax = std::chrono::milliseconds(100);
  // A connection on which nothing came for so long is asked for a sign, and given up without one.
  static constexpr Duration kKeepaliveAfter = std::chrono::seconds(30);
  static constexpr Duration kKeepaliveTimeout = std::chrono::seconds(10);

  static std::unique_ptr<GrpcChannel> create(AsioExecutor& executor, GrpcTarget target);
  // Calls under way end with kCancelled; streams hear nothing more.
  virtual ~GrpcChannel() = default;

  // Connected, and the server takes calls. A call on one that is not ends with kUnavailable.
  virtual bool ready() const = 0;

  using Done = std::function<void(GrpcStatus, std::string reply)>;
  // `path`: "/etcdserverpb.KV/Range".
  virtual void unary(std::string_view path, std::string_view message, Duration timeout,
                     Done done) = 0;
  // `metadata`: one more header field, or empty.
  virtual std::unique_ptr<GrpcStream> stream(std::string_view path,
                                             std::pair<std::string_view, std::string_view> metadata,
                                             GrpcSink sink) = 0;
};

}  // namespace coracle::net
