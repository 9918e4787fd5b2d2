// Snapshots between members: the whole replicated state as a stream of pairs, for a member whose
// next log entry the leader has cut away.
//
// Sender:   send() on the strand; a thread of its own walks a snapshot of the state and writes the
//           stream.
// Receiver: SnapshotReceiver fills a StagedState on gRPC's threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "member/ports.hpp"
#include "raft/messages.hpp"
#include "raft/peer.pb.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace coracle::store {

class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(std::unique_ptr<StagedState> state) : state_(std::move(state)) {}

  // InvalidArgument for a piece that makes no sense.
  Status add(const SnapshotPiece& piece);
  bool complete() const { return complete_; }
  // REQUIRES complete().
  std::unique_ptr<StagedState> take() { return std::move(state_); }

 private:
  std::unique_ptr<StagedState> state_;
  std::uint64_t pairs_ = 0;
  bool complete_ = false;
};

class SnapshotSender {
 public:
  // `done(peer, ok)` is called on the sender's thread and must only post.
  using Done = std::function<void(NodeId, bool)>;

  SnapshotSender(std::uint64_t cluster, Done done) : cluster_(cluster), done_(std::move(done)) {}
  ~SnapshotSender() { cancel_all(); }

  // `state` is what `order.meta` names. A running one to the same peer is cancelled.
  void send(const raft::InstallSnapshot& order, std::shared_ptr<grpc::Channel> channel,
            std::shared_ptr<mvcc::StateSnapshot> state);
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
