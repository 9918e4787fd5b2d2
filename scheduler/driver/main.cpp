// scheduler: finds a node for each pod that has none, when it leads.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client_https/leading_daemon.hpp"
#include "config/config.hpp"
#include "driver/scheduler.hpp"
#include "live/http_extenders.hpp"
#include "live/live_processes.hpp"
#include "net/asio_executor.hpp"
#include "net/http.hpp"
#include "plugin_abi/shared_object.hpp"
#include "why/reviews_api.hpp"

using namespace coracle;

namespace {

// Decisions are shown to the apiserver, which asks as the front proxy and has checked who asks, and
// to administrators.
std::optional<net::Response> serve_decisions(const scheduler::Scheduler& scheduler,
                                             const net::Request& request) {
  if (!request.path.starts_with("/apis/")) return std::nullopt;
  const auto& orgs = request.peer.cert_orgs;
  if (request.peer.cert_cn != "front-proxy-client" &&
      std::find(orgs.begin(), orgs.end(), "system:masters") == orgs.end()) {
    return net::make_response(403, "Forbidden\n", "text/plain");
  }
  const auto review = scheduler::review_namespace(request.path);
  const bool selects = request.query.has("labelSelector") || request.query.has("fieldSelector");
  const auto answer =
      review && request.method == "POST"
          ? scheduler::answer_review(*review, request.body,
                                     {scheduler.profiles(), scheduler.cache(), scheduler.leads(),
                                      scheduler.extenders().names()})
          : scheduler::answer_decisions(request.method, request.path, selects,
                                        scheduler.decisions(), scheduler.leads());
  net::Response response =
      net::make_response(answer.http, json::serialize(answer.body), "application/json");
  // Clients ask again at once, and reach another scheduler by and by.
  if (answer.http == 503) response.headers.set("Retry-After", "0");
  return response;
}

// Programs and shared objects of plugins are named from there.
std::string directory_of(const std::string& file) {
  return std::filesystem::path(file).parent_path().string();
}

}  // namespace

int main(int argc, char** argv) {
  client::DaemonFlags daemon;
  std::string config_file, front_proxy_ca_file;
  Flags flags("scheduler", "Finds a node for each pod that has none.",
              "scheduler --kubeconfig scheduler.kubeconfig --secure-port 10259");
  client::add_daemon_flags(flags, &daemon, "kube-scheduler", 0);
  flags.add("--config", &config_file, "a KubeSchedulerConfiguration (YAML)");
  flags.add("--requestheader-client-ca-file", &front_proxy_ca_file,
            "CA of the apiserver's front proxy: may ask the secure port for decisions");
  flags.parse(argc, argv);
  scheduler::Config settings;
  settings.election = daemon.election;
  settings.leader_elect = daemon.leader_elect;
  if (!config_file.empty()) {
    const Status parsed =
        scheduler::parse_config(read_flag_file("--config", config_file), &settings,
                                [&](const scheduler::SharedObjectSpec& spec) {
                                  return load_shared_object(spec, directory_of(config_file));
                                });
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
  const auto programs =
      scheduler::LiveProcesses::create(executor, settings.profiles, directory_of(config_file));
  if (!programs.ok()) {
    fail_startup(fmt::format("--config {}: {}", config_file, programs.status().message()));
  }
  scheduler::SchedulerOptions options;
  options.profiles = std::move(settings.profiles);
  options.extenders = std::move(settings.extenders);
  options.extender_port = extenders->get();
  options.process_port = programs->get();
  options.queue.backoff_first = std::chrono::seconds(settings.backoff_first_seconds);
  options.queue.backoff_max = std::chrono::seconds(settings.backoff_max_seconds);
  scheduler::Scheduler scheduler(executor, **api, rng.split(), std::move(options), metrics);

  std::string client_ca = config.ca_pem;
  if (!front_proxy_ca_file.empty()) {
    client_ca += "\n" + read_flag_file("--requestheader-client-ca-file", front_proxy_ca_file);
  }
  scheduler.start();  // caches are warm before we lead
  return client::run_leading(
      executor, config, rng.split(), daemon, client_ca, metrics, argv,
      {[&] { scheduler.lead(); }, [&] { scheduler.stop(); }, [&] { return scheduler.has_synced(); },
       [&](const net::Request& request) { return serve_decisions(scheduler, request); }});
}
