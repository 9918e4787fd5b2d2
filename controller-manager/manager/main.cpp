// controller-manager: runs all controllers, when it leads.
#include <fmt/format.h>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client_https/leading_daemon.hpp"
#include "manager/registry.hpp"
#include "net/asio_executor.hpp"
#include "runner/runner.hpp"

namespace {

using namespace coracle;
using controllers::Runner;

class Manager {
 public:
  Manager(net::AsioExecutor& executor, client::Api& api, Rng rng, Metrics& metrics,
          const controllers::ControllerOptions& options)
      : informers_(executor, api, rng.split()) {
    for (auto& controller : controllers::make_controllers(options)) {
      for (const client::Gvr& gvr : controller->watched()) informers_.get(gvr);
      runners_.push_back(
          std::make_unique<Runner>(executor, api, informers_, std::move(controller), metrics));
    }
    // Caches are warm before we lead, so that a takeover loses no time.
    informers_.start();
  }

  void lead() {
    leading_ = true;
    log::info("leading with {} controllers", runners_.size());
    informers_.when_synced([this] {
      if (!leading_) return;
      for (auto& runner : runners_) runner->start();
    });
  }
  void stop() {
    leading_ = false;
    for (auto& runner : runners_) runner->stop();
  }
  bool ready() const { return informers_.has_synced(); }

 private:
  controllers::SharedInformers informers_;
  std::vector<std::unique_ptr<Runner>> runners_;
  bool leading_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  client::DaemonFlags daemon;
  controllers::ControllerOptions options;
  std::string root_ca_file;
  Flags flags("controller-manager", "Runs the controllers of a cluster.",
              "controller-manager --kubeconfig controller-manager.kubeconfig");
  client::add_daemon_flags(flags, &daemon, "kube-controller-manager", 0);
  flags.add("--root-ca-file", &root_ca_file, "published to pods as kube-root-ca.crt");
  flags.add("--node-monitor-grace-period", &options.node_monitor_grace,
            "silence after which a node is called unreachable");
  std::string provisioners = "lab.coracle.dev/hostpath";
  flags.add("--volume-provisioners", &provisioners,
            "drivers whose volumes are simulated by directories, comma separated");
  flags.parse(argc, argv);
  client::finish_daemon_flags(daemon, "controller-manager");
  if (!root_ca_file.empty()) options.root_ca_pem = read_flag_file("--root-ca-file", root_ca_file);
  for (const std::string& name : split(provisioners, ',')) {
    if (!name.empty()) options.volume_provisioners.insert(name);
  }
  const auto config = client::client_config_or_die(daemon);

  net::AsioExecutor executor;
  options.started = executor.wall_now();
  Rng rng(secure_random_seed());
  Metrics metrics;
  auto api = client::make_https_api(executor, {config, "kube-controller-manager"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  Manager manager(executor, **api, rng.split(), metrics, options);

  return client::run_leading(
      executor, **api, rng.split(), daemon, config.ca_pem, metrics, argv,
      {[&] { manager.lead(); }, [&] { manager.stop(); }, [&] { return manager.ready(); }});
}
