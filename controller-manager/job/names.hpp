// Keys that Jobs put on their pods.
#pragma once

namespace coracle::controllers::job {

inline constexpr char kTracking[] = "batch.kubernetes.io/job-tracking";  // finalizer
inline constexpr char kIndex[] = "batch.kubernetes.io/job-completion-index";
inline constexpr char kIndexFailures[] = "batch.kubernetes.io/job-index-failure-count";
inline constexpr char kIndexIgnoredFailures[] =
    "batch.kubernetes.io/job-index-ignored-failure-count";
inline constexpr char kOurManager[] = "kubernetes.io/job-controller";

}  // namespace coracle::controllers::job
