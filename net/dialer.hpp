// Internal to net: opens one TCP or TLS connection: look-up, the addresses one after the other,
// handshake, all within a time-out. What fails is told in the words of Go's net package.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/asio_executor.hpp"
#include "net/stream.hpp"

namespace coracle::net {

// A connection, and the address it goes to.
struct Dialed {
  std::unique_ptr<Stream> stream;
  SocketAddress address;
};

class Dialer final : public Waiter, public std::enable_shared_from_this<Dialer> {
 public:
  struct Target {
    std::string host, server_name;
    std::uint16_t port = 0;
    SSL_CTX* tls = nullptr;  // null: plain
    std::string_view alpn =
        {};  // of one protocol, as ALPN has it ("\x02h2"); the server must agree
    Duration timeout{};
  };
  using Done = std::function<void(Result<Dialed>)>;

  // `done` runs once, never inside the call; not after cancel().
  static std::shared_ptr<Dialer> dial(AsioExecutor& executor, Target target, Done done);
  void cancel();
  void on_ready(Ready ready) override;

 private:
  Dialer(AsioExecutor& executor, Target target, Done done);
  void resolve();
  void try_next(const std::string& error);
  void connected();
  void handshake();
  void finish(Status status);
  std::string dial_error(const std::string& what) const;

  AsioExecutor& executor_;
  const Target target_;
  Done done_;                             // null: over
  std::vector<SocketAddress> addresses_;  // left to try
  SocketAddress address_;
  std::unique_ptr<Stream> stream_;
  bool in_handshake_ = false;
  Executor::TimerId timer_ = 0;
};

}  // namespace coracle::net
