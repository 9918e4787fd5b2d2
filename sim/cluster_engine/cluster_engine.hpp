// ClusterEngine: a plan played on a whole simulated cluster (sim/cluster/world.hpp): objects are
// created and deleted through the API, faults befall machines, and what watches and the scheduler
// tell goes to the ledger.
//
//   * A pod with a lifetime runs `sleep` in each of its containers.
//   * A priority without a class is given one: the API takes no bare number.
//   * Usage is the plan's, from a pod's start on; what kubelets measure is not read.
//   * A pod is over when it is gone, or asked to go while its node is not Ready.
//   * An object whose name is still taken (its predecessor is not gone) comes when it is free.
//
// One thread. Time 0 is when the cluster is Ready and has the plan's namespaces and classes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/resource.hpp"
#include "cluster_engine/standing_faults.hpp"
#include "cluster_sim/world.hpp"
#include "experiment/engine.hpp"

namespace coracle::sim {

class ClusterEngine final : public Engine {
 public:
  ClusterEngine(EngineInput input, Ledger* ledger);

  Status begin() override;
  Result<bool> run_until(Duration at, bool stop_at_decision) override;
  Duration now() const override;
  QueueSizes queue() const override;  // of the scheduler that leads; nothing while none does

 private:
  // What becomes of an object of the plan.
  struct Wish {
    std::string uid;        // once it is there
    bool unwanted = false;  // its owner has deleted it
  };
  struct Seen {
    bool attributed = false, bound = false, started = false, over = false;
  };

  Result<cluster_sim::WorldOptions> options() const;
  void watch();
  void plan_all();
  void fail(const Status& status);  // the first one counts

  // Objects (cluster_objects.cpp).
  Status prepare();  // namespaces and priority classes, before anything arrives
  void make(json::value object, int* outstanding);
  void await_account(const std::string& ns, int* outstanding);
  void create(size_t arrival, Duration since);
  void adopt(size_t arrival, Duration since, const std::string& refused);
  void made(size_t arrival, const json::value& object);
  void remove(size_t arrival);
  void remove_node(const std::string& node);
  json::value object_of(size_t arrival) const;

  // Faults (cluster_faults.cpp).
  std::vector<std::string> machines_of(const PlannedFault& fault) const;
  void begin_fault(const PlannedFault& fault);
  void end_fault(const PlannedFault& fault);
  void settle(const std::string& machine, StandingFaults::Aspect aspect);
  void settle_power(const std::string& machine);
  void cordon(const std::string& node);
  void on_node_event(const TraceNodeEvent& event);
  void keep_away(const std::string& node);  // until it joins
  void join(const std::string& node);

  // What watches tell (cluster_watch.cpp).
  void on_pod(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void on_node(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void on_decision(const scheduler::Decision& decision);
  Seen& meet(const scheduler::PodInfo& pod);
  // Null: it is not known, or another of its name is newer.
  Seen* newest(const json::value& pod);
  const Arrival* arrival_of(const json::value& pod) const;

  const EngineInput input_;
  Ledger& ledger_;
  Duration zero_{0};  // of the plan, since the world's boot
  std::vector<Wish> wishes_;
  std::unordered_map<std::string, Seen> seen_;           // by uid; never iterated
  std::unordered_map<std::string, std::string> newest_;  // pod key -> uid; never iterated
  std::set<std::string> ready_;                          // nodes
  StandingFaults faults_;
  std::map<const PlannedFault*, std::vector<std::string>> struck_;  // whom, to mend them
  bool decided_ = false;
  Status failure_;
  std::unique_ptr<cluster_sim::World> world_;  // goes first: what it holds calls the others
};

std::unique_ptr<Engine> make_cluster_engine(EngineInput input, Ledger* ledger);

// The annotation of objects and their pods that says which arrival of the plan they are of.
inline constexpr const char* kArrivalAnnotation = "sim.coracle.dev/arrival";

}  // namespace coracle::sim
