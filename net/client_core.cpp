#include "net/client_core.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::net {
namespace {

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

bool has_break(std::string_view text) { return text.find_first_of("\r\n", 0) != text.npos; }

}  // namespace

ClientJob::ClientJob(std::shared_ptr<ClientCore> core, const ClientRequest& request)
    : head_only(request.method == "HEAD"),
      idempotent(request.repeatable || is_idempotent(request.method)),
      core_(std::move(core)) {}

void ClientJob::arm(Duration timeout) {
  if (timeout <= Duration{0}) return;
  timer_ = core_->executor.after(timeout, [self = shared_from_this()] {
    self->timer_ = 0;
    self->end(deadline_exceeded(
        self->head_seen_
            ? "context deadline exceeded (Client.Timeout or context cancellation while reading "
              "body)"
            : "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
  });
}

void ClientJob::disarm() { core_->executor.cancel(std::exchange(timer_, 0)); }

bool ClientJob::mark_ended() {
  if (ended_) return false;
  ended_ = true;
  disarm();
  if (auto live = connection.lock()) {
    connection.reset();
    live->abandon();
  }
  core_->jobs.erase(shared_from_this());
  return true;
}

Result<Bytes> ClientCore::serialize(const ClientRequest& request) const {
  const std::string& target = request.target;
  if (request.method.empty() || target.empty() || target[0] != '/' ||
      target.find_first_of(" \r\n") != target.npos ||
      request.method.find_first_of(" \r\n") != request.method.npos) {
    return invalid_argument("invalid request target " + quoted(target));
  }
  std::string out;
  out.reserve(256 + target.size() + request.body.size());
  out += request.method + ' ' + config.base_path + target + " HTTP/1.1\r\n";
  auto field = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!request.headers.has("Host")) field("Host", join_host_port(config.host, config.port));
  if (!request.headers.has("User-Agent")) field("User-Agent", config.user_agent);
  if (!config.bearer_token.empty() && !request.headers.has("Authorization")) {
    field("Authorization", "Bearer " + config.bearer_token);
  }
  for (const auto& [name, value] : request.headers) {
    if (has_break(name) || has_break(value)) {
      return invalid_argument("invalid header field value for " + quoted(name));
    }
    field(name, value);
  }
  bool carries = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (carries || !request.body.empty()) {
    field("Content-Length", std::to_string(request.body.size()));
  }
  out += "\r\n";
  out += request.body;
  return make_bytes(std::move(out));
}

ClientCore::Connection ClientCore::dial(bool pooled) {
  ClientConnection::Target target;
  target.host = config.host;
  target.server_name = config.server_name.empty() ? config.host : config.server_name;
  target.port = config.port;
  target.tls = tls.get();
  target.connect_timeout = config.connect_timeout;
  ClientConnection::Hooks hooks;
  auto self = shared_from_this();
  if (pooled) {
    hooks.idle = [self](const Connection& connection) { self->on_idle(connection); };
    hooks.closed = [self](const Connection& connection) { self->on_closed(connection); };
  } else {
    // Its exchange is over: nobody else uses it.
    hooks.idle = [](const Connection& connection) { connection->abandon(); };
  }
  auto connection = std::make_shared<ClientConnection>(executor, target, std::move(hooks));
  if (pooled) pooled_.insert(connection);
  return connection;
}

void ClientCore::assign(const Connection& connection, const std::shared_ptr<ClientJob>& job) {
  job->connection = connection;
  connection->send(job->wire, job->head_only, job);
}

void ClientCore::submit(std::shared_ptr<ClientJob> job) {
  if (job->ended()) return;
  while (!idle_.empty()) {
    Connection connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->usable()) return assign(connection, job);
    connection->abandon();
  }
  if (pooled_.size() < config.max_connections) {
    Connection connection = dial(/*pooled=*/true);
    assign(connection, job);
    return connection->dial();
  }
  if (waiting_.size() >= config.max_waiting) {
    return job->end(
        {Code::kResourceExhausted, "too many requests wait for a connection to " + config.url()});
  }
  waiting_.push_back(std::move(job));
}

void ClientCore::submit_alone(std::shared_ptr<ClientJob> job) {
  if (job->ended()) return;
  Connection connection = dial(/*pooled=*/false);
  assign(connection, job);
  connection->dial();
}

std::shared_ptr<ClientJob> ClientCore::next_waiting() {
  while (!waiting_.empty()) {
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    if (!job->ended()) return job;
  }
  return nullptr;
}

void ClientCore::on_idle(const Connection& connection) {
  if (down) return connection->abandon();
  if (auto job = next_waiting()) return assign(connection, job);
  idle_.push_back(connection);
  if (!reaper_) {
    reaper_ = executor.after(config.idle_timeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->reap();
    });
  }
}

void ClientCore::on_closed(const Connection& connection) {
  pooled_.erase(connection);
  std::erase(idle_, connection);
  if (down) return;
  if (auto job = next_waiting()) submit(std::move(job));
}

void ClientCore::reap() {
  reaper_ = 0;
  TimePoint limit = executor.now() - config.idle_timeout;
  auto old = idle_;
  for (const Connection& connection : old) {
    if (connection->idle_since() <= limit) connection->abandon();
  }
  if (idle_.empty()) return;
  reaper_ = executor.after(config.idle_timeout / 2, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->reap();
  });
}

void ClientCore::shutdown() {
  down = true;
  executor.cancel(std::exchange(reaper_, 0));
  waiting_.clear();
  auto left = jobs;
  for (const auto& job : left) job->end({Code::kCancelled, "context canceled"});
  auto connections = pooled_;
  for (const Connection& connection : connections) connection->abandon();
}

}  // namespace coracle::net
