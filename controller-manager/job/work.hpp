// Which pods a Job makes and takes away. Pure (upstream: job_controller.go manageJob).
// Bound: kBurst pods are made or taken away in one plan.
#pragma once

#include "controllers/plan.hpp"
#include "job/state.hpp"

namespace coracle::controllers::job {

inline constexpr std::int64_t kBurst = 500;

// As many active pods as spec.parallelism and what is left to do ask for; none when suspended.
void keep_pods(const State& state, Plan* plan);
// The job has ended: no pod may go on. What is taken away counts as failed.
void end_pods(const State& state, Plan* plan);
// A pod of the job; `index` -1: of a NonIndexed job.
json::value new_pod(const State& state, std::int64_t index);
// The finalizer goes, and with it the pod's part in the count.
void release(const json::value& pod, Plan* plan);

}  // namespace coracle::controllers::job
