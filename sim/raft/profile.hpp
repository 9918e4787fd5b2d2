// Profile: what kind of world a seed makes. Drawn once, from the seed alone.
#pragma once

#include <cstdint>

#include "base/rng.hpp"
#include "raft/config.hpp"

namespace coracle::raft_sim {

using Micros = std::int64_t;  // virtual time

struct Profile {
  int members = 3;
  int clients = 3;
  // Network.
  Micros delay_min = 100, delay_max = 3000, spike_max = 150'000;
  double drop = 0, duplicate = 0, spike = 0;
  // Disk.
  Micros sync_min = 100, sync_max = 2000;
  // Faults.
  Micros fault_gap_max = 400'000;  // between two of them
  double kill_new_leader = 0;      // soon after it won
  double membership = 0;           // share of faults that are membership changes
  // Cores.
  raft::Config core;

  static Profile draw(Rng& rng);
};

inline constexpr Micros kTick = 10'000;
inline constexpr Micros kFaultsEnd = 6'000'000;
inline constexpr Micros kClientsEnd = 8'000'000;  // a write must have succeeded since the faults
inline constexpr Micros kEnd = 9'000'000;         // and all members must have become equal

}  // namespace coracle::raft_sim
