// World: members, machines, network, clients, watchers, an operator and faults on one virtual
// clock, all from one seed. Equal seeds give equal runs, event by event. The first broken promise
// ends the run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "raft_sim/checker.hpp"
#include "store_sim/bounds.hpp"
#include "store_sim/clients.hpp"
#include "store_sim/faults.hpp"
#include "store_sim/lease_check.hpp"
#include "store_sim/member.hpp"
#include "store_sim/operator.hpp"
#include "store_sim/oracle.hpp"
#include "store_sim/watchers.hpp"

namespace coracle::store_sim {

struct Outcome {
  std::string failure;  // empty = all promises kept
  std::uint64_t events = 0;
  Micros virtual_time = 0;
  Tally tally;
};

class World {
 public:
  using TraceSink = std::function<void(const std::string&)>;

  // `sink` gets a line for whatever happens; without it no line is made.
  explicit World(std::uint64_t seed, TraceSink sink = nullptr);
  ~World();
  // Stops after event `until`, or at the end, or at the first failure.
  Outcome run(std::uint64_t until = UINT64_MAX);
  std::uint64_t events() const { return schedule_.events(); }
  linearize::History history() { return clients_.history(oracle_); }

  // For the parts of the world.
  Schedule& schedule() { return schedule_; }
  Micros now() const { return schedule_.now(); }
  void at(Micros delay, std::function<void()> what) { schedule_.at(delay, std::move(what)); }
  Rng& rng() { return rng_; }
  const Profile& profile() const { return profile_; }
  bool faulty() const { return now() < kFaultsEnd; }
  void count(const std::string& what) { ++tally_[what]; }
  Tally& tally() { return tally_; }
  bool tracing() const { return sink_ != nullptr; }
  void trace(const std::string& line);
  void fail(std::string what) { checker_.fail(std::move(what)); }
  bool failed() const { return !checker_.failure().empty(); }

  raft_sim::RaftChecker& checker() { return checker_; }
  Oracle& oracle() { return oracle_; }
  SimNetwork& network() { return network_; }
  Clients& clients() { return clients_; }
  LeaseCheck& leases() { return leases_; }
  Bounds& bounds() { return bounds_; }
  const std::vector<std::unique_ptr<SimMember>>& members() const { return members_; }
  SimMember* find(NodeId id);
  SimMember* random_running();  // after the faults, of those that belong to the cluster
  SimMember* leader();          // of the latest term among those that believe so
  // Empty, running, known to nobody yet.
  SimMember& add_member();

  // Told by members.
  void on_start(SimMember& member);
  void on_end(SimMember& member);
  void after_turn(SimMember& member);
  void on_applied(SimMember& member, Index index);
  void on_new_leader(SimMember& member) { faults_.on_new_leader(member); }
  void on_append(const std::vector<raft::Entry>& entries);
  void arm_disk(SimMember& member) { faults_.arm_disk(member); }
  void change_membership() { operator_.change_membership(); }
  // What a log holds when it is opened, against what must be there (disk_check.cpp).
  struct InFlight {
    std::vector<raft::Entry> entries;
    std::optional<raft::HardState> hard_state;
    std::optional<raft::SnapshotMeta> reset;
  };
  void check_log(SimMember& member, const disk::LogImage& image, const InFlight& in_flight,
                 raft_sim::DurableImage& durable);

 private:
  static store::MemberConfig founder(const Profile& profile);
  store::MemberConfig config_of(int number, bool joins);
  SimClock draw_clock();
  void check_end();
  void check_equal(SimMember& member);
  void check_state(SimMember& member);

  Rng rng_;
  Profile profile_;
  TraceSink sink_;
  Schedule schedule_;
  Tally tally_;
  raft_sim::RaftChecker checker_;
  Oracle oracle_;
  SimNetwork network_;
  LeaseCheck leases_;
  Bounds bounds_;
  Clients clients_;
  Watchers watchers_;
  Operator operator_;
  Faults faults_;
  std::vector<std::unique_ptr<SimMember>> members_;
  std::map<NodeId, SimMember*> by_id_;
};

}  // namespace coracle::store_sim
