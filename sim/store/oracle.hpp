// Oracle: what really happened: the committed entries, applied one by one to a state machine that
// never crashes, restarts or receives a snapshot. Members are compared with it at every applied
// index; watchers, leases and clients with what it knows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "member/config.hpp"
#include "member/state_machine.hpp"
#include "mvcc/memory_state_store.hpp"
#include "mvcc/mvcc_checker.hpp"
#include "raft/log_view.hpp"

namespace coracle::store_sim {

// An event of a revision, with what was there before.
struct TrueEvent {
  mvcc::Event event;
  std::optional<mvcc::KeyValue> before;
};

class Oracle {
 public:
  // Of an entry that was proposed for a request.
  struct Effect {
    Index index;
    Revision revision;
    bool ok = false;
    bool changed = false;  // it made that revision
  };
  // What every member must be when it has applied that entry.
  struct Point {
    Term term;
    std::int64_t revision = 1, compacted = -1;
    std::size_t live_keys = 0, leases = 0;
  };
  using Request = std::pair<std::uint64_t, std::uint64_t>;  // member, number

  explicit Oracle(const store::MemberConfig& founder);

  // Takes the entries up to `commit` that are new. What is wrong, or "".
  std::string feed(const raft::MemoryLog& log, Index commit);

  Index applied() const { return Index(points_.size() - 1); }
  const Point& point(Index index) const { return points_[index.value]; }
  // Events of a revision; REQUIRES 1 < revision <= revision().
  const std::vector<TrueEvent>& events(std::int64_t revision) const {
    return changes_[static_cast<std::size_t>(revision - 2)];
  }
  std::int64_t revision() const { return points_.back().revision; }
  std::int64_t compacted() const { return points_.back().compacted; }
  const Effect* effect(const Request& request) const {
    const auto found = effects_.find(request);
    return found == effects_.end() ? nullptr : &found->second;
  }
  store::StateMachine& machine() { return *machine_; }
  const raft::Membership& membership() const { return machine_->membership(); }

 private:
  std::string apply(const raft::Entry& entry);
  // D6, by an account of its own.
  std::string check_space(const store::Proposal& proposal, const Status& outcome);
  void take(const std::vector<mvcc::Change>& changes);

  mvcc::MemoryStateStore state_;
  std::unique_ptr<store::StateMachine> machine_;
  mvcc::MvccChecker checker_;
  std::vector<Point> points_;                     // by index
  std::vector<std::vector<TrueEvent>> changes_;   // by revision - 2
  std::map<std::string, mvcc::KeyValue> latest_;  // what is alive
  std::map<Request, Effect> effects_;
  std::set<std::uint64_t> full_;  // members whose NOSPACE is raised
};

}  // namespace coracle::store_sim
