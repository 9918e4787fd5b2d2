// How many replicas bring the usage of some pods to its target. Pure (upstream:
// pkg/controller/podautoscaler/replica_calculator.go).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/object_cache.hpp"

namespace coracle::controllers::autoscaler {

// Of a metric of one pod, in thousandths.
struct Sample {
  std::int64_t value = 0;
  WallTime at;
  Duration window{};
};
using Samples = std::map<std::string, Sample>;  // by the pod's name

// How far from 1 the ratio of usage and target may be before anything changes.
struct Tolerance {
  double down = 0.1, up = 0.1;
  bool holds(double ratio) const { return ratio >= 1 - down && ratio <= 1 + up; }
};

struct Question {
  std::vector<client::ObjectPtr> pods;  // all that are selected
  std::string resource;                 // "cpu": young pods are not trusted
  std::int64_t current = 0;             // replicas
  std::int64_t status_replicas = 0;     // that there are
  std::string selector;                 // of the pods, as text
  Tolerance tolerance;
  WallTime now;
};

struct Answer {
  std::int64_t replicas = 0;
  std::int64_t utilization = 0;  // percent of the requests
  std::int64_t average = 0;      // thousandths
};

// Usage in percent of what the pods request (only of that container, unless it is empty).
// InvalidArgument with upstream's words: `missing request for cpu in container c of Pod p`.
Result<Answer> by_utilization(const Question& question, Samples samples, std::string_view container,
                              std::int64_t target_percent);
// Usage (or any metric of pods) as an average over the pods.
Result<Answer> by_average(const Question& question, Samples samples, std::int64_t target);

}  // namespace coracle::controllers::autoscaler
