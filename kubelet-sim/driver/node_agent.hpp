// NodeAgent: keeps the Node objects of this process registered and alive: creation, status, a Lease
// renewed every 10 s. Driver; strand: the Executor's. Bound: kNodeWorkers requests at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/rng.hpp"
#include "client/informer.hpp"
#include "client/resource.hpp"
#include "client/work_queue.hpp"
#include "kubelet/node_object.hpp"

namespace coracle::kubelet {

inline constexpr int kNodeWorkers = 16;

class NodeAgent {
 public:
  NodeAgent(Executor& executor, client::Api& api, Rng rng, std::vector<NodeFacts> nodes);

  void start();
  void stop();
  // Null when the node is not one of ours.
  const NodeFacts* find(std::string_view name) const;
  // Its labels as the API has them; null before it is known. Until the next event of the informer.
  const json::object* labels(std::string_view name) const;
  // Of a process that is one node: then it asks for that node's things only.
  std::optional<std::string> only_node() const;
  size_t registered() const { return registered_; }
  // Empty before it is registered.
  std::string uid(std::string_view name) const;
  std::vector<std::string> names() const;

  // What its conditions tell; told at once when it changes.
  void set_pressure(const std::string& name, bool memory, bool disk);
  void set_shutting_down(const std::string& name, bool shutting_down);
  // Off: it does not say anything any more, as a machine without power.
  void set_off(const std::string& name, bool off);
  // Told when the annotation kShutdown of a node of ours comes or goes.
  void on_shutdown(std::function<void(const std::string& node, bool wanted)> fn) {
    shutdown_wanted_ = std::move(fn);
  }
  static constexpr char kShutdown[] = "lab.coracle.dev/shutdown";

 private:
  struct Node {
    NodeFacts facts;
    bool registered = false;
    std::string uid;
    NodeHealth health;
    bool off = false, shutdown_asked = false;
    TimePoint status_due, lease_due;
  };
  using Finish = std::function<void(client::WorkQueueDriver::Finish)>;

  Task<Status> sync(std::string name);
  Task<Status> register_node(Node* node);
  Task<Status> write_status(Node* node);
  Task<Status> renew_lease(Node* node);
  void on_node(const client::ObjectPtr& object);
  void tell(const std::string& name);

  Executor& executor_;
  Rng rng_;
  client::ResourceClient nodes_api_, leases_api_;
  client::Informer informer_;
  std::map<std::string, Node, std::less<>> nodes_;
  size_t registered_ = 0;
  std::function<void(const std::string&, bool)> shutdown_wanted_;
  client::WorkQueueDriver queue_;
};

}  // namespace coracle::kubelet
