// The single changes that would make a pod fit, smallest first. Every one was tried: the filters
// said yes to the changed pod, or in the changed world. Pure.
//
// Size: how much is changed, by kind, from docs/scheduler.md (What if). Bounds: kNodesTried nodes
// of each predicate, kPodsTried pods of a node; kChangesMax answers.
#pragma once

#include <string>
#include <vector>

#include "cache/cache.hpp"
#include "framework/profile.hpp"

namespace coracle::scheduler {

inline constexpr size_t kNodesTried = 50, kPodsTried = 110, kChangesMax = 10;

struct SingleChange {
  std::string kind;  // "LowerRequest", "AddToleration", ...
  double size = 0;
  std::string text;  // a sentence: "lower the pod's cpu request from 8 to 3500m"
  std::string node;  // where it fits then
};

// `object`: the whole pod `pod` was made of. `world` is the same again afterwards.
std::vector<SingleChange> single_changes(const Profile& profile, const json::value& object,
                                         const PodInfo& pod, Cache& world);

}  // namespace coracle::scheduler
