// Metrics that are not CPU or memory: of pods and objects (custom.metrics.k8s.io), from outside
// (external.metrics.k8s.io). What to ask for, and how many replicas the answer means. Pure
// (upstream: computeStatusForPodsMetric, ...ObjectMetric, ...ExternalMetric).
#pragma once

#include <optional>
#include <string>

#include "podautoscaler/metrics.hpp"
#include "podautoscaler/replicas.hpp"

namespace coracle::controllers::autoscaler {

// What a metric of type Pods, Object or External asks for; nothing for other types.
std::optional<MetricQuery> query_of(const json::value& spec, const std::string& ns,
                                    const Question& question);

struct OtherMetric {
  Answer answer;
  std::string metric;  // names it in messages
  json::value status;
};
// Why not: as events and conditions say it, and with more around it, as the sum of them says it.
struct MetricFailure {
  std::string message, in_sum;
};
// `values`: what was answered to query_of(spec).
Result<OtherMetric> by_other(const json::value& spec, const std::string& ns,
                             const Question& question, const Result<MetricValues>& values,
                             MetricFailure* failure);

}  // namespace coracle::controllers::autoscaler
