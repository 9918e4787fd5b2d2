// What to create and delete so that every node that should has one daemon pod, of the newest
// template in the end. Pure (upstream: daemon_controller.go manage, update.go).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/object_cache.hpp"
#include "controllers/plan.hpp"
#include "daemonset/placement.hpp"

namespace coracle::controllers::daemon_set {

using client::ObjectPtr;

struct View {
  const json::value& set;
  std::string hash;                                       // of the wanted template
  std::map<std::string, Fit> nodes;                       // all that exist
  std::map<std::string, std::vector<ObjectPtr>> by_node;  // the set's pods; also of lost nodes
  Instant now;

  bool is_updated(const json::value& pod) const;
  bool is_available(const json::value& pod) const;
  std::int64_t desired() const;
  std::int64_t max_surge(std::int64_t desired) const;
  std::int64_t max_unavailable(std::int64_t desired) const;
};

struct Changes {
  std::vector<std::string> create_on;  // node names
  std::vector<ObjectPtr> remove;
  bool none() const { return create_on.empty() && remove.empty(); }
};

// Pods that lack, are too many, ended, or are where they should not be. Tells of ended ones. A pod
// that failed is kept until it is kFailedRest old, so that one that cannot run is not tried without
// pause (upstream: a back-off from 1 s to 15 min, which it forgets when it is started again).
inline constexpr Duration kFailedRest = std::chrono::seconds(10);
Changes repair(const View& view, Plan* plan);
// One step from old pods to new ones, within maxUnavailable and maxSurge.
Changes roll(const View& view);

}  // namespace coracle::controllers::daemon_set
