// Layout: what a lab directory holds and where (DESIGN: fixed names that scripts rely on), and the
// choices of the cluster in it, kept in DIR/cluster.json so that a second `up` finds them again.
//
// Invariant: ports and identities never change once chosen; only the number of nodes may.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.hpp"

namespace coracle::lab {

struct ClusterShape {
  int replicas = 3;  // store members: 1, 3 or 5; 0 if the store is embedded
  int nodes = 3;     // simulated nodes
  int apiservers = 1;
  std::vector<int> store_client_ports, store_peer_ports;
  std::vector<int> apiserver_ports;
  std::vector<int> scheduler_ports, controller_manager_ports;  // health and metrics
  int kubelet_sim_port = 0;
  std::string cluster_token;  // a store member of another cluster is refused
  // Or "etcd": Debian's etcd-server in its place; or "embedded": in the process of the apiserver.
  std::string store = "kvstore";
  bool store_tls = false;        // mutual TLS from, to and between store members
  std::string runtime = "auto";  // of kubelet-sim: which containers are processes
  int metrics_server_port = 0;   // 0: there is none
  bool load_balancers = false;   // Services of that type get addresses
  std::string scheduler_config;  // a KubeSchedulerConfiguration's full path; empty: the defaults
  int network_slot = 0;          // which loopback addresses: lab/network.hpp

  bool embedded() const { return store == "embedded"; }
};

class Layout {
 public:
  explicit Layout(std::string dir) : dir_(std::move(dir)) {}

  const std::string& dir() const { return dir_; }
  std::string path(const std::string& relative) const { return dir_ + "/" + relative; }
  std::string pki(const std::string& file) const { return path("pki/" + file); }
  std::string log(const std::string& name) const { return path("logs/" + name + ".log"); }
  std::string pid_file(const std::string& name) const { return path("pids/" + name); }
  std::string data(const std::string& name) const { return path("data/" + name); }

  // Makes the directories, mode 0700.
  Status create() const;
  bool exists() const;
  Result<ClusterShape> load() const;
  Status save(const ClusterShape& shape) const;

 private:
  std::string dir_;
};

// Reads a whole file; NotFound names it.
Result<std::string> read_file(const std::string& path);
// By rename, with this mode.
Status write_file(const std::string& path, const std::string& content, int mode = 0644);

// The address of simulated node `ordinal` (from 1): base + ordinal in 127.32.0.0/11, as kubelet-sim
// counts them.
std::string node_address(int ordinal);

}  // namespace coracle::lab
