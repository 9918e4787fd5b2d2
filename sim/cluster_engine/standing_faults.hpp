// StandingFaults: which faults stand at which machine at one time, and what they come to together:
// of two that overlap the machine is mended with the later one. Pure; one owner.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.hpp"

namespace coracle::sim {

class StandingFaults {
 public:
  // What of a machine a fault is about.
  enum class Aspect : std::uint8_t { kPower, kLink, kCordon, kPause, kNetwork, kClock, kDisk };
  static Aspect aspect_of(std::string_view kind);

  // `fault` is told apart by its address and outlives its standing. The same one may stand twice.
  void begin(const std::string& machine, const FaultSpec* fault);
  void end(const std::string& machine, const FaultSpec* fault);

  bool any(const std::string& machine, Aspect aspect) const;
  // The last that began and stands; null: none.
  const FaultSpec* last(const std::string& machine, Aspect aspect) const;
  // How far off the machine's time of day is: all of them together.
  Duration clock_shift(const std::string& machine) const;

 private:
  std::map<std::string, std::vector<const FaultSpec*>, std::less<>> standing_;
};

}  // namespace coracle::sim
