// NoPeers: the transport of a member that is alone.
#pragma once

#include "member/ports.hpp"

namespace coracle::store {

class NoPeers : public Transport {
 public:
  void start(PeerEvents&) override {}
  void set_peers(const std::map<NodeId, std::vector<std::string>>&) override {}
  void send(std::vector<raft::Message>) override {}
  void send_snapshot(const raft::InstallSnapshot&, std::shared_ptr<mvcc::StateSnapshot>) override {}
  void cancel_snapshots() override {}
  void stop() override {}
};

}  // namespace coracle::store
