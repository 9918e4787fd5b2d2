// One line for a message, for traces.
#pragma once

#include <string>

#include "raft/messages.hpp"

namespace coracle::raft_sim {

std::string describe(const raft::Message& message);

}  // namespace coracle::raft_sim
