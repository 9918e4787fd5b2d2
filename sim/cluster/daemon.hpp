// Daemon: a process of the cluster on its machine, in one life after the other. Its parts are the
// live daemon's own; only what they stand on is simulated.
//
// Invariant: of a life that ended nothing runs any more, and no other process hears of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "cluster_sim/acknowledged.hpp"
#include "cluster_sim/api_end.hpp"
#include "cluster_sim/network.hpp"
#include "cluster_sim/options.hpp"
#include "cluster_sim/store_end.hpp"
#include "queue/queue.hpp"
#include "why/decision_log.hpp"

namespace coracle::cluster_sim {

// What all daemons of a world share.
struct Site {
  Timeline& timeline;
  Network& network;
  WallTime epoch;  // the wall's time when the timeline's is zero
  std::vector<StorePort*> stores;
  std::vector<ApiServerPort*> apiservers;
  std::vector<std::shared_ptr<Strand>> graveyard;  // of lives that ended
  Acknowledged acknowledged;
  SharedLines lines{};
};

class Daemon {
 public:
  Daemon(Site& site, Machine& machine, Rng rng) : site_(site), machine_(machine), rng_(rng) {}
  virtual ~Daemon() = default;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Machine& machine() const { return machine_; }
  bool running() const { return machine_.reachable(); }
  // Both from outside of any strand.
  void start();
  virtual void kill(bool power);
  virtual bool ready() const = 0;
  // Of a scheduler that leads; null: it is none, or does not lead.
  virtual const scheduler::Queue* queue() const { return nullptr; }

 protected:
  // The parts of a life are made on a strand that is there, and go while it is dead.
  virtual void begin() = 0;
  virtual void end() = 0;
  virtual Strand::Guard guard() { return nullptr; }
  Strand& strand() { return *machine_.strand; }
  // Another life, unless this one ends before: once what runs now has ended.
  void restart_soon();
  std::unique_ptr<SimApi> make_api(std::string user, std::vector<std::string> groups);

  Site& site_;
  Machine& machine_;
  Rng rng_;
};

std::unique_ptr<Daemon> make_memory_store(Site& site, Machine& machine, Rng rng, StorePort& port);
std::unique_ptr<Daemon> make_apiserver(Site& site, Machine& machine, Rng rng, ApiServerPort& port);
std::unique_ptr<Daemon> make_controllers(Site& site, Machine& machine, Rng rng,
                                         const WorldOptions& options);
using DecisionTold =
    std::function<void(const std::string& machine, const scheduler::KeptDecision& kept)>;
std::unique_ptr<Daemon> make_scheduler(Site& site, Machine& machine, Rng rng,
                                       const SchedulerSpec& spec, DecisionTold told);
// `index` of the node: its pods' addresses follow from it.
std::unique_ptr<Daemon> make_kubelet(Site& site, Machine& machine, Rng rng,
                                     const WorldOptions& options, std::size_t index);

}  // namespace coracle::cluster_sim
