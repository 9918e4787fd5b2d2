#include "store_sim/oracle.hpp"

#include "member/errors.hpp"
#include "member/founding.hpp"
#include "raft/membership.hpp"

namespace coracle::store_sim {

Oracle::Oracle(const store::MemberConfig& founder) {
  store::found_cluster(state_, founder);
  machine_ = store::StateMachine::open(state_, {}).value();
  points_.push_back({});
}

std::string Oracle::feed(const raft::MemoryLog& log, Index commit) {
  while (applied() < commit) {
    const Index next = applied().next();
    // A member that got a snapshot has less; somebody with more will come.
    if (next < log.first() || next > log.last()) return {};
    if (std::string broken = apply(log.at(next)); !broken.empty()) return broken;
  }
  return {};
}

std::string Oracle::apply(const raft::Entry& entry) {
  store::Proposal proposal;
  const std::int64_t before = machine_->store().revision().value;
  if (entry.kind == raft::EntryKind::kConfig) {
    machine_->apply_change(raft::decode_config_entry(entry.data).value());
  } else if (entry.kind == raft::EntryKind::kNormal) {
    if (!proposal.ParseFromString(entry.data)) return "an entry that cannot be read";
    const store::Outcome outcome = machine_->apply(proposal, TimePoint{});
    const Effect effect{entry.index, outcome.revision, outcome.status.ok(),
                        outcome.revision.value != before};
    if (!effects_.emplace(Request{proposal.member(), proposal.request()}, effect).second) {
      return "K7: a request is in the log twice";
    }
    if (std::string broken = check_space(proposal, outcome.status); !broken.empty()) return broken;
  }
  const std::vector<mvcc::Change> changes = machine_->end_turn({entry.index, entry.term});
  take(changes);
  std::string broken = checker_.step(machine_->store(), changes);
  if (!broken.empty()) return "K2/K5: " + broken;
  const mvcc::Store& store = machine_->store();
  points_.push_back({entry.term, store.revision().value, store.compacted().value, store.live_keys(),
                     machine_->lessor().size()});
  while (store.compaction_pending()) {
    machine_->compact_step(1000);
    take(machine_->end_turn({entry.index, entry.term}));
  }
  return {};
}

std::string Oracle::check_space(const store::Proposal& proposal, const Status& outcome) {
  using store::pb::AlarmRequest;
  if (proposal.has_alarm()) {
    if (proposal.alarm().alarm() != store::pb::NOSPACE) return {};
    const std::uint64_t member = proposal.alarm().memberid();
    if (proposal.alarm().action() == AlarmRequest::ACTIVATE) full_.insert(member);
    if (proposal.alarm().action() == AlarmRequest::DEACTIVATE) full_.erase(member);
    return {};
  }
  // A transaction with a put may be refused or not, for nobody knows here which branch counts.
  const bool must = proposal.has_put() || proposal.has_lease_grant();
  const bool refused = outcome == store::err_no_space();
  if (must && !full_.empty() && outcome.ok()) return "D6: the store grows under NOSPACE";
  if (refused && full_.empty()) return "D6: refused for want of space without an alarm";
  if (refused && (proposal.has_delete_range() || proposal.has_compaction())) {
    return "D6: what makes space is refused";
  }
  return {};
}

void Oracle::take(const std::vector<mvcc::Change>& changes) {
  for (const mvcc::Change& change : changes) {
    std::vector<TrueEvent>& events = changes_.emplace_back();
    for (const auto& event : change.events) {
      const auto alive = latest_.find(event->kv.key);
      events.push_back({*event, alive == latest_.end()
                                    ? std::nullopt
                                    : std::optional<mvcc::KeyValue>(alive->second)});
      if (event->type == mvcc::Event::Type::kDelete) {
        if (alive != latest_.end()) latest_.erase(alive);
      } else {
        latest_[event->kv.key] = event->kv;
      }
    }
  }
}

}  // namespace coracle::store_sim
