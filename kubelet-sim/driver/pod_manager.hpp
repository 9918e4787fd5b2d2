// PodManager: runs a PodMachine for each pod bound to a node of ours, writes what they become to
// the API and removes deleted pods when their containers have ended. Driver; strand: the
// Executor's. Bound: kStatusWorkers requests at a time; one pending write a pod, the newest.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/digest.hpp"
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

struct PodManagerOptions {
  std::string range_start;             // pods get addresses after this one,
  std::uint32_t addresses = 1u << 22;  // so many
  client::WatchPace watch;
  bool events = true;  // off: pods have no Events of their kubelet
};

class PodManager {
 public:
  PodManager(Executor& executor, client::Api& api, Rng rng, const NodeAgent& nodes,
             const ImageCatalog& catalog, PodRunner& runner, PodManagerOptions options);
  void start();
  void stop();
  bool has_synced() const { return informer_.has_synced(); }
  size_t running() const { return workers_.size(); }

  // Null, or empty, when no such pod runs here.
  const PodMachine* find(const std::string& ns, const std::string& name) const;
  std::string uid_of(const std::string& ns, const std::string& name) const;
  std::string first_container(const std::string& uid) const;  // its name
  PodRunner& runner() { return runner_; }
  // What the pods of a node of ours use now. O(pods on it), and a look into /proc for processes.
  NodeUse usage(const std::string& node);
  std::vector<json::value> pods_on(const std::string& node) const;  // with the status we know
  const NodeAgent& nodes() const { return nodes_; }
  NodeFill fill_of(const std::string& node) const;                    // cheaper than usage()
  std::vector<EvictionCandidate> candidates(const std::string& node,  // pods that are not over
                                            const NodeUse& use) const;
  // The node ends a pod. `reason` also of the event, unless that is empty.
  void end_pod(const std::string& uid, const std::string& reason, const std::string& message,
               Duration grace, bool tell);
  bool any_runs(const std::string& node, const std::function<bool(const json::value&)>& of) const;
  std::vector<std::string> uids_of(const std::string& node) const;
  const json::value* object_of(const std::string& uid) const;
  // Why a node takes no pod: the reason and the message of its refusal.
  using Gate = std::function<std::optional<Rejection>(const std::string& node, const json::value&)>;
  void set_gate(Gate gate) { gate_ = std::move(gate); }
  // A node that is cut off hears of no change and writes nothing; joined again it catches up.
  void cut_off(const std::string& node);
  void reconnect(const std::string& node);
  // What the node does takes so much longer: pulls, starts, probes, its pods' status.
  void set_lag(const std::string& node, Duration lag);
  // Its machine goes down: nothing of its pods runs on, and it is cut off. When no process is left
  // it may come up: its pods start anew; it is cut off still.
  void power_off(const std::string& node);
  bool any_process(const std::string& node) const;
  void power_on(const std::string& node);
  std::string node_of_address(const std::string& address) const;  // of a pod of ours; else empty
  // Static pods, with the uid they have on their node; the API gets a mirror of each.
  void begin_static(json::value pod);
  void end_static(const std::string& uid);

 private:
  struct Worker {
    std::string uid, key, node;
    client::ObjectPtr pod;
    std::unique_ptr<PodMachine> machine;
    Executor::TimerId timer = 0;
    std::optional<Digest> written;  // of the last status the API took
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
  bool hears(const json::value& pod) const;
  json::value with_status(const Worker& worker) const;
  void begin(const client::ObjectPtr& pod, const NodeFacts& node);
  void admit(Worker& worker, const NodeFacts& node, bool last);
  void run(Worker& worker);
  void queue_write(const Worker& worker);
  void act(Worker& worker, const PodStep& step);
  void seen(const std::string& uid, const Seen& seen);
  RunnerPod runner_pod(const Worker& worker) const;
  Task<client::WorkQueueDriver::Finish> write(std::string uid);
  client::EventRecorder& recorder(const std::string& node);
  std::string take_address(const client::ObjectPtr& pod, const std::string& node);
  std::unique_ptr<PodMachine> make_machine(const json::value& pod, const PodPlace& place,
                                           const std::string& node, bool lost) const;
  void record(Worker& worker, client::EventInput input);

  Executor& executor_;
  client::Api& api_;
  const NodeAgent& nodes_;
  const ImageCatalog& catalog_;
  const PodManagerOptions options_;
  PodRunner& runner_;
  client::ResourceClient pods_api_;
  client::Informer informer_;
  std::map<std::string, Worker> workers_;          // by uid
  std::map<std::string, std::string> uid_of_key_;  // "ns/name" of the workers
  std::map<std::string, NodeLoad> loads_;          // by node
  std::map<std::string, std::set<std::string>> uids_of_node_;
  Gate gate_;
  std::map<std::string, std::vector<client::EventInput>> cut_off_;  // nodes; what they will tell
  std::map<std::string, Duration> lags_;                            // of slow nodes
  std::set<std::string> static_wanted_;                             // uids whose file is there
  Instant started_;
  std::map<std::string, NodeMeter> meters_;  // of the nodes whose usage was asked for
  std::map<std::string, std::unique_ptr<client::EventRecorder>> recorders_;
  std::uint32_t address_base_ = 0, next_address_ = 0;
  std::map<std::uint32_t, std::string> addresses_;  // in use, and the node
  client::WorkQueueDriver queue_;                   // keys: uids
};

}  // namespace coracle::kubelet
