// What a member needs of its world. Live: a thread (EventLoop), a folder (DataFolder, RocksDB), the
// peer network (server/). In the process of an apiserver: the same without peers (no_peers.hpp).
// Simulated: virtual time, memory disks and a network of one seed (sim/store).
//
// Thread: the member's strand, but for what says otherwise.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/ids.hpp"
#include "base/status.hpp"
#include "disk/durable_state.hpp"
#include "disk/log_store.hpp"
#include "disk/segment_format.hpp"
#include "raft/messages.hpp"

namespace coracle::store {

// The strand: an Executor that can say no.
class Strand : public Executor {
 public:
  // Any thread. False, and `work` will not run, when too much waits already or after the end.
  virtual bool try_post(std::function<void()> work) = 0;
  // Any thread. False after the end only.
  virtual bool post_unless_stopped(std::function<void()> work) = 0;
};

// A state that comes from another member, not in its place yet. Without finish() it is given up.
// Any one thread.
class StagedState {
 public:
  virtual ~StagedState() = default;
  virtual void write(const mvcc::WriteBatch& batch) = 0;
  // It is complete: makes it safe.
  virtual Status finish() = 0;
};

// Where a member keeps what must survive it.
class Folder {
 public:
  virtual ~Folder() = default;
  // Before all else: takes the folder for this member alone, ends what a crash interrupted.
  virtual Status claim() = 0;
  virtual Result<std::unique_ptr<disk::LogStore>> open_log(const disk::Identity& identity,
                                                           disk::LogImage* image) = 0;
  virtual Result<std::shared_ptr<disk::DurableState>> open_state() = 0;
  // Any thread, one at a time.
  virtual Result<std::unique_ptr<StagedState>> stage() = 0;
  // The finished staged state takes the place of the old one, which nobody has open any more. A
  // crash leaves the old or the new one.
  virtual Status replace_state() = 0;

  // Runs `work` beside the strand, then `done` on it. Few at a time.
  virtual void aside(std::function<Status()> work, std::function<void(Status)> done) = 0;
  // Returns when no work runs aside; their `done` may still come.
  virtual void wait_for_asides() = 0;

  // The disk failed: to go on would be to lie about durability. The member ends here.
  [[noreturn]] virtual void give_up(const Status& status) = 0;
};

// Told by the transport, on the strand.
class PeerEvents {
 public:
  virtual ~PeerEvents() = default;
  virtual void peer_unreachable(NodeId peer) = 0;
  virtual void snapshot_sent(NodeId peer, bool ok) = 0;
  // A peer says that this member is none any more.
  virtual void removed_by_peers() = 0;
};

// The way to the other members. Messages may be lost, never changed; none is promised an order.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void start(PeerEvents& events) = 0;
  // Who there is, and at which peer URLs. Others are forgotten.
  virtual void set_peers(const std::map<NodeId, std::vector<std::string>>& peer_urls) = 0;
  // Consumes them. InstallSnapshot is not one of them.
  virtual void send(std::vector<raft::Message> messages) = 0;
  // A running one to the same peer is given up. Ends with snapshot_sent(), unless given up.
  virtual void send_snapshot(const raft::InstallSnapshot& order,
                             std::shared_ptr<mvcc::StateSnapshot> state) = 0;
  // Returns when no snapshot is being read any more.
  virtual void cancel_snapshots() = 0;
  virtual void stop() = 0;
};

// The member's world; all of it outlives the member.
struct MemberPorts {
  Strand& strand;
  Folder& folder;
  Transport& transport;
  std::uint64_t seed = 0;      // of election time-outs and request numbers
  std::function<void()> stop;  // the member wants the strand to end
};

}  // namespace coracle::store
