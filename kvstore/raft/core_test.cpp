// One core, fed by hand: what it may say, and when.
#include "raft/core.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::raft;

namespace {

const NodeId kMe{1}, kB{2}, kC{3};

struct Fixture {
  MemoryLog log;
  Rng rng{1};
  Config config;
  std::optional<Core> core;

  explicit Fixture(std::set<NodeId> voters, std::vector<Entry> entries = {}, Term term = {}) {
    config.id = kMe;
    config.membership.voters = std::move(voters);
    config.hard_state = HardState(term, NodeId{}, Index{});
    log.append(entries);
    core.emplace(config, log, rng);
  }
  Ready take() {
    Ready ready = core->take_ready();
    log.append(ready.to_append);
    core->check_invariants();
    return ready;
  }
  // Everything durable and applied; what left, in order.
  std::vector<Message> settle() {
    std::vector<Message> sent;
    while (core->has_ready()) {
      const Ready r = take();
      sent.insert(sent.end(), r.send_now.begin(), r.send_now.end());
      core->on_synced(r.number);
      sent.insert(sent.end(), r.send_after_sync.begin(), r.send_after_sync.end());
      if (!r.to_apply.empty()) core->on_applied(r.to_apply.back().index);
    }
    return sent;
  }
  template <class M>
  M from(NodeId peer, Term term) const {
    M m;
    m.from = peer, m.to = kMe, m.term = term;
    return m;
  }
  void win() {
    core->campaign();
    settle();
    auto pre = from<VoteResp>(kB, core->term().next());
    pre.pre = true;
    REQUIRE(core->step(pre).ok());
    settle();
    REQUIRE(core->step(from<VoteResp>(kB, core->term())).ok());
    REQUIRE((core->role() == Role::kLeader));
  }
  void acknowledge(NodeId peer, std::uint64_t index) {
    auto ack = from<AppendResp>(peer, core->term());
    ack.accepted = true;
    ack.index = Index{index};
    REQUIRE(core->step(ack).ok());
  }
};

Entry entry(std::uint64_t index, std::uint64_t term) {
  return {Term{term}, Index{index}, EntryKind::kNormal, "x"};
}

}  // namespace

TEST_CASE("core: a sole voter leads once its own vote is durable") {
  Fixture f({kMe});
  const Ready ready = f.take();
  REQUIRE((f.core->role() == Role::kCandidate));
  REQUIRE(ready.must_sync);
  f.core->on_synced(ready.number);
  REQUIRE((f.core->role() == Role::kLeader));
  f.settle();
  REQUIRE((f.core->commit() == Index{1}));
}

TEST_CASE("core: a vote leaves only after the sync") {
  Fixture f({kMe, kB, kC});
  REQUIRE(f.core->step(f.from<VoteReq>(kB, Term{1})).ok());
  const Ready ready = f.take();
  REQUIRE(ready.send_now.empty());
  REQUIRE(ready.must_sync);
  REQUIRE((ready.hard_state == HardState(Term{1}, kB, Index{})));
  REQUIRE(ready.send_after_sync.size() == 1);
  REQUIRE((std::get<VoteResp>(ready.send_after_sync[0]).reason == VoteReason::kGranted));
}

TEST_CASE("core: the election restriction (paper 5.4.1)") {
  struct Case {
    const char* name;
    std::uint64_t last_index, last_term;
    VoteReason expected;
  };
  const auto test = GENERATE(values<Case>({
      {"the same log", 2, 2, VoteReason::kGranted},
      {"longer", 3, 2, VoteReason::kGranted},
      {"shorter, of a later term", 1, 3, VoteReason::kGranted},
      {"shorter", 1, 2, VoteReason::kLogBehind},
      {"longer, of an earlier term", 9, 1, VoteReason::kLogBehind},
  }));
  CAPTURE(test.name);
  Fixture f({kMe, kB, kC}, {entry(1, 1), entry(2, 2)}, Term{2});
  auto request = f.from<VoteReq>(kB, Term{4});
  request.last_index = Index{test.last_index};
  request.last_term = Term{test.last_term};
  REQUIRE(f.core->step(request).ok());
  const auto sent = f.settle();
  REQUIRE(sent.size() == 1);
  REQUIRE((std::get<VoteResp>(sent[0]).reason == test.expected));
}

TEST_CASE("core: an older term's entry is not committed by counting (paper figure 8)") {
  Fixture f({kMe, kB, kC}, {entry(1, 1), entry(2, 2)}, Term{3});
  f.win();
  f.settle();
  f.acknowledge(kB, 2);  // entry 2 is on a majority now
  REQUIRE((f.core->commit() == Index{0}));
  f.acknowledge(kB, 3);  // the leader's own
  REQUIRE((f.core->commit() == Index{3}));
}

TEST_CASE("core: the leader counts itself only when it is durable") {
  Fixture f({kMe, kB, kC});
  f.win();
  const Ready ready = f.take();
  f.acknowledge(kB, 1);
  REQUIRE((f.core->commit() == Index{0}));
  f.core->on_synced(ready.number);
  REQUIRE((f.core->commit() == Index{1}));
}

TEST_CASE("core: a read waits for a round of heartbeats") {
  Fixture f({kMe, kB, kC});
  f.win();
  f.settle();
  f.acknowledge(kB, 1);
  f.settle();
  REQUIRE(f.core->read_index(77).ok());
  const Ready asked = f.take();
  REQUIRE(asked.reads.empty());
  auto alive = f.from<HeartbeatResp>(kB, f.core->term());
  alive.round = std::get<HeartbeatReq>(asked.send_now.front()).round;
  REQUIRE(f.core->step(alive).ok());
  REQUIRE((f.take().reads == std::vector<ReadGrant>{{77, Refusal::kNone, Index{1}}}));
}

TEST_CASE("core: malformed messages change nothing") {
  Fixture f({kMe, kB, kC});
  auto gap = f.from<AppendReq>(kB, Term{5});
  gap.entries = {entry(2, 5)};
  REQUIRE(f.core->step(gap).code() == Code::kInvalidArgument);
  auto foreign = f.from<VoteReq>(kB, Term{5});
  foreign.to = kC;
  REQUIRE(f.core->step(foreign).code() == Code::kInvalidArgument);
  REQUIRE((f.core->term() == Term{0}));
}
