// WorldOptions: what a simulated cluster is made of (docs/sim.md). A value: equal options and equal
// seeds give equal worlds, decision by decision and byte by byte.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "api/hooks/custom_rules.hpp"
#include "base/clock.hpp"
#include "client/informer.hpp"
#include "config/config.hpp"
#include "kubelet/image_catalog.hpp"
#include "kubelet/node_object.hpp"

namespace coracle::cluster_sim {

struct StoreOptions {
  int members = 3;  // 1, 3, 5; 0: one store in memory that cannot fail, which is the fastest
  // Raft's own speed: an idle cluster costs one event for each of these.
  Duration heartbeat = std::chrono::seconds(1);
  Duration election = std::chrono::seconds(10);
  Duration sync_max = std::chrono::milliseconds(1);  // one sync takes up to this
  std::int64_t quota_bytes = std::int64_t(8) << 30;
};

struct NetworkOptions {
  // One way between two machines, drawn anew for each message; a machine reaches itself at once.
  Duration delay_min = std::chrono::microseconds(100), delay_max = std::chrono::microseconds(400);
};

struct KubeletOptions {
  Duration lease_duration = std::chrono::seconds(40);  // renewed after a quarter of it
  Duration status_every = std::chrono::minutes(5);     // written at least so often
  Duration eviction_every = std::chrono::seconds(10);  // memory and disk are looked at; 0: never
  client::WatchPace watch;                             // of a kubelet's two watches
  bool events = true;  // kubelets record Events of their pods, as upstream's do
};

// A kubelet that is as much slower in all it does without work as the lease is longer than
// upstream's 40 s: its status, its looks at memory and disk, its watches.
KubeletOptions paced(Duration lease_duration);

struct SchedulerSpec {
  std::string name = "scheduler";  // of its machines: "scheduler-1", ...
  int replicas = 1;                // more than one elect a leader
  scheduler::Config config;        // profiles, extenders (which the simulation refuses), back-off
};

struct ControllerOptions {
  int replicas = 1;              // more than one elect a leader; 0: there are none
  std::set<std::string> only;    // by name ("deployment"); empty: all
  std::set<std::string> except;  // not these
  Duration node_monitor_grace = std::chrono::seconds(0);  // 0: the kubelets' lease_duration
};

struct WorldOptions {
  std::uint64_t seed = 1;
  WallTime start{std::chrono::seconds(1767225600)};  // 2026-01-01T00:00:00Z
  StoreOptions store;
  NetworkOptions network;
  int apiservers = 1;
  // One kubelet a node, each with a machine of its own. Its zone is the label
  // topology.kubernetes.io/zone.
  std::vector<kubelet::NodeFacts> nodes;
  std::set<std::string> absent;  // of them: those that boot() leaves alone; start() lets them join
  KubeletOptions kubelet;
  std::vector<SchedulerSpec> schedulers{SchedulerSpec{}};
  ControllerOptions controllers;
  kubelet::ImageCatalog images = kubelet::ImageCatalog::builtin();
};

// InvalidArgument says what of it is impossible (no node name twice, members 0, 1, 3 or 5, ...).
Status check(const WorldOptions& options);

}  // namespace coracle::cluster_sim
