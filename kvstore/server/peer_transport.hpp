// PeerTransport: the member's end of the peer network: one outgoing stream for each other member,
// and the gRPC service on the peer port that takes theirs.
//
// Thread:    set_peers, send and stop on the strand; `deliver` and the other handlers run on gRPC's
//            threads and must only post.
// Bound:     kQueueMessagesMax messages and kQueueBytesMax bytes wait for a peer; what comes beyond
// is
//            dropped, as Raft allows. After a failure nothing is sent for kRetryAfter.
// Errors:    none to the caller: an unreachable peer is silence. A peer of another cluster is
// refused
//            and named in the log, once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "raft/messages.hpp"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace coracle::store {

class PeerTransport {
 public:
  static constexpr size_t kQueueMessagesMax = 4096;
  static constexpr size_t kQueueBytesMax = 64 << 20;
  static constexpr Duration kRetryAfter = std::chrono::milliseconds(50);

  // `on_lost(peer)` is called on gRPC's threads when a stream ended, and must only post.
  using OnLost = std::function<void(NodeId)>;

  PeerTransport(std::uint64_t cluster, NodeId self, OnLost on_lost);
  ~PeerTransport();

  // Who there is, and where: "host:port". Others are forgotten.
  void set_peers(const std::map<NodeId, std::string>& targets);
  // Messages to one or several members, in order. Consumes them. InstallSnapshot is not one of
  // them.
  void send(std::vector<raft::Message> messages);
  // For the calls that are not Raft's; null for a stranger.
  std::shared_ptr<grpc::Channel> channel(NodeId peer) const;
  void stop();

 private:
  class Link;

  const std::uint64_t cluster_;
  const NodeId self_;
  const OnLost on_lost_;
  std::map<NodeId, std::shared_ptr<Link>> links_;  // owned by the strand
};

}  // namespace coracle::store
