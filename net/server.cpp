#include "net/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/raw_stream.hpp"

namespace coracle::net {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kNoDescriptorsPause = std::chrono::milliseconds(50);
constexpr Duration kSweep = std::chrono::seconds(1);

Response default_error(RequestError error) {
  switch (error) {
    case RequestError::kHeaderTooLarge:
      return make_response(431, "431 Request Header Fields Too Large", "text/plain; charset=utf-8");
    case RequestError::kBodyTooLarge:
      return make_response(413, "413 Request Entity Too Large", "text/plain; charset=utf-8");
    case RequestError::kRequestTimeout:
      return make_response(408, "408 Request Timeout", "text/plain; charset=utf-8");
    case RequestError::kBadRequest:
      break;
  }
  return make_response(400, "400 Bad Request", "text/plain; charset=utf-8");
}

struct Listening {
  int descriptor = -1;
  std::uint16_t port = 0;
};

Result<Listening> open_listener(const std::string& host, std::uint16_t port) {
  std::string what = "listen tcp " + join_host_port(host, port) + ": ";
  auto address = numeric_address(host, port);
  if (!address) return invalid_argument(what + "address " + host + " is not an IP address");
  Listening result;
  result.descriptor = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (result.descriptor < 0) return unavailable(what + "socket: " + errno_text(errno));
  int on = 1;
  ::setsockopt(result.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(result.descriptor, address->get(), address->size) != 0 ||
      ::listen(result.descriptor, kBacklog) != 0) {
    int error = errno;
    ::close(result.descriptor);
    return unavailable(what + "bind: " + errno_text(error));
  }
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  ::getsockname(result.descriptor, bound.get(), &bound.size);
  result.port = bound.port();
  return result;
}

// The listening socket: a Stream that is only waited for.
class Acceptor final : public Waiter, public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::shared_ptr<ServerShared> server, int descriptor)
      : server_(std::move(server)), listener_(server_->executor.context(), descriptor) {}

  void start() { listener_.wait(Ready::kRead, shared_from_this()); }
  void close() { listener_.close(); }

  void on_ready(Ready) override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      SocketAddress from;
      from.size = sizeof from.storage;
      int accepted =
          ::accept4(listener_.descriptor(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) {
        admit(accepted, from);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        server_->executor.after(kNoDescriptorsPause, [self = shared_from_this()] {
          if (self->listener_.open()) self->start();
        });
        return;
      } else if (errno == EAGAIN) {
        break;
      }
    }
    start();
  }

 private:
  void admit(int descriptor, const SocketAddress& from) {
    ++server_->stats.accepted;
    if (server_->connections.size() >= server_->options.limits.max_connections) {
      ::close(descriptor);
      return;
    }
    int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    Peer peer;
    peer.address = from.host();
    peer.port = from.port();
    peer.tls = server_->tls != nullptr;
    auto connection = std::make_shared<Connection>(server_, descriptor, std::move(peer));
    server_->connections.insert(connection);
    server_->stats.connections = server_->connections.size();
    connection->start();
  }

  std::shared_ptr<ServerShared> server_;
  Stream listener_;
};

class LiveServer final : public Server {
 public:
  LiveServer(std::shared_ptr<ServerShared> shared, const Listening& listening)
      : shared_(std::move(shared)),
        acceptor_(std::make_shared<Acceptor>(shared_, listening.descriptor)),
        port_(listening.port) {
    acceptor_->start();
    sweep();
  }

  ~LiveServer() override {
    acceptor_->close();
    shared_->executor.cancel(sweep_timer_);
    shared_->executor.cancel(grace_timer_);
    shared_->on_empty = nullptr;
    auto connections = shared_->connections;
    for (const auto& connection : connections) connection->forget();
    drop_upgraded();
    shared_->handler = nullptr;
  }

  std::uint16_t port() const override { return port_; }
  ServerStats stats() const override { return shared_->stats; }

  Status reload_tls(const TlsConfig& tls) override {
    ASSIGN_OR_RETURN(shared_->tls, make_server_context(tls));
    return {};
  }

  void stop(Duration grace, std::function<void()> done) override {
    acceptor_->close();
    shared_->stopping = true;
    for (const auto& weak : shared_->upgraded) {
      if (auto raw = weak.lock()) raw->close();
    }
    auto connections = shared_->connections;
    for (const auto& connection : connections) connection->stop();
    if (shared_->connections.empty()) {
      shared_->executor.post(std::move(done));
      return;
    }
    grace_timer_ = shared_->executor.after(grace, [this] {
      auto left = shared_->connections;
      for (const auto& connection : left) connection->drop();
    });
    shared_->on_empty = [this, done = std::move(done)] {
      shared_->executor.cancel(grace_timer_);
      done();
    };
  }

 private:
  void drop_upgraded() {
    for (const auto& weak : shared_->upgraded) {
      if (auto raw = weak.lock()) raw->drop();
    }
  }

  // Deadlines are looked at, not armed: a timer for each of 10,000 idle watches would cost more.
  void sweep() {
    const ServerLimits& limits = shared_->options.limits;
    Duration shortest = std::min({limits.idle_timeout, limits.request_timeout,
                                  limits.handshake_timeout, limits.write_timeout});
    Duration pause = std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(5), kSweep);
    sweep_timer_ = shared_->executor.after(pause, [this] {
      TimePoint now = shared_->executor.now();
      auto connections = std::vector(shared_->connections.begin(), shared_->connections.end());
      for (const auto& connection : connections) connection->check_deadline(now);
      sweep();
    });
  }

  std::shared_ptr<ServerShared> shared_;
  std::shared_ptr<Acceptor> acceptor_;
  std::uint16_t port_;
  Executor::TimerId sweep_timer_ = 0, grace_timer_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(AsioExecutor& executor, Options options,
                                               Handler handler) {
  ignore_sigpipe();
  if (!options.on_error) options.on_error = default_error;
  SslContext tls;
  if (options.tls) {
    ASSIGN_OR_RETURN(tls, make_server_context(*options.tls));
  }
  ASSIGN_OR_RETURN(Listening listening, open_listener(options.address, options.port));
  auto shared = std::shared_ptr<ServerShared>(
      new ServerShared{executor, std::move(options),
                       std::make_shared<const Handler>(std::move(handler)), std::move(tls)});
  return std::unique_ptr<Server>(std::make_unique<LiveServer>(std::move(shared), listening));
}

}  // namespace coracle::net
