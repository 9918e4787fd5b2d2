// ChangeDesk: the leader's desk for membership changes: one after the other, each checked by
// change_rules.hpp against what the changes before led to.
//
// A new voter enters as a learner of Raft, with the record of a voter, and is promoted by the
// leader when it has caught up (Member::promote_who_caught_up): until it is started nothing waits
// for it.
//
// Thread: the strand. Bound: by the callers; each waits until the request time-out at most.
#pragma once

#include <functional>

#include "member/change_rules.hpp"
#include "member/member.hpp"

namespace coracle::store {

class ChangeDesk {
 public:
  // The member it was about.
  using Done = std::function<void(Result<NodeId>)>;

  explicit ChangeDesk(Member& member) : member_(member) {}

  // err_not_leader() elsewhere than at the leader. Answered when the change is applied here.
  void submit(MemberChange change, Done done);

 private:
  void attempt(MemberChange change, TimePoint deadline, Done done);
  Status check(const MemberChange& change);
  raft::MembershipChange to_raft(const MemberChange& change) const;

  Member& member_;
  bool busy_ = false;
};

}  // namespace coracle::store
