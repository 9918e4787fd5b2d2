// Machine: the tiny state machine of the simulation, a revision counter and a few registers.
// Every put takes the next revision. A value; copying it is taking a snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "raft/types.hpp"

namespace coracle::raft_sim {

struct Put {
  std::uint64_t id = 0;  // unique in a run: also the value written
  std::uint64_t key = 0;
};

std::string encode(const Put& put);
std::optional<Put> decode_put(const std::string& data);

struct Machine {
  Index applied;
  Term applied_term;
  raft::Membership membership;
  Revision revision{1};
  std::map<std::uint64_t, std::uint64_t> registers;

  // Takes the entry after `applied`. The put's revision, if it was one.
  std::optional<Revision> apply(const raft::Entry& entry);
  friend bool operator==(const Machine&, const Machine&) = default;
};

}  // namespace coracle::raft_sim
