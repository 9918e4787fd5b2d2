// Internal to net: the pool behind a Client, and the jobs that run on it. Jobs outlive the Client
// while a connection calls them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/asio_executor.hpp"
#include "net/client.hpp"
#include "net/client_connection.hpp"
#include "net/tls_context.hpp"

namespace coracle::net {

struct ClientCore;

// One request, stream or upgrade on its way. Ends exactly once.
class ClientJob : public ExchangeOwner, public std::enable_shared_from_this<ClientJob> {
 public:
  ClientJob(std::shared_ptr<ClientCore> core, const ClientRequest& request);

  void arm(Duration timeout);  // 0: never
  bool ended() const { return ended_; }
  virtual void end(Status status) = 0;  // drops its connection; ignored when it has ended

  Bytes wire;  // head and body as sent
  bool head_only = false;
  bool idempotent = false;
  std::weak_ptr<ClientConnection> connection;

 protected:
  bool mark_ended();  // false if it had ended before
  void disarm();
  std::shared_ptr<ClientCore> core_;
  bool head_seen_ = false;
  bool retried_ = false;

 private:
  Executor::TimerId timer_ = 0;
  bool ended_ = false;
};

struct ClientCore : std::enable_shared_from_this<ClientCore> {
  using Connection = std::shared_ptr<ClientConnection>;

  ClientCore(AsioExecutor& executor, ClientConfig config, SslContext tls)
      : executor(executor), config(std::move(config)), tls(std::move(tls)) {}

  // On a pooled connection, a new one, or in line.
  void submit(std::shared_ptr<ClientJob> job);
  // On a connection of its own, at once.
  void submit_alone(std::shared_ptr<ClientJob> job);
  void shutdown();
  Result<Bytes> serialize(const ClientRequest& request) const;

  AsioExecutor& executor;
  ClientConfig config;
  SslContext tls;
  std::unordered_set<std::shared_ptr<ClientJob>> jobs;
  std::size_t streams = 0;  // of them
  bool down = false;

 private:
  Connection dial(bool pooled);
  void assign(const Connection& connection, const std::shared_ptr<ClientJob>& job);
  void on_idle(const Connection& connection);
  void on_closed(const Connection& connection);
  void reap();
  std::shared_ptr<ClientJob> next_waiting();

  std::unordered_set<Connection> pooled_;
  std::vector<Connection> idle_;  // the latest used last
  std::deque<std::shared_ptr<ClientJob>> waiting_;
  Executor::TimerId reaper_ = 0;
};

}  // namespace coracle::net
