#include "cluster_engine/standing_faults.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::sim {

StandingFaults::Aspect StandingFaults::aspect_of(std::string_view kind) {
  if (kind == "node-silent" || kind == "store-cut") return Aspect::kLink;
  if (kind == "node-cordon") return Aspect::kCordon;
  if (kind == "node-pause") return Aspect::kPause;
  if (kind == "network-slow") return Aspect::kNetwork;
  if (kind == "clock-shift") return Aspect::kClock;
  if (kind == "store-disk") return Aspect::kDisk;
  CHECK(kind == "node-down" || kind.ends_with("-kill"));
  return Aspect::kPower;
}

void StandingFaults::begin(const std::string& machine, const FaultSpec* fault) {
  standing_[machine].push_back(fault);
}

void StandingFaults::end(const std::string& machine, const FaultSpec* fault) {
  std::vector<const FaultSpec*>& there = standing_[machine];
  const auto found = std::find(there.begin(), there.end(), fault);
  if (found != there.end()) there.erase(found);
}

const FaultSpec* StandingFaults::last(const std::string& machine, Aspect aspect) const {
  const auto there = standing_.find(machine);
  if (there == standing_.end()) return nullptr;
  for (auto fault = there->second.rbegin(); fault != there->second.rend(); ++fault) {
    if (aspect_of((*fault)->kind) == aspect) return *fault;
  }
  return nullptr;
}

bool StandingFaults::any(const std::string& machine, Aspect aspect) const {
  return last(machine, aspect) != nullptr;
}

Duration StandingFaults::clock_shift(const std::string& machine) const {
  Duration sum{0};
  const auto there = standing_.find(machine);
  if (there == standing_.end()) return sum;
  for (const FaultSpec* fault : there->second) {
    if (aspect_of(fault->kind) == Aspect::kClock) sum += fault->by;
  }
  return sum;
}

}  // namespace coracle::sim
