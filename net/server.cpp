#include "net/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/listener.hpp"
#include "net/raw_stream.hpp"

namespace coracle::net {
namespace {

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

void admit(const std::shared_ptr<ServerShared>& server, int descriptor, const SocketAddress& from) {
  ++server->stats.accepted;
  if (server->connections.size() >= server->options.limits.max_connections) {
    ::close(descriptor);
    return;
  }
  Peer peer;
  peer.address = from.host();
  peer.port = from.port();
  peer.tls = server->tls != nullptr;
  auto connection = std::make_shared<Connection>(server, descriptor, std::move(peer));
  server->connections.insert(connection);
  server->stats.connections = server->connections.size();
  connection->start();
}

class LiveServer final : public Server {
 public:
  LiveServer(std::shared_ptr<ServerShared> shared, std::shared_ptr<Listener> listener)
      : shared_(std::move(shared)), listener_(std::move(listener)) {
    listener_->start();
    sweep();
  }

  ~LiveServer() override {
    listener_->close();
    shared_->executor.cancel(sweep_timer_);
    shared_->executor.cancel(grace_timer_);
    shared_->on_empty = nullptr;
    auto connections = shared_->connections;
    for (const auto& connection : connections) connection->forget();
    drop_upgraded();
    shared_->handler = nullptr;
  }

  std::uint16_t port() const override { return listener_->port(); }
  ServerStats stats() const override { return shared_->stats; }

  Status reload_tls(const TlsConfig& tls) override {
    ASSIGN_OR_RETURN(shared_->tls, make_server_context(tls));
    return {};
  }

  void stop(Duration grace, std::function<void()> done) override {
    listener_->close();
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
  std::shared_ptr<Listener> listener_;
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
  auto shared = std::shared_ptr<ServerShared>(
      new ServerShared{executor, std::move(options),
                       std::make_shared<const Handler>(std::move(handler)), std::move(tls)});
  ASSIGN_OR_RETURN(auto listener,
                   Listener::open(executor, shared->options.address, shared->options.port,
                                  [shared](int descriptor, const SocketAddress& from) {
                                    admit(shared, descriptor, from);
                                  }));
  return std::unique_ptr<Server>(
      std::make_unique<LiveServer>(std::move(shared), std::move(listener)));
}

}  // namespace coracle::net
