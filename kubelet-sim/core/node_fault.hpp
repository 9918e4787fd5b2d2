// What is asked to go wrong with a node: annotations of its Node object, which the simulator reads,
// not the node: a node that is cut off could not be told that it is no longer. Pure.
//
//   lab.coracle.dev/cut-off   "now", or the time at which it ends (RFC 3339)
//   lab.coracle.dev/slow      a duration ("2s", at most kSlowMax), or "2s until TIME"
//   lab.coracle.dev/reboot    "now"; the simulator takes it away when it has done it
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::kubelet {

inline constexpr char kCutOffFault[] = "lab.coracle.dev/cut-off";
inline constexpr char kSlowFault[] = "lab.coracle.dev/slow";
inline constexpr char kRebootFault[] = "lab.coracle.dev/reboot";
inline constexpr Duration kSlowMax = std::chrono::minutes(10);

struct NodeFaults {
  bool cut_off = false, reboot = false;
  Duration delay{};                                 // 0: not slow
  std::optional<WallTime> cut_off_ends, slow_ends;  // none: when the annotation goes
  // Values that say nothing, and what they should: told as events, else ignored.
  std::vector<std::string> problems;
  std::vector<std::string> over;  // annotations whose time is over
  // The next time at which something ends by itself.
  std::optional<WallTime> next_end() const;
};

NodeFaults faults_asked(const json::object& annotations, WallTime now);

}  // namespace coracle::kubelet
