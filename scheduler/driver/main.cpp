// scheduler: finds a node for each pod that has none, when it leads.
#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <sstream>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client/leader_election.hpp"
#include "client_https/health_server.hpp"
#include "config/config.hpp"
#include "driver/scheduler.hpp"
#include "net/asio_executor.hpp"

namespace {

using namespace coracle;

std::string read_or_die(const std::string& flag, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail_startup(fmt::format("{}: cannot read {}", flag, path));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  client::DaemonFlags daemon;
  std::string config_file;
  Flags flags("scheduler", "Finds a node for each pod that has none.",
              "scheduler --kubeconfig scheduler.kubeconfig --secure-port 10259");
  client::add_daemon_flags(flags, &daemon, "kube-scheduler", 0);
  flags.add("--config", &config_file, "a KubeSchedulerConfiguration (YAML)");
  flags.parse(argc, argv);
  scheduler::Config settings;
  settings.election = daemon.election;
  settings.leader_elect = daemon.leader_elect;
  settings.profiles.push_back(scheduler::default_profile());
  if (!config_file.empty()) {
    const Status parsed = scheduler::parse_config(read_or_die("--config", config_file), &settings);
    if (!parsed.ok()) {
      fail_startup(fmt::format("--config {}: {}", config_file, parsed.message()));
    }
    daemon.election = settings.election;
    daemon.leader_elect = settings.leader_elect;
  }
  client::finish_daemon_flags(daemon, "scheduler");
  const auto config = client::client_config_or_die(daemon);

  net::AsioExecutor executor;
  Rng rng(secure_random_seed());
  Metrics metrics;
  auto api = client::make_https_api(executor, {config, "scheduler"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  scheduler::Scheduler scheduler(executor, **api, rng.split(), std::move(settings.profiles),
                                 metrics);

  std::unique_ptr<net::Server> health;
  if (daemon.secure_port != 0) {
    auto server =
        client::serve_health(executor, {daemon.bind_address, daemon.secure_port, config.ca_pem,
                                        [&] { return scheduler.has_synced(); }, &metrics});
    if (!server.ok()) fail_startup("--secure-port: " + server.status().message());
    health = std::move(*server);
  }

  int exit_code = 0;
  std::unique_ptr<client::LeaderElector> elector;
  for (const int signal : {SIGTERM, SIGINT}) {
    executor.on_signal(signal, [&] {
      scheduler.stop();
      if (!elector) return executor.stop();
      elector->stop([&] { executor.stop(); });
    });
  }
  scheduler.start();  // caches are warm before we lead
  if (daemon.leader_elect) {
    client::LeaderCallbacks callbacks;
    callbacks.on_started = [&] {
      log::info("leading");
      scheduler.lead();
    };
    // Who lost the lease must not bind any more: the safest way is to end.
    callbacks.on_stopped = [&] {
      scheduler.stop();
      executor.stop();
      exit_code = 1;
    };
    callbacks.on_new_leader = [](const std::string& who) { log::info("{} leads", who); };
    elector = std::make_unique<client::LeaderElector>(executor, **api, rng.split(), daemon.election,
                                                      std::move(callbacks));
    elector->start();
  } else {
    scheduler.lead();
  }
  executor.run();
  return exit_code;
}
