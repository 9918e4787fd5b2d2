// The parts of a World. Made in one order, so that the seed's numbers fall as they always did;
// destroyed in the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster_sim/daemon.hpp"
#include "cluster_sim/observer.hpp"
#include "cluster_sim/store_daemon.hpp"
#include "cluster_sim/world.hpp"

namespace coracle::cluster_sim {

struct World::Parts {
  using Daemons = std::vector<std::unique_ptr<Daemon>>;

  explicit Parts(WorldOptions wanted);
  ~Parts();

  static bool ready(const Daemons& daemons);
  bool store_ready() const;
  bool nodes_ready();
  void start_kubelets();
  void check_every_minute();
  void check();
  void fail(const std::string& what);
  Daemon* find(const std::string& machine);
  StoreDaemon* find_member(const std::string& machine);
  std::string store_leader() const;
  Stats stats() const;
  // Faults come from outside of every strand.
  void do_soon(std::function<void()> work) { timeline.at(timeline.now(), std::move(work)); }

  const WorldOptions options;
  Rng rng;
  Timeline timeline;
  Network network;
  Site site;
  std::vector<std::unique_ptr<StorePort>> store_ports;
  std::vector<std::unique_ptr<ApiServerPort>> api_ports;
  StoreMembers members;
  Daemons stores, apiservers, controllers, schedulers, kubelets;

  Machine& people;
  Rng people_rng;
  std::unique_ptr<SimApi> api;
  std::unique_ptr<Observer> observer;
  std::vector<DecisionHook> decision_hooks;

  TimePoint booted;
  std::size_t nodes_seen_ready = 0;  // of the first
  std::string failure;
  std::uint64_t stop_at = UINT64_MAX;
  std::uint64_t decisions = 0;
  std::map<std::string, std::uint64_t> faults;

 private:
  void make_control_plane();
  void make_kubelets();
};

}  // namespace coracle::cluster_sim
