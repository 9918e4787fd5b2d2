// Member: one member of the store: Raft core, log, state machine and watchers on one strand, and
// the driver that keeps the order between them which raft/ready.hpp asks for.
//
// Thread:    the strand for everything but loop(), options(), identity(), next_request() and
//            db_bytes().
// A turn:    everything that arrived is stepped; then for each Ready: send what promises nothing,
//            one write and one sync of the log, send the rest, apply, answer.
// Invariant: nothing is acknowledged that is not synced on a majority; the log is cut only behind
//            what RocksDB has flushed.
// Worlds:    it knows its own only through ports.hpp, so it runs as a daemon, in the process of an
//            apiserver and in the simulation alike.
// Errors:    open() says what is wrong with the data folder. A failing disk: Folder::give_up().
#pragma once

#include <atomic>

#include "member/config.hpp"
#include "member/hooks.hpp"
#include "member/inside.hpp"
#include "member/pending.hpp"
#include "member/ports.hpp"
#include "member/state_machine.hpp"
#include "mvcc/watch_hub.hpp"
#include "raft/core.hpp"

namespace coracle::store {

class Member final : private PeerEvents {
 public:
  using Answer = Proposals::Answer;

  static Result<std::unique_ptr<Member>> open(const MemberConfig& config, const MemberPorts& ports);
  ~Member() override;
  Strand& loop() { return loop_; }
  const MemberConfig& options() const { return options_; }
  const disk::Identity& identity() const { return identity_; }
  NodeId id() const { return NodeId(identity_.member); }
  std::uint64_t next_request() { return request_epoch_ | ++last_request_; }

  // ---- for whoever drives the strand ----
  void start();        // begins ticking
  void end_of_turn();  // after each batch of what had arrived, and of the timers due
  void finish();       // the strand has ended: answers who still waits, closes
  // Hands leadership over if it leads, then stops the strand.
  void stop_gracefully();

  // ---- for the services, on the strand ----
  // `data` is a serialised Proposal with this member's id and `request`.
  void propose(std::uint64_t request, std::string data, Answer answer);
  void propose(Proposal proposal, Answer answer);
  void propose_change(raft::MembershipChange change, Answer answer);
  // A proposal that makes the store larger by `bytes` has to ask first. Any thread.
  bool over_quota(std::uint64_t bytes) const;
  // What it does then instead: raises the alarm, and `done` gets the refusal.
  void refuse_growth(std::function<void(Status)> done);
  void read(ReadBarrier::Done done) { reads_->wait(loop_.now(), std::move(done)); }
  // When compaction has removed everything it marked.
  void when_compacted(std::function<void()> done) { compaction_waiters_.push_back(done); }
  Status move_leader(NodeId to);
  // Rewrites the state's files on a thread beside the strand.
  void defragment(std::function<void()> done);
  void fill_header(pb::ResponseHeader* header) const;
  raft::Core& core() { return *core_; }
  StateMachine& machine() { return *machine_; }
  mvcc::WatchHub& hub() { return *hub_; }
  disk::DurableState& state() { return *state_; }
  Folder& folder() { return folder_; }
  std::uint64_t db_bytes() const { return db_bytes_; }
  // Without a leader for three election time-outs.
  bool long_without_leader() const;
  // It sent something within the last election time-out. Only a leader hears from all.
  bool heard_from(NodeId peer) const;
  size_t pending_proposals() const { return proposals_->size(); }
  std::uint64_t failed_proposals() const { return proposals_->failures(); }
  MemberHooks hooks;
  Inside inside;
  Status teach(const Lesson& asked);
  // ---- for the peer service, on the strand ----
  void step(std::vector<raft::Message> messages);
  // Once a snapshot has been received whole.
  void install(const raft::InstallSnapshot& order, std::unique_ptr<StagedState> staged);

 private:
  static constexpr size_t kViewBytesMax = 8 << 20;  // of entries kept for members that lag

  Member(const MemberConfig& config, const MemberPorts& ports, Rng seeds);

  // member_open.cpp
  Status open_state();
  Status check_still_ours() const;
  void start_core(disk::LogImage image), fill_view(disk::LogImage image), reopen_machine();

  // member_turn.cpp
  void run_ready(raft::Ready ready);
  void persist(const raft::Ready& ready);
  void dispatch(std::vector<raft::Message> messages);
  void send_snapshot(const raft::InstallSnapshot& order);
  void apply(const std::vector<raft::Entry>& entries);
  void install_now(const raft::SnapshotMeta& meta);
  void publish_changes(AppliedMark mark);
  void background_work(), trim_view(), maybe_flush();

  // member.cpp
  void peer_unreachable(NodeId peer) override;
  void snapshot_sent(NodeId peer, bool ok) override;
  void removed_by_peers() override { leave(); }
  void tick(), restart_ticking(), leave();
  void watch_leadership(), hurry_first_election(), ask_if_still_member();
  void expire_leases(), publish_self(), promote_who_caught_up(), refresh_peers();

  const MemberConfig options_;
  Strand& loop_;
  Folder& folder_;
  Transport& transport_;
  const std::function<void()> stop_;
  const disk::Identity identity_;
  const std::uint64_t request_epoch_;  // random high half: numbers differ between lives
  std::atomic<std::uint32_t> last_request_{0};
  std::atomic<std::uint64_t> db_bytes_{0};  // refreshed by the strand

  // Owned by the strand.
  std::shared_ptr<disk::DurableState> state_;  // shared with work aside
  std::uint64_t state_epoch_ = 0;              // of state_: it is replaced by snapshots
  std::unique_ptr<StateMachine> machine_;
  std::unique_ptr<mvcc::WatchHub> hub_;
  std::unique_ptr<disk::LogStore> log_;
  raft::MemoryLog view_;
  Rng rng_;
  std::unique_ptr<raft::Core> core_;
  std::unique_ptr<Proposals> proposals_;
  std::unique_ptr<ReadBarrier> reads_;
  std::optional<raft::HardState> unwritten_;  // a commit hint that waits for the next write
  std::unique_ptr<StagedState> staged_;
  std::vector<std::function<void()>> compaction_waiters_;
  std::vector<std::function<void()>> defragment_waiters_;  // the first one's work is under way
  bool flushing_ = false;
  size_t view_bytes_ = 0;       // entries that came since the view was trimmed
  size_t unflushed_bytes_ = 0;  // log bytes since the last flush began
  std::uint64_t ticks_ = 0;
  Executor::TimerId tick_timer_ = 0;
  NodeId known_leader_;
  TimePoint leaderless_since_;
  bool was_leader_ = false;
  std::map<NodeId, TimePoint> heard_;  // of members only
  bool publishing_ = false;
  bool leaving_ = false;  // it was removed
  bool stopping_ = false;
};

}  // namespace coracle::store
