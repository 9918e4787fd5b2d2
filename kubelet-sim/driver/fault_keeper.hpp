// FaultKeeper: makes go wrong with nodes what their annotations ask (kubelet/node_fault.hpp): a
// node is cut off from the network, slow, or rebooted. What has a time ends by itself, and its
// annotation is taken away; so is that of a reboot that has happened.
//
// Strand: the executor's. The nodes of other processes are cut off in this one's network only.
// Invariant: a node is isolated exactly while it is cut off or its machine is down.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "kubelet/node_fault.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/node_events.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {

class FaultKeeper {
 public:
  // A machine is down for kDownFor and until its processes have ended; then its kubelet is not
  // ready for kBootFor.
  static constexpr Duration kDownFor = std::chrono::seconds(3);
  static constexpr Duration kBootFor = std::chrono::seconds(1);

  struct Hooks {
    std::function<void(const std::string& node, bool cut)> network;
    std::function<void(const std::string& node, bool reachable)> kubelet;  // its server
    std::function<void(const std::string& node, Duration lag)> kubelet_lag;
  };
  // All must outlive it.
  FaultKeeper(Executor& executor, client::Api& api, NodeAgent& nodes, PodManager& pods,
              Hooks hooks);
  ~FaultKeeper();

 private:
  enum class Power { kOn, kDown, kBooting, kBooted };  // kBooted: until the annotation has gone
  struct Node {
    json::object annotations;
    Power power = Power::kOn;
    bool cut_off = false, isolated = false;
    Duration lag{};
    TimePoint down_since;
    Executor::TimerId timer = 0;  // of the next end of a fault
    std::set<std::string> told;   // problems
  };

  void look(const std::string& name);
  void isolate(const std::string& name, Node& node);
  void begin_reboot(const std::string& name, Node& node);
  void wait_down(const std::string& name);
  void boot(const std::string& name, Node& node);
  void end_boot(const std::string& name);
  void take_away(const std::string& name, const std::string& annotation);

  Executor& executor_;
  NodeAgent& nodes_;
  PodManager& pods_;
  const Hooks hooks_;
  client::ResourceClient nodes_api_;
  NodeEvents events_;
  std::map<std::string, Node> faulty_;  // nodes that have, or had, one
};

}  // namespace coracle::kubelet
