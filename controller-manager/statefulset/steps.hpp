// The order of a StatefulSet's work. Pure (upstream: stateful_set_control.go updateStatefulSet).
// 1 From the first ordinal up: replace what ended, make what lacks; 2 from the last down: take away
// what is beyond spec.replicas; 3 from the last down: pods of an older revision make room.
// OrderedReady waits at each pod until it is available; Parallel does not wait in 1 and 2.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/object_cache.hpp"
#include "controllers/plan.hpp"
#include "controllers/world.hpp"

namespace coracle::controllers::stateful_set {

using client::ObjectPtr;

struct View {
  const json::value& set;
  const World& world;
  Instant now;
  ObjectPtr current, update;                   // revisions; equal when nothing is rolling
  std::int64_t wanted = 0;                     // spec.replicas
  std::map<std::int64_t, ObjectPtr> replicas;  // those there, by ordinal less the first ordinal
  std::vector<ObjectPtr> condemned;            // beyond spec.replicas, highest ordinal first

  ObjectPtr at(std::int64_t index) const;  // null: is not there
  std::int64_t ordinal(std::int64_t index) const;
  bool in_order() const;  // not Parallel
};

// Bound: kBurst pods are made in one plan.
inline constexpr std::int64_t kBurst = 500;
void take_steps(const View& view, Plan* plan);

}  // namespace coracle::controllers::stateful_set
