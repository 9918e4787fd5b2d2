#include "member/pending.hpp"

#include <catch2/catch.hpp>

namespace coracle::store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kEpoch = 5ull << 32;
const TimePoint kStart{};

// A core with a log, and what its callers were told.
struct World {
  explicit World(std::set<NodeId> voters) {
    raft::Config config;
    config.id = NodeId(1);
    config.membership.voters = std::move(voters);
    core.emplace(config, view, rng);
    proposals.emplace(*core, 7s);
    reads.emplace(*core, 7s, kEpoch);
  }
  // One Ready without its entries being applied.
  void sync() {
    while (core->has_ready()) {
      const raft::Ready ready = core->take_ready();
      if (!ready.to_append.empty()) view.append(ready.to_append);
      if (ready.must_sync) core->on_synced(ready.number);
      for (const raft::Entry& entry : ready.to_apply) committed.push_back(entry);
      if (!ready.to_apply.empty()) core->on_applied(ready.to_apply.back().index);
      for (const raft::ReadGrant& grant : ready.reads) reads->on_grant(grant);
      for (const auto& outcome : ready.proposals) proposals->on_outcome(outcome);
      for (const raft::Message& message : ready.send_now) take(message);
    }
  }
  void take(const raft::Message& message) {
    if (const auto* forwarded = std::get_if<raft::ProposeReq>(&message)) {
      attempts.push_back(forwarded->attempt);
    }
    if (const auto* read = std::get_if<raft::ReadIndexReq>(&message)) {
      contexts.push_back(read->context);
    }
  }
  // Member 2 leads, says a heartbeat.
  void follow() {
    raft::HeartbeatReq beat;
    beat.from = NodeId(2);
    beat.to = NodeId(1);
    beat.term = Term(5);
    REQUIRE(core->step(beat).ok());
  }
  void refuse(std::uint64_t request, std::uint64_t attempt) {
    raft::ProposeResp reply;
    reply.from = NodeId(2);
    reply.to = NodeId(1);
    reply.term = Term(5);
    reply.request = request;
    reply.refusal = raft::Refusal::kTransferring;
    reply.attempt = attempt;
    REQUIRE(core->step(reply).ok());
    sync();
    proposals->tick(kStart);
    sync();
  }
  Proposals::Answer note() {
    return [this](Outcome outcome) { told.push_back(outcome.status.to_string()); };
  }

  raft::MemoryLog view;
  Rng rng{1};
  std::optional<raft::Core> core;
  std::optional<Proposals> proposals;
  std::optional<ReadBarrier> reads;
  std::vector<raft::Entry> committed;
  std::vector<std::string> told;
  std::vector<std::uint64_t> attempts, contexts;  // of what went to the leader
};

}  // namespace

TEST_CASE("without a leader a proposal waits, then times out") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  w.proposals->submit(1, "a", kStart, w.note());
  w.proposals->tick(kStart + 6s);
  CHECK(w.told.empty());
  w.proposals->tick(kStart + 7s);
  CHECK(w.told == std::vector<std::string>{"Unavailable: etcdserver: request timed out"});
  CHECK(w.proposals->size() == 0);
}

TEST_CASE("without a leader a read waits, then times out") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  std::vector<std::string> told;
  w.reads->wait(kStart, [&](const Status& s) { told.push_back(s.to_string()); });
  w.reads->start_round();
  w.reads->tick(kStart + 6s);
  CHECK(told.empty());
  w.reads->tick(kStart + 7s);
  CHECK(told == std::vector<std::string>{"Unavailable: etcdserver: request timed out"});
}

TEST_CASE("a sole leader takes proposals and confirms reads") {
  World w({NodeId(1)});
  w.sync();
  REQUIRE(w.core->role() == raft::Role::kLeader);
  w.proposals->submit(1, "a", kStart, w.note());
  int fresh = 0;
  w.reads->wait(kStart, [&](const Status& s) { fresh += s.ok() ? 1 : 100; });
  w.reads->start_round();
  w.sync();
  REQUIRE(!w.committed.empty());
  CHECK(w.committed.back().data == "a");
  CHECK(fresh == 1);

  SECTION("its entry is answered when it is applied, once") {
    w.proposals->on_entry(w.committed.back());
    CHECK(w.told.empty());
    w.proposals->answer(1, Outcome{});
    w.proposals->answer(1, Outcome{});
    w.proposals->tick(kStart + 8s);
    CHECK(w.told == std::vector<std::string>{"Ok"});
  }
  SECTION("another term's entry in its place means it is lost") {
    raft::Entry other = w.committed.back();
    other.term = other.term.next();
    w.proposals->on_entry(other);
    CHECK(w.told == std::vector<std::string>{"Unavailable: etcdserver: leader changed"});
  }
}

TEST_CASE("what a silent leader may have taken ends when another begins") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  w.follow();
  w.proposals->submit(1, "a", kStart, w.note());
  w.sync();
  w.proposals->on_outcome({1, raft::Refusal::kNoAnswer, {}, {}});
  w.proposals->on_entry({Term(5), Index(3), raft::EntryKind::kNoop, ""});
  CHECK(w.told.empty());  // the same leader's own beginning says nothing
  w.proposals->on_entry({Term(6), Index(4), raft::EntryKind::kNoop, ""});
  CHECK(w.told == std::vector<std::string>{
                      "Unavailable: etcdserver: request timed out, possibly due to previous leader "
                      "failure"});
}

// An answer may come twice. Were the second one taken for that to the next attempt, a third would
// be sent while the second may still get into the log.
TEST_CASE("a proposal is sent again only after its last attempt was refused") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  w.follow();
  w.proposals->submit(1, "a", kStart, w.note());
  w.sync();
  CHECK(w.attempts == std::vector<std::uint64_t>{1});
  w.refuse(1, 1);
  CHECK(w.attempts == std::vector<std::uint64_t>{1, 2});
  w.refuse(1, 1);
  CHECK(w.attempts == std::vector<std::uint64_t>{1, 2});
  w.refuse(1, 2);
  CHECK(w.attempts == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("the reads of one life are numbered apart from those of another") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  w.follow();
  w.reads->wait(kStart, [](const Status&) {});
  w.reads->start_round();
  w.sync();
  CHECK(w.contexts == std::vector<std::uint64_t>{kEpoch + 1});
}

TEST_CASE("no more than a bound wait") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  std::vector<std::string> reads;
  for (std::size_t i = 0; i <= Proposals::kPendingMax; ++i) {
    w.proposals->submit(i, "a", kStart, w.note());
    w.reads->wait(kStart, [&](const Status& s) { reads.push_back(s.to_string()); });
  }
  const std::vector<std::string> refused{"ResourceExhausted: etcdserver: too many requests"};
  CHECK(w.told == refused);
  CHECK(reads == refused);
  CHECK(w.proposals->size() == Proposals::kPendingMax);
  // Who was told has left.
  w.proposals->tick(kStart + 7s);
  w.reads->tick(kStart + 7s);
  CHECK(reads.size() == 1 + ReadBarrier::kPendingMax);
  w.reads->wait(kStart + 7s, [&](const Status& s) { reads.push_back(s.to_string()); });
  CHECK(reads.size() == 1 + ReadBarrier::kPendingMax);
}

TEST_CASE("stopping answers everybody") {
  World w({NodeId(1), NodeId(2), NodeId(3)});
  w.proposals->submit(1, "a", kStart, w.note());
  w.proposals->submit(2, "b", kStart, w.note());
  w.proposals->fail_all({Code::kUnavailable, "etcdserver: server stopped"});
  CHECK(w.told.size() == 2);
}

}  // namespace coracle::store
