// Stats: what a simulated world has done so far. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace coracle::cluster_sim {

struct Stats {
  std::uint64_t events = 0;                     // pieces of work run
  std::uint64_t messages = 0;                   // between machines
  std::uint64_t decisions = 0;                  // of schedulers
  std::uint64_t binds = 0;                      // pods that got a node
  std::map<std::string, std::uint64_t> faults;  // by kind
};

}  // namespace coracle::cluster_sim
