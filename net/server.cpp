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

// Deadlines are looked at, not armed: a timer for each of 10,000 idle watches would cost more. And
// only while somebody is connected: a process may have thousands of servers.
void sweep_later(const std::shared_ptr<ServerShared>& server) {
  if (server->sweep_timer != 0 || server->connections.empty()) return;
  const ServerLimits& limits = server->options.limits;
  const Duration shortest = std::min({limits.idle_timeout, limits.request_timeout,
                                      limits.handshake_timeout, limits.write_timeout});
  const Duration pause = std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(5), kSweep);
  server->sweep_timer = server->executor.after(pause, [weak = std::weak_ptr(server)] {
    const auto shared = weak.lock();
    if (!shared) return;
    shared->sweep_timer = 0;
    const TimePoint now = shared->executor.now();
    const std::vector connections(shared->connections.begin(), shared->connections.end());
    for (const auto& connection : connections) connection->check_deadline(now);
    sweep_later(shared);
  });
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
  sweep_later(server);
}

class LiveServer final : public Server {
 public:
  LiveServer(std::shared_ptr<ServerShared> shared, std::shared_ptr<Listener> listener)
      : shared_(std::move(shared)), listener_(std::move(listener)) {
    listener_->start();
  }

  ~LiveServer() override {
    listener_->close();
    shared_->executor.cancel(shared_->sweep_timer);
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
    CHECK_MSG(shared_->tls != nullptr, "a server without TLS has nothing to reload");
    return shared_->tls->reload(tls);
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

  std::shared_ptr<ServerShared> shared_;
  std::shared_ptr<Listener> listener_;
  Executor::TimerId grace_timer_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(AsioExecutor& executor, Options options,
                                               Handler handler) {
  ignore_sigpipe();
  if (!options.on_error) options.on_error = default_error;
  std::shared_ptr<TlsIdentity> tls = options.identity;
  if (!tls && options.tls) {
    ASSIGN_OR_RETURN(tls, TlsIdentity::make(*options.tls));
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
