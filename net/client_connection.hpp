// Internal to net: one connection of a Client: dials, then carries one exchange at a time.
//
//   dialling -> idle <-> busy -> closed
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/address.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"
#include "net/dialer.hpp"
#include "net/message_parser.hpp"
#include "net/stream.hpp"

namespace coracle::net {

class ClientConnection;

// What an exchange tells its owner. Called on the strand, never inside the call that started it.
class ExchangeOwner {
 public:
  virtual ~ExchangeOwner() = default;
  virtual void on_head(Response head) = 0;
  virtual void on_data(std::string data) = 0;
  // Once, last. An orderly end is Ok. `untouched`: no byte of an answer came, on a connection that
  // had carried others before.
  virtual void on_finish(Status status, bool untouched) = 0;
  // 101: the connection is the caller's now (take_stream).
  virtual void on_upgrade(std::shared_ptr<ClientConnection> connection, Response head) = 0;
};

class ClientConnection final : public Waiter,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  struct Target {
    std::string host, server_name;
    std::uint16_t port = 0;
    SSL_CTX* tls = nullptr;
    Duration connect_timeout{};
  };
  struct Hooks {
    std::function<void(const std::shared_ptr<ClientConnection>&)> idle;    // ready for an exchange
    std::function<void(const std::shared_ptr<ClientConnection>&)> closed;  // once
  };

  ClientConnection(AsioExecutor& executor, Target target, Hooks hooks);

  void dial();
  // At most one before the connection is idle again; may be given while it still dials.
  void send(Bytes head_and_body, bool head_only, std::shared_ptr<ExchangeOwner> owner);
  // Ends the exchange and the connection; the owner hears nothing more.
  void abandon();
  void pause(bool paused);  // of a busy one: reads no more of its answer
  bool usable() const;      // idle, and the peer has not closed
  TimePoint idle_since() const { return idle_since_; }
  std::unique_ptr<Stream> take_stream(std::string* early);  // after on_upgrade

  void on_ready(Ready ready) override;

 private:
  enum class State { kDialling, kIdle, kBusy, kClosed };

  void connected();
  void start_exchange();
  void flush();
  void read();
  bool take_input(std::string_view data);
  bool take_answer();
  void finish();
  void tell_idle();
  void peer_ended();
  void fail(Status status);
  void close();

  AsioExecutor& executor_;
  Target target_;
  Hooks hooks_;
  std::shared_ptr<Dialer> dialer_;
  SocketAddress address_;
  std::unique_ptr<Stream> stream_;
  std::optional<MessageParser> parser_;
  std::string input_;
  OutQueue queue_;
  Bytes request_;
  bool head_only_ = false, head_given_ = false, answered_ = false;
  bool reused_ = false;
  bool paused_ = false;
  std::shared_ptr<ExchangeOwner> owner_;
  TimePoint idle_since_{};
  State state_ = State::kDialling;
};

}  // namespace coracle::net
