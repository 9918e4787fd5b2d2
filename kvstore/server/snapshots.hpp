// Snapshots between members: the whole replicated state as a stream of pairs, for a member whose
// next log entry the leader has cut away.
//
// Sender:   send() on the strand; a thread of its own walks a RocksDB snapshot and writes the
// stream. Receiver: SnapshotWriter fills DIR/state.incoming on gRPC's threads. When it is complete
// and on the
//           disk it becomes DIR/state.ready by one rename; adopt_ready_state() then puts it in the
//           place of DIR/state, also after a crash in the middle of that.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "disk/rocks_state_store.hpp"
#include "raft/messages.hpp"
#include "raft/peer.pb.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace coracle::store {

std::string state_folder(const std::string& data_dir);
// Finishes an installation that a crash interrupted; drops one that never became complete.
Status adopt_ready_state(const std::string& data_dir);

class SnapshotWriter {
 public:
  static Result<std::unique_ptr<SnapshotWriter>> create(const std::string& data_dir);

  // InvalidArgument for a piece that makes no sense.
  Status add(const SnapshotPiece& piece);
  bool complete() const { return complete_; }
  // Flushed, closed and renamed to state.ready.
  Status finish();

 private:
  explicit SnapshotWriter(std::string data_dir) : data_dir_(std::move(data_dir)) {}

  const std::string data_dir_;
  std::unique_ptr<disk::RocksStateStore> state_;
  std::uint64_t pairs_ = 0;
  bool complete_ = false;
};

class SnapshotSender {
 public:
  // `done(peer, ok)` is called on the sender's thread and must only post.
  using Done = std::function<void(NodeId, bool)>;

  SnapshotSender(std::uint64_t cluster, Done done) : cluster_(cluster), done_(std::move(done)) {}
  ~SnapshotSender() { cancel_all(); }

  // `state` as it is now is what `order.meta` names. A running one to the same peer is cancelled.
  void send(const raft::InstallSnapshot& order, std::shared_ptr<grpc::Channel> channel,
            const std::shared_ptr<disk::RocksStateStore>& state);
  // Returns when no thread reads a state any more.
  void cancel_all();

 private:
  struct Job {
    std::shared_ptr<grpc::ClientContext> context;
    std::thread thread;
  };
  void cancel(Job* job);

  const std::uint64_t cluster_;
  const Done done_;
  std::map<NodeId, Job> jobs_;
};

}  // namespace coracle::store
