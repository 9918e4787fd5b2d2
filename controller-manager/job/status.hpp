// A Job's next status: who is counted now, and the conditions. Pure (upstream: job_controller.go
// trackJobStatusAndRemoveFinalizers, enactJobFinished).
#pragma once

#include <vector>

#include "controllers/plan.hpp"
#include "job/state.hpp"

namespace coracle::controllers::job {

// Bound: so many uids wait in the status at a time, which keeps it small.
inline constexpr size_t kUncountedMax = 500;

struct Tracking {
  std::set<std::string> uncounted_succeeded, uncounted_failed;
  IndexSet done;
  std::vector<ObjectPtr> release;  // whose finalizers may go when the status is written
};
Tracking track(const State& state, const std::optional<Verdict>& verdict);

// Notes the events that go with new conditions.
json::value next_status(const State& state, const Tracking& tracking,
                        const std::optional<Verdict>& verdict, Plan* plan);

}  // namespace coracle::controllers::job
