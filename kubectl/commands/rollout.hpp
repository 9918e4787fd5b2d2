// What the rollout commands share.
#pragma once

#include <string>
#include <vector>

#include "kubectl/target.hpp"

namespace coracle::kubectl {

struct RolloutProgress {
  std::string text;  // a line to print
  bool done = false;
  std::string error;  // it will never be done
};
// Of a Deployment, DaemonSet or StatefulSet. Pure.
RolloutProgress rollout_progress(const json::value& object);

struct Revision {
  std::int64_t number = 0;
  std::string change_cause;
  json::value template_object;  // the pod template of that revision
};
// The revisions of a Deployment (its replica sets), DaemonSet or StatefulSet (ControllerRevisions),
// oldest first.
Result<std::vector<Revision>> revisions_of(Session& session, const Target& target);

}  // namespace coracle::kubectl
