#include "member/peer_codec.hpp"

#include <catch2/catch.hpp>

namespace coracle::store {
namespace {

template <class M>
M from_two_to_three(M message) {
  message.from = NodeId(2);
  message.to = NodeId(3);
  message.term = Term(9);
  return message;
}

std::vector<raft::Message> one_of_each() {
  raft::VoteReq vote{{}, true, true, Index(5), Term(4)};
  raft::VoteResp vote_resp{{}, true, raft::VoteReason::kLogBehind};
  raft::AppendReq append{{}, Index(4), Term(3), Index(2), {}};
  append.entries = {{Term(4), Index(5), raft::EntryKind::kNoop, ""},
                    {Term(4), Index(6), raft::EntryKind::kNormal, std::string("a\0b", 3)}};
  raft::AppendResp append_resp{{}, true, Index(6), Index(5), Term(4)};
  raft::HeartbeatReq beat{{}, Index(6), 77};
  raft::HeartbeatResp beat_resp{{}, 77};
  raft::ProposeReq propose{{}, 1ull << 60, raft::EntryKind::kConfig, "data", 3};
  raft::ProposeResp propose_resp{{}, 8, raft::Refusal::kTransferring, Index(7), Term(9), 3};
  raft::ReadIndexReq read{{}, 12};
  raft::ReadIndexResp read_resp{{}, 12, raft::Refusal::kNoAnswer, Index(7)};
  return {from_two_to_three(vote),
          from_two_to_three(vote_resp),
          from_two_to_three(append),
          from_two_to_three(append_resp),
          from_two_to_three(beat),
          from_two_to_three(beat_resp),
          from_two_to_three(propose),
          from_two_to_three(propose_resp),
          from_two_to_three(read),
          from_two_to_three(read_resp),
          from_two_to_three(raft::TimeoutNow{})};
}

}  // namespace

TEST_CASE("every message survives the wire") {
  for (const raft::Message& message : one_of_each()) {
    CAPTURE(message.index());
    Message wire, parsed;
    encode(message, &wire);
    REQUIRE(parsed.ParseFromString(wire.SerializeAsString()));
    const auto back = decode(parsed);
    REQUIRE(back.ok());
    CHECK(*back == message);
  }
}

TEST_CASE("what no member sends is refused") {
  Message wire;
  SECTION("nothing") {}
  SECTION("a vote reason of the future") { wire.mutable_vote_resp()->set_reason(99); }
  SECTION("a refusal of the future") { wire.mutable_read_index_resp()->set_refusal(99); }
  SECTION("entries with a gap") {
    wire.mutable_append_req()->set_prev_index(4);
    wire.mutable_append_req()->add_entries()->set_index(6);
  }
  SECTION("an entry of an unknown kind") {
    wire.mutable_append_req()->add_entries()->set_index(1);
    wire.mutable_append_req()->mutable_entries(0)->set_kind(9);
  }
  CHECK(decode(wire).status().code() == Code::kInvalidArgument);
}

TEST_CASE("a snapshot's header survives the wire") {
  raft::InstallSnapshot order = from_two_to_three(raft::InstallSnapshot{});
  order.meta = {Index(10), Term(8), {{NodeId(1), NodeId(2)}, {NodeId(3)}}};
  SnapshotHeader header;
  encode(order, 5, &header);
  CHECK(header.cluster() == 5);
  CHECK(decode(header) == order);
}

}  // namespace coracle::store
