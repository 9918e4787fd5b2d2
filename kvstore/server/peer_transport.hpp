// PeerTransport: the member's end of the peer network: one outgoing stream for each other member,
// and the gRPC service on the peer port that takes theirs.
//
// Thread:    the strand; gRPC's threads only post.
// Bound:     kQueueMessagesMax messages and kQueueBytesMax bytes wait for a peer; what comes beyond
//            is dropped, as Raft allows. After a failure nothing is sent for kRetryAfter.
// Addresses: those of the state, then what the peer says of itself; one after the other is tried.
// Errors:    none to the caller: an unreachable peer is silence. A peer of another cluster is
//            refused and named in the log, once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "member/ports.hpp"
#include "server/snapshots.hpp"
#include "tls_files/tls_files.hpp"

namespace grpc {
class Channel;
class ChannelCredentials;
class Service;
}  // namespace grpc

namespace coracle::store {

class PeerTransport final : public Transport {
 public:
  static constexpr size_t kQueueMessagesMax = 4096;
  static constexpr size_t kQueueBytesMax = 64 << 20;
  static constexpr size_t kHeardMax = 64;
  static constexpr Duration kRetryAfter = std::chrono::milliseconds(50);

  // `tls` is for peers whose URL is https://; `own_urls` is what peers are told.
  PeerTransport(const disk::Identity& identity, const std::vector<std::string>& own_urls,
                const TlsFiles& tls, Strand& strand);
  ~PeerTransport() override;

  void start(PeerEvents& events) override { events_ = &events; }
  void set_peers(const std::map<NodeId, std::vector<std::string>>& peer_urls) override;
  void send(std::vector<raft::Message> messages) override;
  void send_snapshot(const raft::InstallSnapshot& order,
                     std::shared_ptr<mvcc::StateSnapshot> state) override;
  void cancel_snapshots() override { snapshots_.cancel_all(); }
  void stop() override;
  // What a peer says of itself, which may be newer than the state. It counts besides it.
  void heard(NodeId peer, const std::vector<std::string>& urls);
  // For the calls that are not Raft's; null for a stranger.
  std::shared_ptr<grpc::Channel> channel(NodeId peer) const;

 private:
  class Link;

  using OnLost = std::function<void(NodeId)>;  // called on gRPC's threads

  std::shared_ptr<grpc::ChannelCredentials> credentials_for(const std::string& url);

  void connect();

  const disk::Identity identity_;
  const std::vector<std::string> own_urls_;
  const TlsFiles tls_;
  std::shared_ptr<grpc::ChannelCredentials> secure_;  // made when needed, shared by all links
  Strand& strand_;
  const OnLost on_lost_;
  const std::function<void()> on_removed_;  // called on gRPC's threads
  PeerEvents* events_ = nullptr;
  SnapshotSender snapshots_;
  // Owned by the strand.
  std::map<NodeId, std::vector<std::string>> known_;  // by the state
  std::map<NodeId, std::vector<std::string>> heard_;  // from themselves; at most kHeardMax
  std::map<NodeId, std::shared_ptr<Link>> links_;
};

}  // namespace coracle::store
