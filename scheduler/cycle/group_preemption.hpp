// Preemption for a whole pod group: pods of a gang run together or not at all, so that nobody is
// made leave for one of them unless enough of the others find a node as well, where others may be
// made leave for them. Pure.
//
// Extenders and programs are not asked about the others. Bound: the waiting pods of the group.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cycle/cycle.hpp"

namespace coracle::scheduler {

// Where another pod of the group would go, and who would leave for it.
struct GroupMember {
  PodPtr pod;
  std::string node;
  std::vector<PodPtr> victims;
};

// `first` nominates its pod. The others that its group needs to have minCount, of `waiting`; none
// if it needs no others. Nothing: it cannot have so many, even so.
std::optional<std::vector<GroupMember>> plan_for_group(const Profile& profile,
                                                       const Decision& first,
                                                       std::vector<PodPtr> waiting,
                                                       const Snapshot& world, Rotation rotation);

}  // namespace coracle::scheduler
