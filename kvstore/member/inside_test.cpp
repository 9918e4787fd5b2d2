#include "member/inside.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"

namespace coracle::store {
namespace {

using namespace std::chrono_literals;

raft::Message heartbeat(std::uint64_t from, std::uint64_t to) {
  raft::HeartbeatReq message;
  message.from = NodeId(from);
  message.to = NodeId(to);
  message.term = Term(1);
  return message;
}

std::vector<std::uint64_t> senders(const std::vector<raft::Message>& messages) {
  std::vector<std::uint64_t> out;
  for (const auto& message : messages) out.push_back(raft::header_of(message).from.value);
  return out;
}

using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("A paused member holds what arrives, and gives it back in order") {
  Classroom room;
  CHECK(senders(room.arrive({heartbeat(2, 1)})) == Ids{2});
  CHECK(room.take_turn());
  room.pause();
  CHECK(room.arrive({heartbeat(2, 1), heartbeat(3, 1)}).empty());
  CHECK(room.arrive({heartbeat(4, 1)}).empty());
  CHECK_FALSE(room.take_turn());
  const auto first = room.next_message();
  REQUIRE(first.has_value());
  CHECK(raft::header_of(*first).from == NodeId(2));
  room.allow_turn();
  CHECK(room.take_turn());
  CHECK_FALSE(room.take_turn());
  CHECK(senders(room.resume()) == Ids{3, 4});
  CHECK(room.take_turn());
  CHECK_FALSE(room.next_message().has_value());
}

TEST_CASE("A cut loses messages both ways until it is healed") {
  Classroom room;
  room.cut(NodeId(2));
  CHECK(senders(room.arrive({heartbeat(2, 1), heartbeat(3, 1)})) == Ids{3});
  std::vector<raft::Message> leaving{heartbeat(1, 2), heartbeat(1, 3)};
  room.depart(&leaving);
  REQUIRE(leaving.size() == 1);
  CHECK(raft::header_of(leaving[0]).to == NodeId(3));
  CHECK(room.dropped() == 2);
  room.cut(NodeId(3));
  room.heal(NodeId(2));
  CHECK(room.cuts() == std::set<NodeId>{NodeId(3)});
  room.heal(NodeId(0));
  CHECK(senders(room.arrive({heartbeat(2, 1), heartbeat(3, 1)})) == Ids{2, 3});
}

TEST_CASE("A paused member holds no more than its bound") {
  Classroom room;
  room.pause();
  std::vector<raft::Message> many(Classroom::kHeldMax + 7, heartbeat(2, 1));
  (void)room.arrive(std::move(many));
  CHECK(room.held().size() == Classroom::kHeldMax);
  CHECK(room.dropped() == 7);
}

TEST_CASE("The core's time-out follows from the flags") {
  CHECK(election_ticks(100ms, 1000ms) == 12);
  CHECK(election_ticks(500ms, 5s) == 12);
  CHECK(election_ticks(100ms, 100ms) == 4);
  CHECK(check_timing(100ms, 1s).ok());
  CHECK(check_timing(0ms, 1s).message() == "the heartbeat must be at least 1ms");
  CHECK(check_timing(300ms, 1s).message() ==
        "the election time-out must be at least five heartbeats");
  CHECK(check_timing(1s, 11min).message() == "the election time-out must be at most 10m");
}

TEST_CASE("Sync times are counted in etcd's buckets") {
  SyncTimes times;
  for (const Duration took :
       {Duration(1ms), Duration(1ms) + Duration(1), Duration(8192ms), Duration(9s)}) {
    times.add(took);
  }
  std::array<std::uint64_t, SyncTimes::kBuckets + 1> want{};
  want[0] = want[1] = want[13] = want[14] = 1;
  CHECK(times.buckets == want);
  CHECK(times.count == 4);
  CHECK(times.longest == 9s);
  CHECK(times.last == 9s);
}

namespace {

// Three voters; the one under test is 1.
struct Voter {
  Voter() {
    raft::Config config;
    config.id = NodeId(1);
    config.election_ticks = 5;
    config.membership.voters = {NodeId(1), NodeId(2), NodeId(3)};
    core = std::make_unique<raft::Core>(config, log, rng);
  }
  // What a driver does with a Ready, on a disk that is quick.
  void turn() {
    observer.look(*core, world);
    while (core->has_ready()) {
      raft::Ready ready = core->take_ready();
      if (!ready.to_append.empty()) log.append(ready.to_append);
      observer.on_sent(ready.send_now, world);
      if (ready.must_sync) core->on_synced(ready.number);
      observer.on_sent(ready.send_after_sync, world);
      observer.look(*core, world);
    }
    observer.look(*core, world);
  }
  void answer(std::uint64_t from, Term term, bool pre, raft::VoteReason reason) {
    raft::VoteResp vote;
    vote.from = NodeId(from);
    vote.to = NodeId(1);
    vote.term = term;
    vote.pre = pre;
    vote.reason = reason;
    REQUIRE(core->step(vote).ok());
    turn();
  }
  std::vector<std::string> texts(const std::string& kind) const {
    std::vector<std::string> out;
    for (const RaftEvent& event : observer.events_after(0)) {
      if (event.kind == kind) out.push_back(event.text);
    }
    return out;
  }

