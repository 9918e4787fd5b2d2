// scheduler: finds a node for each pod that has none, when it leads.
#include <fmt/format.h>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client_https/leading_daemon.hpp"
#include "config/config.hpp"
#include "driver/scheduler.hpp"
#include "live/http_extenders.hpp"
#include "net/asio_executor.hpp"

using namespace coracle;

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
  if (!config_file.empty()) {
    const Status parsed =
        scheduler::parse_config(read_flag_file("--config", config_file), &settings);
    if (!parsed.ok()) {
      fail_startup(fmt::format("--config {}: {}", config_file, parsed.message()));
    }
    daemon.election = settings.election;
    daemon.leader_elect = settings.leader_elect;
    if (daemon.kubeconfig.empty()) daemon.kubeconfig = settings.kubeconfig;
  }
  client::finish_daemon_flags(daemon, "scheduler");
  const auto config = client::client_config_or_die(daemon);

  net::AsioExecutor executor;
  Rng rng(secure_random_seed());
  Metrics metrics;
  auto api = client::make_https_api(executor, {config, "kube-scheduler"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  const auto extenders = scheduler::HttpExtenders::create(executor, settings.extenders);
  if (!extenders.ok()) {
    fail_startup(fmt::format("--config {}: {}", config_file, extenders.status().message()));
  }
  scheduler::SchedulerOptions options{
      std::move(settings.profiles), std::move(settings.extenders), extenders->get(), {}};
  options.queue.backoff_first = std::chrono::seconds(settings.backoff_first_seconds);
  options.queue.backoff_max = std::chrono::seconds(settings.backoff_max_seconds);
  scheduler::Scheduler scheduler(executor, **api, rng.split(), std::move(options), metrics);

  scheduler.start();  // caches are warm before we lead
  return client::run_leading(executor, **api, rng.split(), daemon, config.ca_pem, metrics, argv,
                             {[&] { scheduler.lead(); }, [&] { scheduler.stop(); },
                              [&] { return scheduler.has_synced(); }});
}
