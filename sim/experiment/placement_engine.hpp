// PlacementEngine: the scheduler's core alone (queue, decisions, cache), and of the rest of a
// cluster a model, small enough for traces of millions of pods (docs/simulation.md):
//
//   * a decision takes `decisionTime`, one after the other; a bind always succeeds; pods start at
//     once, and end after their lifetime;
//   * a node that is down or silent is tainted after `kubeletLease`, its pods are given up
//     `evictAfter` later; on a node that was down they begin anew when it comes back before;
//   * a Deployment or Job is its pods: one that is evicted, preempted or lost is replaced at once.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/cache.hpp"
#include "experiment/agenda.hpp"
#include "experiment/engine.hpp"
#include "queue/queue.hpp"

namespace coracle::sim {

class PlacementEngine final : public Engine {
 public:
  PlacementEngine(EngineInput input, Ledger* ledger);

  Status begin() override;
  Result<bool> run_until(Duration at, bool stop_at_decision) override;
  Duration now() const override { return agenda_.now(); }
  QueueSizes queue() const override;

 private:
  // A Pod, Deployment or Job of the plan while any pod of it is there.
  struct Owner {
    const Arrival* arrival = nullptr;
    json::value pod;  // what each of its pods is
    std::string app;  // of pods that are made: names begin with it; empty: a Pod itself
    bool deleted = false;
    std::int64_t to_make = 0;    // of a Job: completions still to come
    std::set<std::string> pods;  // keys
  };
  struct Live {
    std::shared_ptr<Owner> owner;
    std::uint64_t run = 0;  // counts its starts: which end is of this run
    bool overdue = false;   // its run ended while its node was silent
  };
  struct Node {
    scheduler::NodeFacts facts;
    std::string node_class;
    int silent = 0, cordoned = 0;  // how many faults make it so
    bool down = false;             // while silent: nothing on it runs
    bool lost = false;             // silent for so long that it was noticed
    std::uint64_t spell = 0;       // counts its silences and their ends
  };

  void plan_all();
  // The world (placement_world.cpp).
  void add_node(const TraceNode& node);
  void on_node_event(const TraceNodeEvent& event);
  void remove_node(const std::string& name);
  void begin_fault(const PlannedFault& fault);
  void end_fault(const PlannedFault& fault);
  void silence(const std::string& name, bool down);
  void unsilence(const std::string& name);
  void cordon(const std::string& name, int by);
  void show(Node& node);  // to cache and ledger
  void evict_all(const std::string& node, PodEnd end);
  void arrive(const Arrival& arrival);
  void make_pod(const std::shared_ptr<Owner>& owner);
  void delete_owner(const std::shared_ptr<Owner>& owner);
  void start(const std::string& key);
  void run_ended(const std::string& key, const std::string& node, std::uint64_t run);
  void pod_over(const std::string& key, PodEnd end);
  void changed(scheduler::Change change);

  // Decisions.
  const scheduler::Profile* profile_of(const scheduler::PodInfo& pod) const;
  void wake();
  void decide_next();
  void settle(const scheduler::PodPtr& pod, scheduler::Decision decision);
  void preempt(const scheduler::PodPtr& pod, const scheduler::Decision& decision);
  // Permit plugins may hold up a bind (placement_permits.cpp).
  void ask_permits(const scheduler::PodPtr& pod, const std::string& node);
  void look_again();
  void undo(const scheduler::PodPtr& pod, const std::string& node, const scheduler::Plugin* by);
  void bind(const scheduler::PodPtr& pod, const std::string& node);
  TimePoint queue_now() const { return TimePoint(std::chrono::hours(1) + agenda_.now()); }

  const EngineInput input_;
  Ledger& ledger_;
  Agenda agenda_;
  std::map<std::string, scheduler::Profile> profiles_;
  scheduler::Cache cache_;
  std::unique_ptr<scheduler::Queue> queue_;
  scheduler::Rotation rotation_;
  Rng names_;
  std::map<std::string, Node> nodes_;
  std::unordered_map<std::string, Live> live_;  // by pod key; never iterated
  struct Held {
    scheduler::PodPtr pod;
    std::string node;
    const scheduler::Plugin* by = nullptr;
    Duration until{0};
  };
  std::map<std::string, Held> held_;  // by pod key; assumed, not bound
  bool looking_ = false;
  bool decide_planned_ = false, decided_ = false;
  Duration timer_{-1};
  Status failure_;
  std::uint64_t uids_ = 0;
};

}  // namespace coracle::sim