  ManualExecutor world;
  raft::MemoryLog log;
  Rng rng{7};
  std::unique_ptr<raft::Core> core;
  Observer observer;
};

}  // namespace

TEST_CASE("An observer tells an election vote by vote") {
  Voter voter;
  voter.core->campaign();
  voter.turn();
  voter.answer(2, Term(0), true, raft::VoteReason::kHasLeader);
  voter.answer(3, Term(1), true, raft::VoteReason::kGranted);
  voter.answer(2, Term(1), false, raft::VoteReason::kGranted);
  CHECK(voter.texts("role") == std::vector<std::string>{"pre-candidate in term 0",
                                                        "candidate in term 1", "leader in term 1"});
  CHECK(voter.texts("election") ==
        std::vector<std::string>{"stands for the pre-vote of term 1, because it was asked to",
                                 "pre-vote for term 1: granted", "pre-vote for term 1: has leader",
                                 "stands for term 1, because it was asked to",
                                 "vote for term 1: granted", "vote for term 1: granted",
                                 "election of term 1 won: 2 of 2 answers granted"});
  REQUIRE(voter.observer.elections().size() == 2);
  CHECK(voter.observer.elections()[0].report.outcome == raft::ElectionOutcome::kWon);
  CHECK(voter.observer.elections()[1].report.votes ==
        std::map<NodeId, raft::VoteReason>{{NodeId(1), raft::VoteReason::kGranted},
                                           {NodeId(2), raft::VoteReason::kGranted}});
  CHECK(voter.observer.leader_changes == 1);
}

TEST_CASE("An observer tells which votes the member gives") {
  Voter voter;
  for (const std::uint64_t candidate : {2, 3}) {
    raft::VoteReq ask;
    ask.from = NodeId(candidate);
    ask.to = NodeId(1);
    ask.term = Term(4);
    REQUIRE(voter.core->step(ask).ok());
    voter.turn();
  }
  CHECK(voter.texts("vote") ==
        std::vector<std::string>{"gives its vote in term 4", "refuses its vote: already voted"});
}

TEST_CASE("Old events are forgotten, numbers go on") {
  Observer observer;
  for (size_t i = 0; i < Observer::kEventsMax + 3; ++i) {
    observer.note(WallTime(), "classroom", Term(1), NodeId(0), std::to_string(i));
  }
  const auto all = observer.events_after(0);
  CHECK(all.size() == Observer::kEventsMax);
  CHECK(all.front().number == 4);
  CHECK(observer.events_after(Observer::kEventsMax + 2).size() == 1);
  CHECK(observer.events_after(observer.last_event()).empty());
}

TEST_CASE("A core takes a new election time-out, longer or shorter") {
  const int ticks = GENERATE(3, 50);
  Voter voter;
  voter.core->set_election_ticks(ticks);
  int waited = 0;
  while (voter.core->role() == raft::Role::kFollower && waited < 1000) {
    voter.core->tick();
    ++waited;
  }
  CHECK(waited >= ticks);
  CHECK(waited < 2 * ticks);
}

}  // namespace coracle::store
