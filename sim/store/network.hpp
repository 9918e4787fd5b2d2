// SimNetwork: messages and snapshots between members: lost, late, repeated, reordered, cut off in
// one direction or both. SimTransport is one member's end of it, for one life.
#pragma once

#include <memory>
#include <set>

#include "base/rng.hpp"
#include "member/ports.hpp"
#include "store_sim/profile.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class SimNetwork {
 public:
  explicit SimNetwork(World& world) : world_(world) {}

  void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }
  bool is_cut(NodeId from, NodeId to) const { return cuts_.contains({from, to}); }
  // From a member to another, a client or back.
  Micros delay();
  bool loses(NodeId from, NodeId to);
  bool repeats();

 private:
  World& world_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
};

class SimTransport final : public store::Transport {
 public:
  SimTransport(World& world, SimMember& self) : world_(world), self_(self) {}

  void start(store::PeerEvents& events) override { events_ = &events; }
  void set_peers(const std::map<NodeId, std::vector<std::string>>& peer_urls) override;
  void send(std::vector<raft::Message> messages) override;
  void send_snapshot(const raft::InstallSnapshot& order,
                     std::shared_ptr<mvcc::StateSnapshot> state) override;
  void cancel_snapshots() override { jobs_.clear(); }
  void stop() override { cancel_snapshots(); }
  // Who wrote to us can be answered, also before the log says where it is. (Without that a member
  // that was away while another joined cannot answer that one as its leader.)
  void learn(NodeId peer) { heard_.insert(peer); }

 private:
  struct Job {
    raft::InstallSnapshot order;
    std::shared_ptr<mvcc::StateSnapshot> state;
  };
  void maybe_unreachable(NodeId to);
  void arrive(NodeId to, std::uint64_t number);
  void report(NodeId to, std::uint64_t number, bool ok);

  World& world_;
  SimMember& self_;
  store::PeerEvents* events_ = nullptr;
  std::set<NodeId> peers_, heard_;
  std::map<NodeId, std::pair<std::uint64_t, Job>> jobs_;  // by receiver: number and job
  std::uint64_t last_job_ = 0;
};

}  // namespace coracle::store_sim
