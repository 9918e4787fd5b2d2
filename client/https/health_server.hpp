// The small HTTPS server every daemon has beside its work: /healthz /livez /readyz answer anybody,
// /metrics and what else the daemon has only who shows a certificate of the client CA. Its own
// certificate is made at start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.hpp"
#include "base/status.hpp"
#include "net/asio_executor.hpp"
#include "net/server.hpp"

namespace coracle::client {

struct HealthOptions {
  std::string bind_address = "127.0.0.1";
  int port = 0;
  std::string client_ca_pem;    // who may read /metrics; empty: nobody
  std::function<bool()> ready;  // of /readyz; empty: always
  const Metrics* metrics = nullptr;
  // What the daemon serves besides, to whoever shows a certificate of the client CA; nothing: not
  // its path.
  std::function<std::optional<net::Response>(const net::Request&)> more = {};
};

// InvalidArgument or Unavailable ("listen tcp ...: bind: address already in use").
Result<std::unique_ptr<net::Server>> serve_health(net::AsioExecutor& executor,
                                                  HealthOptions options);

}  // namespace coracle::client
