#include "client_https/leading_daemon.hpp"

#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.hpp"
#include "base/log.hpp"
#include "client/https_api.hpp"
#include "client/leader_election.hpp"
#include "client_https/health_server.hpp"
#include "net/strand_lag.hpp"

namespace coracle::client {
namespace {

constexpr Duration kTimeoutMin = std::chrono::seconds(1);

// Only returns (1) if it cannot. Sockets must not outlive the program that opened them.
int execute_again(char** argv) {
  log::flush();
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  execv("/proc/self/exe", argv);
  log::error("cannot execute {} again: {}", argv[0], std::strerror(errno));
  return 1;
}

}  // namespace

int run_leading(net::AsioExecutor& executor, const ClientConfig& config, Rng rng,
                const DaemonFlags& flags, const std::string& client_ca_pem, Metrics& metrics,
                char** argv, LeadingWork work) {
  net::measure_lag(executor, metrics);
  std::unique_ptr<net::Server> health;
  if (flags.secure_port != 0) {
    auto server = serve_health(executor, {flags.bind_address, flags.secure_port, client_ca_pem,
                                          work.ready, &metrics, work.serve});
    if (!server.ok()) fail_startup("--secure-port: " + server.status().message());
    health = std::move(*server);
  }
  bool ending = false, lost = false;
  std::unique_ptr<HttpsApi> api;
  std::unique_ptr<LeaderElector> elector;
  for (const int signal : {SIGTERM, SIGINT}) {
    executor.on_signal(signal, [&] {
      if (std::exchange(ending, true)) return;
      work.stop();
      if (!elector) return executor.stop();
      elector->stop([&] { executor.stop(); });
    });
  }
  if (flags.leader_elect) {
    // Upstream's: an answer that does not come is asked for again before the deadline.
    const Duration timeout = std::max<Duration>(flags.election.renew_deadline / 2, kTimeoutMin);
    auto made = make_https_api(executor, {config, "leader-election", timeout});
    if (!made.ok()) fail_startup("--kubeconfig: " + made.status().message());
    api = std::move(*made);
    LeaderCallbacks callbacks;
    callbacks.on_started = [&] {
      log::info("leading");
      work.lead();
    };
    callbacks.on_stopped = [&] {
      if (ending) return;  // the Lease is still to be given back
      log::warn("the Lease {}/{} is lost; beginning anew", flags.election.namespace_name,
                flags.election.name);
      work.stop();
      lost = true;
      executor.stop();
    };
    callbacks.on_new_leader = [](const std::string& who) { log::info("{} leads", who); };
    elector =
        std::make_unique<LeaderElector>(executor, *api, rng, flags.election, std::move(callbacks));
    elector->start();
  } else {
    work.lead();
  }
  executor.run();
  return lost ? execute_again(argv) : 0;
}

}  // namespace coracle::client
