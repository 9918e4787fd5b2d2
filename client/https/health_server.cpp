#include "client_https/health_server.hpp"

#include "net/pki.hpp"

namespace coracle::client {
namespace {

net::Response answer(const HealthOptions& options, const net::Request& request) {
  if (options.more && request.peer.cert_trusted) {
    if (auto more = options.more(request)) return *std::move(more);
  }
  if (request.method != "GET") return net::make_response(405, "method not allowed\n", "text/plain");
  if (request.path == "/healthz" || request.path == "/livez") {
    return net::make_response(200, "ok", "text/plain");
  }
  if (request.path == "/readyz") {
    const bool ready = !options.ready || options.ready();
    return net::make_response(ready ? 200 : 500, ready ? "ok" : "not ready\n", "text/plain");
  }
  if (request.path == "/metrics" && options.metrics != nullptr) {
    if (!request.peer.cert_trusted) {
      return net::make_response(401, "Unauthorized: show a client certificate\n", "text/plain");
    }
    return net::make_response(200, options.metrics->render(), "text/plain; version=0.0.4");
  }
  return net::make_response(404, "404 page not found\n", "text/plain");
}

}  // namespace

Result<std::unique_ptr<net::Server>> serve_health(net::AsioExecutor& executor,
                                                  HealthOptions options) {
  const auto validity = net::Validity::days(executor.wall_now(), 365);
  ASSIGN_OR_RETURN(const auto ca, net::make_ca("coracle-health", validity));
  net::CertRequest request;
  request.common_name = "localhost";
  request.dns_names = {"localhost"};
  request.ip_addresses = {options.bind_address};
  request.server = true;
  ASSIGN_OR_RETURN(const auto pair, net::issue(ca, request, validity));
  net::Server::Options server;
  server.address = options.bind_address;
  server.port = static_cast<std::uint16_t>(options.port);
  server.tls = net::TlsConfig{pair.cert_pem, pair.key_pem, options.client_ca_pem};
  return net::Server::listen(executor, std::move(server),
                             [options = std::move(options)](
                                 net::Request request, std::shared_ptr<net::Exchange> exchange) {
                               exchange->respond(answer(options, request));
                             });
}

}  // namespace coracle::client
