// World: members, network, clients and faults on one virtual clock, all from one seed.
// Equal seeds give equal runs, event by event. The first broken promise ends the run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "raft_sim/checker.hpp"
#include "raft_sim/clients.hpp"
#include "raft_sim/faults.hpp"
#include "raft_sim/member.hpp"
#include "raft_sim/profile.hpp"

namespace coracle::raft_sim {

struct Outcome {
  std::string failure;  // empty = all promises kept
  std::uint64_t events = 0;
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  std::size_t committed = 0;
};

class World {
 public:
  using TraceSink = std::function<void(const std::string&)>;

  // `sink` gets a line for whatever happens; without it no line is made.
  explicit World(std::uint64_t seed, TraceSink sink = nullptr);
  // Stops after event `until`, or at the end, or at the first failure.
  Outcome run(std::uint64_t until = UINT64_MAX);
  std::uint64_t events() const { return events_; }

  // For the parts of the world.
  Micros now() const { return now_; }
  Rng& rng() { return rng_; }
  const Profile& profile() const { return profile_; }
  RaftChecker& checker() { return checker_; }
  Clients& clients() { return clients_; }
  bool faulty() const { return now_ < kFaultsEnd; }
  bool tracing() const { return sink_ != nullptr; }
  void trace(const std::string& line);
  void at(Micros delay, std::function<void()> what);

  void send(const raft::Message& message);
  void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }

  std::vector<NodeId> ids() const;
  SimMember& member(NodeId id) { return *members_.at(id); }
  SimMember* random_running();
  std::optional<NodeId> a_leader() const;  // of the latest term among those that believe so
  NodeId add_member();                     // empty, running, known to nobody
  void on_new_leader(const SimMember& member) { faults_.on_new_leader(member.id()); }

 private:
  struct Event {
    Micros at;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& o) const { return std::tie(o.at, o.number) < std::tie(at, number); }
  };

  void deliver_later(const raft::Message& message, const std::optional<Machine>& snapshot);
  void send_snapshot(const raft::InstallSnapshot& order);
  bool is_lost(const raft::Header& header);
  void check_end();

  Rng rng_;
  Profile profile_;
  TraceSink sink_;
  RaftChecker checker_;
  Clients clients_;
  Faults faults_;
  std::priority_queue<Event> queue_;
  std::map<NodeId, std::unique_ptr<SimMember>> members_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  Micros now_ = 0;
  std::uint64_t scheduled_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace coracle::raft_sim
