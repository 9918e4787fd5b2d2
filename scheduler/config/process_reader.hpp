// What a KubeSchedulerConfiguration says of the process rather than of decisions, read and checked
// as upstream does it. Pure.
#pragma once

#include "api/field_error.hpp"
#include "config/config.hpp"
#include "config/object_reader.hpp"

namespace coracle::scheduler {

// Longer than anybody waits (31 years), and far from where a Duration ends.
inline constexpr std::int64_t kSecondsMax = 1'000'000'000;

// clientConnection, leaderElection, parallelism and the switches: what is checked before profiles.
void read_process(ObjectReader& document, FormErrors& form, api::FieldErrors& errors,
                  Config* config);
// The back-off of pods: what is checked after profiles.
void read_backoff(ObjectReader& document, api::FieldErrors& errors, Config* config);

}  // namespace coracle::scheduler
