// The life of a daemon that works only while it leads (scheduler, controller-manager): health
// server, leader election, signals. Driver.
#pragma once

#include <functional>
#include <string>

#include "base/metrics.hpp"
#include "base/rng.hpp"
#include "client/api.hpp"
#include "client/daemon_flags.hpp"
#include "net/asio_executor.hpp"

namespace coracle::client {

struct LeadingWork {
  std::function<void()> lead;   // begin; caches should be warm before
  std::function<void()> stop;   // write nothing any more
  std::function<bool()> ready;  // of /readyz
};

// Runs until SIGTERM or SIGINT (the Lease is given back: 0) or until the Lease is lost (1: who lost
// it must not write any more, and the safest way is to end). --secure-port that cannot be had ends
// the program by fail_startup.
int run_leading(net::AsioExecutor& executor, Api& api, Rng rng, const DaemonFlags& flags,
                const std::string& client_ca_pem, const Metrics& metrics, LeadingWork work);

}  // namespace coracle::client
