// status and conditions of a Deployment. Pure (upstream: progress.go, sync.go calculateStatus).
#pragma once

#include "deployment/replica_sets.hpp"

namespace coracle::controllers::deployment {

bool is_complete(const View& view, const json::value& status);
// The new status; asks the plan to look again when a deadline is near.
json::value new_status(const View& view, Plan* plan);
// Writes it if it differs. The Deployment's object in `plan->about`.
void update_status(const View& view, Plan* plan);

}  // namespace coracle::controllers::deployment
