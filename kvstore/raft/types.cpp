#include "raft/types.hpp"

#include "base/check.hpp"

namespace coracle::raft {

void HardState::advance(Term term, NodeId vote) {
  CHECK_MSG(term >= term_, "term " << term_ << " -> " << term);
  CHECK_MSG(term > term_ || vote_ == NodeId{} || vote == vote_,
            "second vote in term " << term << ": " << vote_ << " then " << vote);
  if (term == term_ && vote == vote_) return;
  term_ = term;
  vote_ = vote;
  vote_changed_ = true;
}

void HardState::commit_to(Index commit) {
  CHECK_MSG(commit >= commit_, "commit " << commit_ << " -> " << commit);
  if (commit == commit_) return;
  commit_ = commit;
  commit_changed_ = true;
}

}  // namespace coracle::raft
