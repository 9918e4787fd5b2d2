// grpc.health.v1: whether the member answers at all; that is all it says. Its two messages have one
// field each, so they are read and written here.
#include "server/calls.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

// HealthCheckRequest{string service = 1}; nullopt: no such message. Others than the whole server
// are unknown.
bool asks_for_server(std::string_view request) {
  return request.empty() || request == std::string_view("\x0a\x00", 2);
}

// HealthCheckResponse{status = 1: SERVING = 1, SERVICE_UNKNOWN = 3}
net::GrpcMessage response(char status) { return {net::make_bytes({'\x08', status})}; }

// Tells how it is, and no more: what is served is served until the connection ends.
class WatchStream final : public net::GrpcServerStream {
 public:
  explicit WatchStream(std::shared_ptr<net::GrpcReply> reply) : reply_(std::move(reply)) {}
  void on_message(std::string request) override {
    if (!std::exchange(told_, true)) reply_->send(response(asks_for_server(request) ? 1 : 3));
  }
  void on_gone() override {}

 private:
  const std::shared_ptr<net::GrpcReply> reply_;
  bool told_ = false;
};

class HealthService final : public ClientService {
 public:
  explicit HealthService(net::GrpcServer& server) {
    server.add_unary("/grpc.health.v1.Health/Check",
                     [](const std::string& request, const std::shared_ptr<net::GrpcReply>& reply) {
                       if (!asks_for_server(request)) {
                         return reply->finish(not_found("unknown service"));
                       }
                       reply->send(response(1));
                       reply->finish({});
                     });
    server.add_stream("/grpc.health.v1.Health/Watch", [](std::shared_ptr<net::GrpcReply> reply) {
      return std::make_shared<WatchStream>(std::move(reply));
    });
  }
};

}  // namespace

std::unique_ptr<ClientService> make_health_service(net::GrpcServer& server) {
  return std::make_unique<HealthService>(server);
}

}  // namespace coracle::store
