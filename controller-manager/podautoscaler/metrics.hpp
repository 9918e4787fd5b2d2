// MetricsSource: the port through which autoscalers see how busy pods are: what the metrics API
// said last. Pods are keyed by name. Values are thousandths (of a core, of a byte, of a metric).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::controllers {

struct PodUsage {
  WallTime at;
  Duration window{};                                                      // it is an average over
  std::map<std::string, std::map<std::string, std::int64_t>> containers;  // container, resource
};
using PodUsages = std::map<std::string, PodUsage>;

// A metric of custom.metrics.k8s.io, or external.metrics.k8s.io.
struct MetricQuery {
  bool external = false;
  std::string path;  // behind the group's version, encoded
  std::string name;  // of the metric
  friend auto operator<=>(const MetricQuery&, const MetricQuery&) = default;
};
struct MetricValue {
  std::string object;  // whose it is; empty from outside
  std::int64_t milli = 0;
  WallTime at;
  Duration window = std::chrono::minutes(1);
};
using MetricValues = std::vector<MetricValue>;

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // False until something was heard at all, be it an error.
  virtual bool answered() const = 0;
  // Of all pods of a namespace. The error says why nothing is known.
  virtual Result<PodUsages> pods(const std::string& ns) const = 0;
  // What was answered last. Nothing: no answer has come yet; being asked makes it wanted.
  virtual std::optional<Result<MetricValues>> values(const MetricQuery& query) const = 0;
};

}  // namespace coracle::controllers
