// What each metric of an autoscaler asks for, and what its status shows of it. Pure (upstream:
// horizontal.go computeReplicasForMetrics).
#pragma once

#include "api/selectors.hpp"
#include "controllers/controller.hpp"
#include "podautoscaler/metrics.hpp"
#include "podautoscaler/replicas.hpp"

namespace coracle::controllers::autoscaler {

struct Proposal {
  std::int64_t replicas = -1;  // -1: nothing may be done
  std::string metric;          // "cpu resource utilization (percentage of request)"
  json::array statuses;        // status.currentMetrics, one a metric
  // Condition ScalingActive, and events about metrics that failed.
  bool active = true;
  std::string reason, message;
  std::vector<EventNote> events;
};
// Whether something was heard of every metric; what was not is asked for.
bool all_answered(const json::value& autoscaler, const Question& question,
                  const MetricsSource& metrics);
// The most that any metric asks for. When one is not known, nothing is taken away on the word of
// the others.
Proposal propose(const json::value& autoscaler, const Question& question,
                 const MetricsSource& metrics);

}  // namespace coracle::controllers::autoscaler
