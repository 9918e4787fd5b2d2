// PodManager: runs a PodMachine for each pod bound to a node of ours, writes what they become to
// the API and removes deleted pods when their containers have ended. Driver; strand: the
// Executor's. Bound: kStatusWorkers requests at a time; one pending write a pod, the newest.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/executor.hpp"
#include "base/rng.hpp"
#include "client/events.hpp"
#include "client/informer.hpp"
#include "client/resource.hpp"
#include "client/work_queue.hpp"
#include "kubelet/eviction.hpp"
#include "kubelet/node_admission.hpp"
#include "kubelet/node_usage.hpp"
#include "kubelet/pod_machine.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/pod_runner.hpp"

namespace coracle::kubelet {

inline constexpr int kStatusWorkers = 32;

class PodManager {
 public:
  PodManager(Executor& executor, client::Api& api, Rng rng, const NodeAgent& nodes,
             const ImageCatalog& catalog, PodRunner& runner, std::string pod_range_start);

  void start();
  void stop();
  bool has_synced() const { return informer_.has_synced(); }
  size_t running() const { return workers_.size(); }

  // For the log server; null when no such pod runs here.
  const PodMachine* find(const std::string& ns, const std::string& name) const;
  // Its uid; empty when no such pod runs here.
  std::string uid_of(const std::string& ns, const std::string& name) const;
  // The name of its first container.
  std::string first_container(const std::string& uid) const;
  PodRunner& runner() { return runner_; }
  // What the pods of a node of ours use now. O(pods on it), and a look into /proc for processes.
  NodeUse usage(const std::string& node);
  // Its pods as the API has them, with the status we know.
  std::vector<json::value> pods_on(const std::string& node) const;
  const NodeAgent& nodes() const { return nodes_; }
  NodeFill fill_of(const std::string& node) const;  // cheaper than usage()
  // The pods of a node that are not over, with what they use.
  std::vector<EvictionCandidate> candidates(const std::string& node, const NodeUse& use) const;
  // The node ends a pod. `reason` also of the event, unless that is empty.
  void end_pod(const std::string& uid, const std::string& reason, const std::string& message,
               Duration grace, bool tell);
  // Whether any of the node's pods for which it holds still runs.
  bool any_runs(const std::string& node, const std::function<bool(const json::value&)>& of) const;
  std::vector<std::string> uids_of(const std::string& node) const;
  const json::value* object_of(const std::string& uid) const;
  // Why a node takes no pod: the reason and the message of its refusal.
  using Gate = std::function<std::optional<Rejection>(const std::string& node, const json::value&)>;
  void set_gate(Gate gate) { gate_ = std::move(gate); }

  // Static pods, with the uid they have on their node; the API gets a mirror of each.
  void begin_static(json::value pod);
  void end_static(const std::string& uid);

 private:
  struct Worker {
    std::string uid, key, node;
    client::ObjectPtr pod;
    std::unique_ptr<PodMachine> machine;
    Executor::TimerId timer = 0;
    std::string written;  // the last status the API took
    std::string written_ready;
    long long written_version = 0;
    bool finished = false;
    bool held = false;  // its node's labels may be older than it: looked at once more
    bool is_static = false;
    std::string mirror_uid;  // of a static one, while the API has its mirror
  };

  // "True" or "False": the Ready condition in the status of a pod, or of a patch of one.
  static std::string ready_text(const json::value& pod);
  Instant now() const { return {executor_.now(), executor_.wall_now()}; }
  void on_pod(const client::ObjectPtr& pod);
  void on_gone(const client::ObjectPtr& pod);
  void on_mirror(const client::ObjectPtr& mirror);
  void on_mirror_gone(const json::value& mirror);
  Worker* worker_of(const std::string& key);
  void drop(Worker& worker);
  Task<client::WorkQueueDriver::Finish> write_static(std::string uid);
  Task<bool> make_mirror(std::string uid);
  Task<bool> remove_mirror(std::string ns, std::string name, std::string uid);
  bool contradicted(const Worker& worker) const;
  void begin(const client::ObjectPtr& pod, const NodeFacts& node);
  void admit(Worker& worker, const NodeFacts& node, bool last);
  void run(Worker& worker);
  void act(Worker& worker, const PodStep& step);
  void seen(const std::string& uid, const Seen& seen);
  RunnerPod runner_pod(const Worker& worker) const;
  Task<client::WorkQueueDriver::Finish> write(std::string uid);
  client::EventRecorder& recorder(const std::string& node);
  std::string take_address(const client::ObjectPtr& pod);

  Executor& executor_;
  client::Api& api_;
  const NodeAgent& nodes_;
  const ImageCatalog& catalog_;
  PodRunner& runner_;
  client::ResourceClient pods_api_;
  client::Informer informer_;
  std::map<std::string, Worker> workers_;          // by uid
  std::map<std::string, std::string> uid_of_key_;  // "ns/name" of the workers
  std::map<std::string, NodeLoad> loads_;          // by node
  std::map<std::string, std::set<std::string>> uids_of_node_;
  Gate gate_;
  std::set<std::string> static_wanted_;  // uids whose file is there
  Instant started_;
  std::map<std::string, NodeMeter> meters_;  // of the nodes whose usage was asked for
  std::map<std::string, std::unique_ptr<client::EventRecorder>> recorders_;
  std::uint32_t address_base_ = 0, next_address_ = 0;
  std::set<std::uint32_t> addresses_;  // in use
  client::WorkQueueDriver queue_;      // keys: uids
};

}  // namespace coracle::kubelet
