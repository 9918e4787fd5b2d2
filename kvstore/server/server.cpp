#include "server/server.hpp"

#include <grpc/support/time.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "grpc_tls/credentials.hpp"
#include "grpc_tls/grpc_log.hpp"
#include "member/change_desk.hpp"
#include "server/options.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

constexpr int kClientReceiveMax = 2 << 20;
constexpr int kPeerReceiveMax = 80 << 20;

// gRPC only says that it could not bind; people need to know why.
Status check_bindable(const std::string& target, const std::string& url) {
  const size_t colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), target.substr(colon + 1).c_str(), &hints, &found);
  if (failure != 0) return unavailable(url + ": " + ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return unavailable(url + ": " + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int error = ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  ::close(fd);
  if (error == 0) return {};
  return unavailable(url + ": cannot listen: " + std::strerror(error));
}

Result<std::unique_ptr<grpc::Server>> build(
    const Urls& urls, const TlsFiles& tls,
    const std::vector<std::unique_ptr<grpc::Service>>& services, int receive_max) {
  grpc::ServerBuilder builder;
  const auto plain = grpc::InsecureServerCredentials();
  const auto secure = tls.cert.empty() ? nullptr : tls_server_credentials(tls);
  for (const std::string& url : urls) {
    ASSIGN_OR_RETURN(const std::string target, target_of(url));
    RETURN_IF_ERROR(check_bindable(target, url));
    builder.AddListeningPort(target, is_tls(url) ? secure : plain);
  }
  for (const auto& service : services) builder.RegisterService(service.get());
  builder.SetMaxReceiveMessageSize(receive_max);
  builder.SetMaxSendMessageSize(-1);
  // A port in use must be an error, not a second listener.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients ping idle connections every few seconds; the default would cut them off.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return unavailable((urls.empty() ? std::string("no URL") : urls[0]) + ": cannot listen");
  }
  return server;
}

void shut(std::unique_ptr<grpc::Server>& server) {
  if (server == nullptr) return;
  server->Shutdown(
      gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(200, GPR_TIMESPAN)));
  server->Wait();
  server.reset();
}

}  // namespace

Server::Server(Member& member, PeerTransport& transport, const Options& options)
    : options_(options), changes_(std::make_unique<ChangeDesk>(member)) {
  client_services_.push_back(make_kv_service(member));
  client_services_.push_back(make_watch_service(member));
  client_services_.push_back(make_lease_service(member, transport));
  client_services_.push_back(make_maintenance_service(member));
  client_services_.push_back(make_cluster_service(member, transport, *changes_));
  client_services_.push_back(make_auth_service(member));
  peer_services_.push_back(make_peer_service(member, transport, *changes_));
}

Server::~Server() { stop(); }

Status Server::start() {
  adopt_grpc_log();
  grpc::EnableDefaultHealthCheckService(true);
  auto peer = build(options_.listen_peer, options_.peer_tls, peer_services_, kPeerReceiveMax);
  if (!peer.ok()) return peer.status().with_context("--listen-peer-urls");
  peer_server_ = std::move(peer).value();
  auto client =
      build(options_.listen_client, options_.client_tls, client_services_, kClientReceiveMax);
  if (!client.ok()) return client.status().with_context("--listen-client-urls");
  client_server_ = std::move(client).value();
  return {};
}

void Server::stop() {
  shut(client_server_);
  shut(peer_server_);
}

}  // namespace coracle::store
