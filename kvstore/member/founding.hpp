// Founding: what the state of a member holds before the first entry of the log is applied.
#pragma once

#include "member/config.hpp"
#include "member/state_machine.hpp"

namespace coracle::store {

// Writes the members of a new cluster into `state`, as of `mark`. A member that joins a cluster
// that runs knows of nobody yet who may vote.
void found_cluster(mvcc::StateStore& state, const MemberConfig& config, AppliedMark mark = {});

}  // namespace coracle::store
