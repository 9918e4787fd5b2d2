// Internal to net: a listening TCP socket that hands out what it accepts. Lives while somebody
// holds it; close() first, because a pending wait holds it too.
//
// Without descriptors (EMFILE) it pauses and tries again; at most kAcceptsPerTurn are handed out
// before others of the strand have their turn.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.hpp"
#include "net/address.hpp"
#include "net/asio_executor.hpp"
#include "net/stream.hpp"

namespace coracle::net {

class Listener final : public Waiter, public std::enable_shared_from_this<Listener> {
 public:
  static constexpr int kAcceptsPerTurn = 64;
  // Owns the descriptor from then on: non-blocking, without Nagle's delay, kept alive.
  using OnAccept = std::function<void(int descriptor, const SocketAddress& from)>;

  // Host "": every address. `loopback_only`: what comes through the loopback device, so that
  // "every address" is not open to the network. InvalidArgument: no address; Unavailable: "listen
  // tcp 127.0.0.1:80: bind: permission denied".
  static Result<std::shared_ptr<Listener>> open(AsioExecutor& executor, const std::string& host,
                                                std::uint16_t port, OnAccept on_accept,
                                                bool loopback_only = false);
  Listener(AsioExecutor& executor, int descriptor, OnAccept on_accept);

  void start() { socket_.wait(Ready::kRead, shared_from_this()); }
  void close();
  std::uint16_t port() const { return port_; }

  void on_ready(Ready ready) override;

 private:
  AsioExecutor& executor_;
  Stream socket_;  // only waited for
  OnAccept on_accept_;
  std::uint16_t port_ = 0;
};

// A bound socket of the type; the Status says what failed in Go's words ("listen udp ...").
Result<int> open_bound_socket(const std::string& host, std::uint16_t port, int type,
                              bool loopback_only);

}  // namespace coracle::net
