// The life of a daemon that works only while it leads (scheduler, controller-manager): health
// server, leader election, signals. Driver.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/metrics.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/kubeconfig.hpp"
#include "net/asio_executor.hpp"
#include "net/http.hpp"

namespace coracle::client {

struct LeadingWork {
  std::function<void()> lead;   // begin; caches should be warm before
  std::function<void()> stop;   // write nothing any more
  std::function<bool()> ready;  // of /readyz
  // Beside health and metrics: HealthOptions::more.
  std::function<std::optional<net::Response>(const net::Request&)> serve = {};
};

// Runs until SIGTERM or SIGINT; the Lease is given back, the result is 0. Who loses the Lease must
// not write any more: the safest way is to begin anew, so the program is executed again (same pid,
// `argv` as main got it) and waits for its turn. --secure-port that cannot be had ends the program
// by fail_startup. The Lease is renewed over connections of its own: behind thousands of requests
// of the daemon's work it would come too late. `config` is for them.
int run_leading(net::AsioExecutor& executor, const ClientConfig& config, Rng rng,
                const DaemonFlags& flags, const std::string& client_ca_pem, Metrics& metrics,
                char** argv, LeadingWork work);

}  // namespace coracle::client
