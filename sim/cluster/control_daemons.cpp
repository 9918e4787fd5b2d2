// Schedulers and controller managers: what decides for the cluster, alone or by election.
#include <optional>

#include "base/metrics.hpp"
#include "client/leader_election.hpp"
#include "cluster_sim/daemon.hpp"
#include "driver/scheduler.hpp"
#include "manager/manager.hpp"

namespace coracle::cluster_sim {
namespace {

// As client::run_leading does it for a live daemon: a process that lost its Lease ends, and whoever
// watches over it starts it again.
class Leading {
 public:
  struct Callbacks {
    std::function<void()> lead, stop;
  };

  void begin(Executor& executor, client::Api& api, Rng rng, const std::string& lock,
             const std::string& identity, bool alone, const Callbacks& callbacks) {
    if (alone) return callbacks.lead();
    client::LeaderElectionOptions options;
    options.name = lock;
    options.identity = identity;
    elector_.emplace(executor, api, rng, std::move(options),
                     client::LeaderCallbacks{callbacks.lead, callbacks.stop, nullptr});
    elector_->start();
  }
  void end() { elector_.reset(); }

 private:
  std::optional<client::LeaderElector> elector_;
};

class ControllersDaemon final : public Daemon {
 public:
  ControllersDaemon(Site& site, Machine& machine, Rng rng, const WorldOptions& options)
      : Daemon(site, machine, rng), options_(options) {}
  ~ControllersDaemon() override { end(); }

  bool ready() const override { return manager_ && manager_->ready(); }

 private:
  void begin() override {
    api_ = make_api("system:kube-controller-manager", {});
    metrics_ = std::make_unique<Metrics>();
    const ControllerOptions& wanted = options_.controllers;
    controllers::ControllerOptions options;
    options.node_monitor_grace = wanted.node_monitor_grace > Duration(0)
                                     ? wanted.node_monitor_grace
                                     : options_.kubelet.lease_duration;
    options.started = strand().wall_now();
    options.volume_provisioners = {"lab.coracle.dev/hostpath"};
    manager_ = std::make_unique<controllers::Manager>(
        strand(), *api_, rng_.split(), *metrics_, std::move(options), [&](std::string_view name) {
          const std::string text(name);
          return (wanted.only.empty() || wanted.only.contains(text)) &&
                 !wanted.except.contains(text);
        });
    leading_.begin(strand(), *api_, rng_.split(), "kube-controller-manager", machine_.name,
                   wanted.replicas == 1,
                   {[this] { manager_->lead(); },
                    [this] {
                      manager_->stop();
                      restart_soon();
                    }});
  }
  void end() override {
    if (api_) api_->drop_calls();
    leading_.end();
    manager_.reset();
    api_.reset();
  }

  const WorldOptions& options_;
  std::unique_ptr<SimApi> api_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<controllers::Manager> manager_;
  Leading leading_;
};

class SchedulerDaemon final : public Daemon {
 public:
  SchedulerDaemon(Site& site, Machine& machine, Rng rng, const SchedulerSpec& spec,
                  DecisionTold told)
      : Daemon(site, machine, rng), spec_(spec), told_(std::move(told)) {}
  ~SchedulerDaemon() override { end(); }

  bool ready() const override { return scheduler_ && scheduler_->has_synced(); }
  const scheduler::Queue* queue() const override {
    return scheduler_ && scheduler_->leads() ? &scheduler_->queue() : nullptr;
  }

 private:
  void begin() override {
    api_ = make_api("system:kube-scheduler", {});
    metrics_ = std::make_unique<Metrics>();
    scheduler::SchedulerOptions options;
    options.profiles = spec_.config.profiles;
    options.queue.backoff_first = std::chrono::seconds(spec_.config.backoff_first_seconds);
    options.queue.backoff_max = std::chrono::seconds(spec_.config.backoff_max_seconds);
    options.on_decision = [this](const scheduler::KeptDecision& kept) {
      told_(machine_.name, kept);
    };
    scheduler_ = std::make_unique<scheduler::Scheduler>(strand(), *api_, rng_.split(),
                                                        std::move(options), *metrics_);
    scheduler_->start();
    leading_.begin(strand(), *api_, rng_.split(), "kube-" + spec_.name, machine_.name,
                   spec_.replicas == 1,
                   {[this] { scheduler_->lead(); },
                    [this] {
                      scheduler_->stop();
                      restart_soon();
                    }});
  }
  void end() override {
    if (api_) api_->drop_calls();
    leading_.end();
    scheduler_.reset();
    api_.reset();
  }

  const SchedulerSpec& spec_;
  const DecisionTold told_;
  std::unique_ptr<SimApi> api_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  Leading leading_;
};

}  // namespace

std::unique_ptr<Daemon> make_controllers(Site& site, Machine& machine, Rng rng,
                                         const WorldOptions& options) {
  return std::make_unique<ControllersDaemon>(site, machine, rng, options);
}

std::unique_ptr<Daemon> make_scheduler(Site& site, Machine& machine, Rng rng,
                                       const SchedulerSpec& spec, DecisionTold told) {
  return std::make_unique<SchedulerDaemon>(site, machine, rng, spec, std::move(told));
}

}  // namespace coracle::cluster_sim
