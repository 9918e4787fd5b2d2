// What members put into the log and apply. However entries are spread over turns, and whether a
// member was started anew in between, the same entries make the same state; none may end a member.
#include "base/check.hpp"
#include "input.hpp"
#include "member/state_machine.hpp"
#include "mvcc/check.hpp"
#include "mvcc/memory_state_store.hpp"

namespace {

using namespace coracle;
using namespace coracle::store;

constexpr std::size_t kEntriesMax = 24;

struct Machine {
  Machine() {
    pb::Member one;
    one.set_id(1);
    StateMachine::bootstrap(state, {{NodeId(1)}, {}}, {one}, "token");
    reopen();
  }
  void reopen() {
    machine.reset();
    auto opened = StateMachine::open(state, lease::LessorConfig{});
    CHECK_MSG(opened.ok(), opened.status().to_string());
    machine = std::move(opened).value();
  }
  void apply(const Proposal& proposal) {
    const Revision before = machine->store().revision();
    const Outcome outcome = machine->apply(proposal, TimePoint());
    const std::int64_t step = machine->store().revision().value - before.value;
    CHECK(step == 0 || (step == 1 && outcome.status.ok()));
  }
  void end_turn(std::size_t index) { (void)machine->end_turn({Index(index), Term(1)}); }

  mvcc::MemoryStateStore state;
  std::unique_ptr<StateMachine> machine;
};

// What the services let through to the log.
bool is_proposed(const Proposal& proposal) {
  switch (proposal.op_case()) {
    case Proposal::kPut:
      return mvcc::check_put(from_wire(proposal.put())).ok();
    case Proposal::kDeleteRange:
      return mvcc::check_delete(from_wire(proposal.delete_range())).ok();
    case Proposal::kTxn:
      return mvcc::check_txn(from_wire(proposal.txn())).ok();
    case Proposal::kLeaseGrant:
      return proposal.lease_grant().id() != 0;
    case Proposal::OP_NOT_SET:
      return false;
    default:
      return true;
  }
}

std::vector<Proposal> proposals_of(fuzz::Input& input) {
  std::vector<Proposal> all;
  while (!input.empty() && all.size() < kEntriesMax) {
    const std::string_view bytes = input.counted();
    Proposal proposal;
    if (proposal.ParseFromArray(bytes.data(), int(bytes.size())) && is_proposed(proposal)) {
      all.push_back(std::move(proposal));
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t restart_every = input.byte() % 4 + 1;
  const std::vector<Proposal> proposals = proposals_of(input);
  Machine one_each, all_at_once, restarted;
  for (std::size_t n = 0; n < proposals.size(); ++n) {
    one_each.apply(proposals[n]);
    one_each.end_turn(n + 1);
    all_at_once.apply(proposals[n]);
    restarted.apply(proposals[n]);
    restarted.end_turn(n + 1);
    if (n % restart_every == 0) restarted.reopen();
  }
  all_at_once.end_turn(proposals.size());
  one_each.end_turn(proposals.size());
  restarted.end_turn(proposals.size());
  CHECK(one_each.state == all_at_once.state);
  CHECK(one_each.state == restarted.state);
  return 0;
}
