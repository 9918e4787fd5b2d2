// Profile: what kind of world a seed makes, and how much of what happened in it. Drawn once, from
// the seed alone.
#pragma once

#include <map>
#include <string>

#include "base/rng.hpp"
#include "store_sim/schedule.hpp"

namespace coracle::store_sim {

struct Profile {
  int members = 3;
  int clients = 4;
  int watchers = 3;
  int keys = 6;
  // Network.
  Micros delay_max = 3000, spike_max = 300'000;
  double drop = 0, duplicate = 0, spike = 0;
  // Disk.
  Micros sync_max = 2000;
  // Clocks: parts per million each is off by at most.
  std::int64_t drift_ppm = 0;
  bool clock_jumps = false;
  Micros fault_gap_max = 400'000;
  double membership = 0;        // share of faults that change the membership
  Micros consume_max = 20'000;  // how long a watch client takes for a response
  // Members.
  std::int64_t snapshot_count = 100;
  std::size_t flush_bytes = 4096;
  std::size_t compact_keys = 2;
  std::size_t watch_bytes = 4096;
  std::uint64_t segment_bytes = 4096;
  // What came later is drawn apart, so that the worlds of older seeds stay what they were.
  bool state_faults = false;     // the state is damaged or cannot be read; disks stay full
  std::int64_t quota_bytes = 0;  // 0: the default, which no world reaches
  std::uint64_t burst_max = 0;   // proposals that come at once now and then
  bool reports_unreachable = false;

  static Profile draw(Rng& rng, std::uint64_t seed);
};

// Faults and other events, counted by name.
using Tally = std::map<std::string, std::uint64_t>;

inline constexpr Micros kFaultsEnd = 10'000'000;
inline constexpr Micros kClientsEnd = 14'000'000;  // a write must have succeeded since the faults
inline constexpr Micros kEnd = 21'000'000;         // and all must be equal, leases gone
inline constexpr Micros kHeartbeat = 50'000;
inline constexpr Micros kElection = 400'000;

}  // namespace coracle::store_sim
