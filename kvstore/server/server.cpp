#include "server/server.hpp"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "grpc_tls/credentials.hpp"
#include "grpc_tls/grpc_log.hpp"
#include "member/change_desk.hpp"
#include "net/asio_executor.hpp"
#include "net/grpc_server.hpp"
#include "server/client_tls.hpp"
#include "server/options.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

constexpr std::size_t kClientReceiveMax = 2 << 20;
constexpr Duration kStopGrace = std::chrono::milliseconds(200);
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

Result<std::unique_ptr<grpc::Server>> build(const Urls& urls, const TlsFiles& tls,
                                            grpc::Service& service) {
  grpc::ServerBuilder builder;
  const auto plain = grpc::InsecureServerCredentials();
  const auto secure = tls.cert.empty() ? nullptr : tls_server_credentials(tls);
  for (const std::string& url : urls) {
    ASSIGN_OR_RETURN(const std::string target, target_of(url));
    RETURN_IF_ERROR(check_bindable(target, url));
    builder.AddListeningPort(target, is_tls(url) ? secure : plain);
  }
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(kPeerReceiveMax);
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

// "http://[::1]:2379" -> "::1", 2379.
Result<std::pair<std::string, std::uint16_t>> address_of(const std::string& url) {
  ASSIGN_OR_RETURN(const std::string target, target_of(url));
  const std::size_t colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  long long port = 0;
  if (!parse_int(target.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return invalid_argument(url + ": the port is not a number up to 65535");
  }
  return std::pair(std::move(host), std::uint16_t(port));
}

// Failing handshakes come in storms; one a second tells enough.
class TroubleLog {
 public:
  explicit TroubleLog(const Clock& clock) : clock_(clock) {}
  void operator()(const std::string& what) {
    if (clock_.now() < quiet_until_) return;
    quiet_until_ = clock_.now() + std::chrono::seconds(1);
    log::info("client port: {}", what);
  }

 private:
  const Clock& clock_;
  TimePoint quiet_until_{};
};

}  // namespace

Server::Server(net::AsioExecutor& executor, Member& member, PeerTransport& transport,
               const Options& options)
    : executor_(executor),
      options_(options),
      changes_(std::make_unique<ChangeDesk>(member)),
      peer_service_(make_peer_service(member, transport, *changes_)),
      client_server_(std::make_unique<net::GrpcServer>(executor, kClientReceiveMax)) {
  net::GrpcServer& server = *client_server_;
  client_services_.push_back(make_kv_service(member, server));
  client_services_.push_back(make_watch_service(member, server));
  client_services_.push_back(make_lease_service(member, transport, server));
  client_services_.push_back(make_maintenance_service(member, server));
  client_services_.push_back(make_cluster_service(member, transport, *changes_, server));
  client_services_.push_back(make_auth_service(member, server));
  client_services_.push_back(make_health_service(server));
  server.on_trouble(TroubleLog(executor));
}

Server::~Server() { stop(); }

Status Server::start() {
  adopt_grpc_log();
  auto peer = build(options_.listen_peer, options_.peer_tls, *peer_service_);
  if (!peer.ok()) return peer.status().with_context("--listen-peer-urls");
  peer_server_ = std::move(peer).value();
  const Status clients = start_clients();
  return clients.ok() ? clients : clients.with_context("--listen-client-urls");
}

Status Server::start_clients() {
  for (const std::string& url : options_.listen_client) {
    ASSIGN_OR_RETURN(const auto address, address_of(url));
    net::GrpcServer::Renew renew;
    if (is_tls(url)) {
      renew = [files = std::make_shared<ClientTls>(options_.client_tls)] { return files->renew(); };
    }
    const Status listening = client_server_->listen(address.first, address.second, renew);
    if (!listening.ok()) return listening.with_context(url);
  }
  return {};
}

void Server::stop() {
  if (client_server_) {
    bool over = false;
    const auto deadline = executor_.after(kStopGrace, [&] { over = true; });
    client_server_->stop([&] { over = true; });
    executor_.run_until([&] { return over; });
    executor_.cancel(deadline);
    client_server_.reset();
  }
  shut(peer_server_);
}

}  // namespace coracle::store
