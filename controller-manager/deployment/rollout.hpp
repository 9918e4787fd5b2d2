// The strategies: what to scale now. Each decides one step; the next reconcile sees its effect.
// Pure (upstream: rolling.go, recreate.go, sync.go scale).
#pragma once

#include "deployment/replica_sets.hpp"

namespace coracle::controllers::deployment {

// All pods of all ReplicaSets of the Deployment, for Recreate: new ones wait until old are gone.
void rolling_update(const View& view, Plan* plan);
void recreate(const View& view, const std::vector<ObjectPtr>& pods, Plan* plan);
// spec.replicas changed (or the Deployment is paused): keeps the proportions of a rollout.
void scale_in_proportion(const View& view, Plan* plan);
// spec.replicas is not what the ReplicaSets were scaled for.
bool is_scaling_event(const View& view);

}  // namespace coracle::controllers::deployment
