// What alarms refuse, entry by entry; every member decides so from its own state.
#include <catch2/catch.hpp>

#include "member/founding.hpp"
#include "mvcc/memory_state_store.hpp"

namespace coracle::store {
namespace {

struct World {
  World() {
    found_cluster(state, MemberConfig{});
    auto opened = StateMachine::open(state, lease::LessorConfig{});
    REQUIRE(opened.ok());
    machine = std::move(opened).value();
    Proposal put;
    put.mutable_put()->set_key("a");
    REQUIRE(apply(put).ok());
    Proposal grant;
    grant.mutable_lease_grant()->set_id(7);
    grant.mutable_lease_grant()->set_ttl(60);
    REQUIRE(apply(grant).ok());
  }

  Status apply(const Proposal& proposal) {
    const Status status = machine->apply(proposal, TimePoint()).status;
    (void)machine->end_turn({machine->applied().index.next(), Term(1)});
    return status;
  }

  Status alarm(pb::AlarmRequest::AlarmAction action, pb::AlarmType type) {
    Proposal proposal;
    proposal.mutable_alarm()->set_action(action);
    proposal.mutable_alarm()->set_memberid(5);
    proposal.mutable_alarm()->set_alarm(type);
    return apply(proposal);
  }

  mvcc::MemoryStateStore state;
  std::unique_ptr<StateMachine> machine;
};

// One of each kind of entry that a client can ask for.
std::map<std::string, Proposal> one_of_each() {
  std::map<std::string, Proposal> all;
  all["put"].mutable_put()->set_key("b");
  all["delete"].mutable_delete_range()->set_key("a");
  all["compact"].mutable_compaction()->set_revision(1);
  all["grant"].mutable_lease_grant()->set_id(8);
  all["grant"].mutable_lease_grant()->set_ttl(60);
  all["revoke"].mutable_lease_revoke()->set_id(7);
  auto* put = all["txn with a put"].mutable_txn()->add_success();
  put->mutable_request_put()->set_key("c");
  auto* erase = all["txn with a delete"].mutable_txn()->add_success();
  erase->mutable_request_delete_range()->set_key("c");
  return all;
}

std::map<std::string, std::string> answers(const pb::AlarmType* raised) {
  std::map<std::string, std::string> out;
  for (const auto& [name, proposal] : one_of_each()) {
    World world;
    if (raised != nullptr) REQUIRE(world.alarm(pb::AlarmRequest::ACTIVATE, *raised).ok());
    out[name] = world.apply(proposal).message();
  }
  return out;
}

}  // namespace

TEST_CASE("Without an alarm all entries are applied") {
  for (const auto& [name, answer] : answers(nullptr)) {
    CAPTURE(name);
    CHECK(answer.empty());
  }
}

TEST_CASE("NOSPACE refuses what grows, and nothing else") {
  const pb::AlarmType raised = pb::NOSPACE;
  const std::string full = "etcdserver: mvcc: database space exceeded";
  CHECK(answers(&raised) == std::map<std::string, std::string>{{"put", full},
                                                               {"delete", ""},
                                                               {"compact", ""},
                                                               {"grant", full},
                                                               {"revoke", ""},
                                                               {"txn with a put", full},
                                                               {"txn with a delete", ""}});
}

TEST_CASE("CORRUPT refuses every entry of a client") {
  const pb::AlarmType raised = pb::CORRUPT;
  for (const auto& [name, answer] : answers(&raised)) {
    CAPTURE(name);
    CHECK(answer == "etcdserver: corrupt cluster");
  }
}

TEST_CASE("Alarms are kept, and end by being disarmed") {
  World world;
  REQUIRE(world.alarm(pb::AlarmRequest::ACTIVATE, pb::NOSPACE).ok());
  REQUIRE(world.alarm(pb::AlarmRequest::ACTIVATE, pb::CORRUPT).ok());
  auto again = StateMachine::open(world.state, lease::LessorConfig{});
  REQUIRE(again.ok());
  CHECK((*again)->alarms() == std::set<StateMachine::Alarm>{{pb::NOSPACE, 5}, {pb::CORRUPT, 5}});
  world.machine = std::move(*again);
  REQUIRE(world.alarm(pb::AlarmRequest::DEACTIVATE, pb::CORRUPT).ok());
  REQUIRE(world.alarm(pb::AlarmRequest::DEACTIVATE, pb::NOSPACE).ok());
  CHECK(world.machine->alarms().empty());
  CHECK(world.apply(one_of_each()["put"]).ok());
}

}  // namespace coracle::store
