#include "apiserver/server/remote_clients.hpp"

#include "net_streams/forward.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::size_t kConnectionsMax = 64;
constexpr std::size_t kAnswerMax = 64u << 20;
constexpr Duration kIdle = std::chrono::seconds(30);

}  // namespace

void RemoteClients::make_room() {
  while (clients_.size() >= kClientsMax) {
    auto oldest = clients_.begin();
    for (auto it = clients_.begin(); it != clients_.end(); ++it) {
      if (it->second.used < oldest->second.used) oldest = it;
    }
    clients_.erase(oldest);  // calls under way hold it
  }
}

Result<std::shared_ptr<net::Client>> RemoteClients::client(const RemoteServer& server) {
  ++clock_;
  if (const auto known = clients_.find(server); known != clients_.end()) {
    known->second.used = clock_;
    return known->second.client;
  }
  net::ClientConfig config;
  config.host = server.host;
  config.port = server.port;
  config.server_name = server.server_name;
  config.ca_pem = server.ca_pem;
  config.insecure_skip_verify = server.insecure;
  config.cert_pem = server.cert_pem;
  config.key_pem = server.key_pem;
  if (server.front_proxy) {
    config.cert_pem = credentials_.cert_pem;
    config.key_pem = credentials_.key_pem;
  }
  config.user_agent = "kube-apiserver-admission";
  config.max_connections = kConnectionsMax;
  config.max_waiting = kCallsMax;
  config.max_response = kAnswerMax;
  config.idle_timeout = kIdle;
  ASSIGN_OR_RETURN(auto made, net::Client::create(executor_, std::move(config)));
  make_room();
  std::shared_ptr<net::Client> out = std::move(made);
  clients_[server] = {out, clock_};
  return out;
}

Task<Result<net::Response>> RemoteClients::call(RemoteServer server, net::ClientRequest request) {
  auto found = client(server);
  if (!found.ok()) co_return found.status();
  if (under_way_ >= kCallsMax) {
    co_return Status(Code::kResourceExhausted, "too many calls are under way");
  }
  ++under_way_;
  const std::shared_ptr<net::Client> held = *std::move(found);
  auto answer = co_await held->request(std::move(request));
  --under_way_;
  // A client that was let go meanwhile must not end inside a callback of its own.
  if (held.use_count() == 1) executor_.post([held] {});
  co_return answer;
}

void RemoteClients::pipe(RemoteServer server, net::ClientRequest request,
                         std::shared_ptr<net::Exchange> exchange, Failed failed) {
  auto found = client(server);
  if (!found.ok()) return exchange->respond(failed(found.status()));
  const bool upgrade = request.headers.has("upgrade");
  net::Forwarding forwarding{*std::move(found), std::move(request), std::move(exchange)};
  forwarding.on_failure = std::move(failed);
  upgrade ? net::forward_upgrade(executor_, std::move(forwarding))
          : net::forward(executor_, std::move(forwarding));
}

}  // namespace coracle::apiserver
