// SimMember: one member of the simulated cluster: a machine (disk, clock), and on it, while it
// runs, the very member of the product, with every way it can end.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "member/member.hpp"
#include "raft_sim/disk.hpp"
#include "store_sim/network.hpp"
#include "store_sim/state.hpp"
#include "store_sim/strand.hpp"

namespace coracle::store_sim {

class World;

class SimMember {
 public:
  SimMember(World& world, store::MemberConfig config, SimClock clock);
  ~SimMember();

  NodeId id() const { return id_; }
  const std::string& name() const { return config_.name; }
  const store::MemberConfig& config() const { return config_; }
  bool running() const { return member_ != nullptr; }
  bool damaged() const { return damaged_; }  // refused to start: replace it
  bool retired() const { return retired_; }
  std::uint64_t life() const { return life_; }
  store::Member& member() { return *member_; }
  SimDisk& disk() { return disk_; }
  SimStrand& strand() { return *strand_; }
  SimClock& clock() { return clock_; }
  std::int64_t jumps() const { return jumps_; }
  // What is durable, as the log said Ok to it.
  const raft_sim::DurableImage& durable() const { return durable_; }

  void start();
  void kill(bool power);
  void stop_gracefully();
  void pause(Micros span);
  void jump_clock(Micros by);
  void flip_bit() { bit_flipped_ = disk_.flip_bit() || bit_flipped_; }
  void flip_bit_of_state();
  // Reads all of the state, as a check of its files does.
  void scrub();
  bool state_damaged() const { return image_.damaged.has_value(); }
  // For good: it is no member any more.
  void retire();
  // Runs what reads its state from outside of a turn. False if it ended for that.
  bool survives(const std::function<void()>& work);
  // Runs on the strand, some time later, if this life lasts.
  void post(std::function<void()> work) {
    if (strand_) strand_->post(std::move(work));
  }

  void receive(const raft::Message& message);
  bool receive_snapshot(const raft::InstallSnapshot& order, const mvcc::StateSnapshot& state);
  void on_send(const raft::Message& message);
  std::string describe();

 private:
  class WatchedLog;

  void turn(const SimStrand::Work& work);
  void guarded(const std::function<void()>& work);
  void end(bool power, const std::string& why);
  std::unique_ptr<disk::LogStore> watch_log(std::unique_ptr<disk::LogStore> log,
                                            const disk::LogImage& image);
  void after_turn();
  SimFolder::Hooks folder_hooks();

  World& world_;
  const store::MemberConfig config_;
  const NodeId id_;
  SimClock clock_;
  SimDisk disk_;
  StateImage image_;
  raft_sim::DurableImage durable_;
  std::vector<raft::Entry> in_flight_;  // appended, neither confirmed nor refused yet
  std::optional<raft::HardState> in_flight_hard_;
  std::optional<raft::SnapshotMeta> resetting_;
  bool bit_flipped_ = false, damaged_ = false, retired_ = false;
  std::uint64_t life_ = 0;
  std::int64_t jumps_ = 0;
  raft::Role last_role_ = raft::Role::kFollower;
  bool receiving_ = false;
  bool stopping_ = false;

  // While running; in the order they are made.
  std::unique_ptr<SimStrand> strand_;
  std::unique_ptr<SimFolder> folder_;
  std::unique_ptr<SimTransport> transport_;
  std::unique_ptr<store::Member> member_;
};

}  // namespace coracle::store_sim
