// Member: one member of the store: Raft core, log, state machine and watchers on one strand, and
// the driver that keeps the order between them which raft/ready.hpp asks for.
//
// Thread:    the strand (EventLoop) for everything but loop(), options(), identity(),
// next_request()
//            and db_bytes().
// A turn:    everything that arrived is stepped; then for each Ready: send what promises nothing,
// one
//            write and one sync of the log, send the rest, apply, answer.
// Invariant: nothing is acknowledged that is not synced on a majority; the log is cut only behind
//            what RocksDB has flushed.
// Errors:    open() says what is wrong with the data folder. A failing disk ends the process.
#pragma once

#include <atomic>
#include <future>

#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "mvcc/watch_hub.hpp"
#include "raft/core.hpp"
#include "server/event_loop.hpp"
#include "server/member_hooks.hpp"
#include "server/options.hpp"
#include "server/peer_transport.hpp"
#include "server/pending.hpp"
#include "server/snapshots.hpp"
#include "server/state_machine.hpp"

namespace coracle::store {

class Member {
 public:
  using Answer = Proposals::Answer;

  static Result<std::unique_ptr<Member>> open(const Options& options, EventLoop& loop);
  ~Member();
  EventLoop& loop() { return loop_; }
  const Options& options() const { return options_; }
  const disk::Identity& identity() const { return identity_; }
  NodeId id() const { return NodeId(identity_.member); }
  std::uint64_t next_request() { return request_epoch_ | ++last_request_; }

  // Begins ticking; then the loop runs until stop() (or stop_gracefully) ends it.
  void run();
  // Hands leadership over if it leads, then ends the loop.
  void stop_gracefully();

  // ---- for the services, on the strand ----
  // `data` is a serialised Proposal with this member's id and `request`.
  void propose(std::uint64_t request, std::string data, Answer answer);
  void propose(Proposal proposal, Answer answer);
  void propose_change(raft::MembershipChange change, Answer answer);
  void read(ReadBarrier::Done done) { reads_->wait(loop_.now(), std::move(done)); }
  // When compaction has removed everything it marked.
  void when_compacted(std::function<void()> done) {
    compaction_waiters_.push_back(std::move(done));
  }
  Status move_leader(NodeId to);
  // Rewrites the state's files on a thread beside the strand.
  void defragment(std::function<void()> done);
  void fill_header(pb::ResponseHeader* header) const;
  raft::Core& core() { return *core_; }
  StateMachine& machine() { return *machine_; }
  mvcc::WatchHub& hub() { return *hub_; }
  PeerTransport& transport() { return *transport_; }
  disk::RocksStateStore& state() { return *state_; }
  std::uint64_t db_bytes() const { return db_bytes_; }
  // Without a leader for three election time-outs.
  bool long_without_leader() const;
  MemberHooks hooks;
  // ---- for the peer service, on the strand ----
  void step(std::vector<raft::Message> messages);
  // A snapshot has been received into a folder of its own and verified.
  void install(const raft::InstallSnapshot& order, std::unique_ptr<SnapshotWriter> staged);

 private:
  static constexpr size_t kViewBytesMax = 8 << 20;  // of entries kept for members that lag
  // Finer ticks than heartbeats: fewer elections in which two stand at once.
  static constexpr int kTicksPerHeartbeat = 2;

  Member(const Options& options, EventLoop& loop);

  // member_open.cpp
  Status lock_data_dir();
  Status open_state();
  Status open_log(disk::LogImage* image);
  void start_core(disk::LogImage image);
  void fill_view(disk::LogImage image);
  void reopen_machine();

  // member_turn.cpp
  void end_of_turn();
  void run_ready(raft::Ready ready);
  void persist(const raft::Ready& ready);
  void dispatch(std::vector<raft::Message> messages);
  void send_snapshot(const raft::InstallSnapshot& order);
  void apply(const std::vector<raft::Entry>& entries);
  void install_now(const raft::SnapshotMeta& meta);
  void publish_changes(AppliedMark mark);
  void background_work();
  void trim_view();
  void maybe_flush();

  // member.cpp
  void tick();
  void watch_leadership();
  void hurry_first_election();
  void expire_leases();
  void publish_self();
  void refresh_peers();

  const Options options_;
  EventLoop& loop_;
  const disk::Identity identity_;
  const std::uint64_t request_epoch_;  // random high half: numbers differ between lives
  std::atomic<std::uint32_t> last_request_{0};
  disk::File lock_;
  std::atomic<std::uint64_t> db_bytes_{0};  // refreshed by the strand

  // Owned by the strand.
  std::shared_ptr<disk::RocksStateStore> state_;  // shared with snapshots under way
  std::unique_ptr<StateMachine> machine_;
  std::unique_ptr<mvcc::WatchHub> hub_;
  std::unique_ptr<disk::FileLog> log_;
  raft::MemoryLog view_;
  Rng rng_;
  std::unique_ptr<raft::Core> core_;
  std::unique_ptr<Proposals> proposals_;
  std::unique_ptr<ReadBarrier> reads_;
  std::unique_ptr<PeerTransport> transport_;
  std::unique_ptr<SnapshotSender> snapshots_;
  std::optional<raft::HardState> unwritten_;  // a commit hint that waits for the next write
  std::unique_ptr<SnapshotWriter> staged_;
  std::vector<std::function<void()>> compaction_waiters_;
  std::future<Status> flushing_;
  std::future<void> defragmenting_;
  Index flushing_to_;
  size_t view_bytes_ = 0;       // entries that came since the view was trimmed
  size_t unflushed_bytes_ = 0;  // log bytes since the last flush began
  std::uint64_t ticks_ = 0;
  NodeId known_leader_;
  TimePoint leaderless_since_;
  bool was_leader_ = false;
  bool publishing_ = false;
  bool stopping_ = false;
};

}  // namespace coracle::store
