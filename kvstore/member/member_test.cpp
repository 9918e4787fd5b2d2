#include "member/member.hpp"

#include <catch2/catch.hpp>

#include "disk/temp_dir.hpp"
#include "member/data_folder.hpp"
#include "member/event_loop.hpp"
#include "member/no_peers.hpp"

namespace coracle::store {
namespace {

// Peers that never answer; the test tells what the transport would.
class SilentPeers final : public NoPeers {
 public:
  void start(PeerEvents& events) override { this->events = &events; }
  PeerEvents* events = nullptr;
};

MemberConfig one_of_three(const std::string& data_dir) {
  MemberConfig config;
  config.name = "a";
  config.data_dir = data_dir;
  config.advertise_peer = {"http://a"};
  config.initial_cluster = {{"a", {"http://a"}}, {"b", {"http://b"}}, {"c", {"http://c"}}};
  return config;
}

raft::Message heartbeat(NodeId from, NodeId to) {
  raft::HeartbeatReq message;
  message.from = from;
  message.to = to;
  message.term = Term(1);
  return message;
}

}  // namespace

TEST_CASE("Who cannot be reached is not heard any more, until it is") {
  const disk::TempDir dir;
  const MemberConfig config = one_of_three(dir.path);
  EventLoop loop;
  DataFolder folder(config.data_dir, loop);
  SilentPeers peers;
  auto opened = Member::open(config, {loop, folder, peers, 1, [] {}});
  REQUIRE(opened.ok());
  Member& member = **opened;
  member.start();
  const NodeId b(member_id(config.initial_cluster.at("b"), config.cluster_token));
  const NodeId c(member_id(config.initial_cluster.at("c"), config.cluster_token));
  CHECK(member.heard_from(member.id()));
  CHECK_FALSE(member.heard_from(b));
  member.step({heartbeat(b, member.id()), heartbeat(c, member.id())});
  CHECK(member.heard_from(b));
  peers.events->peer_unreachable(b);
  CHECK_FALSE(member.heard_from(b));
  CHECK(member.heard_from(c));
  member.step({heartbeat(b, member.id())});
  CHECK(member.heard_from(b));
}

}  // namespace coracle::store
