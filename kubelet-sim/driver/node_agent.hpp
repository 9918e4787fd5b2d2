// NodeAgent: keeps the Node objects of this process registered and alive: creation, status, a Lease
// renewed after a quarter of its life. Driver; strand: the Executor's. Bound: kRegisterWorkers
// nodes register at a time, kNodeWorkers say something. Two queues: else the first renewals would
// wait until thousands of nodes are registered.
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

inline constexpr int kRegisterWorkers = 16;
// Nodes are strangers to each other, each with its own heartbeat: 500 a second of 5,000 nodes are
// in time at 100 ms each, on a busy machine.
inline constexpr int kNodeWorkers = 64;

// Upstream's nodeLeaseDurationSeconds and nodeStatusReportFrequency.
struct NodePace {
  Duration lease = std::chrono::seconds(40);
  Duration status = std::chrono::minutes(5);
  client::WatchPace watch;
  Duration renew_every() const { return lease / 4; }
};

class NodeAgent {
 public:
  NodeAgent(Executor& executor, client::Api& api, Rng rng, std::vector<NodeFacts> nodes,
            NodePace pace = {});
  // Before start(): what the nodes say goes another way than what is asked of them, so that
  // heartbeats do not wait behind the requests of thousands of pods.
  void use_for_heartbeats(client::Api& api);

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
  // Why a node says nothing any more; it speaks again when no reason is left.
  enum class Silence : unsigned { kOff = 1, kCutOff = 2 };
  void set_silent(const std::string& name, Silence why, bool silent);
  bool silent(const std::string& name) const { return nodes_.at(name).silence != 0; }
  // It comes up again, with another boot ID: not ready until end_boot().
  void begin_boot(const std::string& name);
  void end_boot(const std::string& name);
  const std::string& boot_id(const std::string& name) const;
  // The node whose own address it is; empty: none of those we know.
  std::string node_of_address(std::string_view address) const;
  // Told the annotations of every node we see, at first and when they change.
  using Annotated = std::function<void(const std::string& node, const json::object& annotations)>;
  void on_annotations(Annotated fn) { annotated_.push_back(std::move(fn)); }
  // Told when one of ours is cordoned or uncordoned.
  using Cordoned = std::function<void(const std::string& node, bool cordoned)>;
  void on_cordon(Cordoned fn) { cordoned_ = std::move(fn); }
  // Told when the API has been told something else of a node's health than it has: all of it at
  // first (`starts`) and after a silence.
  using Told = std::function<void(const std::string& node, bool starts,
                                  const std::vector<std::string_view>& reasons)>;
  void on_health(Told fn) { health_told_ = std::move(fn); }

 private:
  struct Node {
    NodeFacts facts;
    bool registered = false;
    std::optional<bool> cordoned;  // as it was seen last
    std::string uid;
    NodeHealth health;
    std::optional<NodeHealth> told;  // what the API has, when it has it from us
    bool started = false;            // it was told once
    unsigned silence = 0;            // of Silence
    TimePoint status_due, lease_due;
  };
  using Finish = std::function<void(client::WorkQueueDriver::Finish)>;

  void finish_work(const std::string& name, const Status& status, std::optional<Duration> again,
                   const Finish& finish);
  Task<Status> sync(std::string name);
  Task<Status> register_node(std::string name);
  Task<Status> write_status(Node* node);
  Task<Status> renew_lease(Node* node);
  std::optional<Duration> until_due(const Node& node) const;
  void on_node(const client::ObjectPtr& object);
  void on_node_gone(const client::ObjectPtr& object);
  void tell(const std::string& name);
  void note_told(Node& node, const NodeHealth& health);

  Executor& executor_;
  Rng rng_;
  const NodePace pace_;
  client::ResourceClient nodes_api_, leases_api_;
  client::Informer informer_;
  std::map<std::string, Node, std::less<>> nodes_;
  size_t registered_ = 0;
  std::vector<Annotated> annotated_;
  Cordoned cordoned_;
  Told health_told_;
  std::map<std::string, std::string, std::less<>> addresses_;     // of nodes, ours or not
  std::map<std::string, json::object, std::less<>> annotations_;  // as told
  client::WorkQueueDriver registering_, queue_;
};

}  // namespace coracle::kubelet
