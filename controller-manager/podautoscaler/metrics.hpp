// MetricsSource: the port through which autoscalers see how busy pods are: what the metrics API
// said last. Pods are keyed by name. Values are thousandths (of a core, of a byte, of a metric).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::controllers {

struct PodUsage {
  WallTime at;
  Duration window{};                                                      // it is an average over
  std::map<std::string, std::map<std::string, std::int64_t>> containers;  // container, resource
};
using PodUsages = std::map<std::string, PodUsage>;

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // False until something was heard at all, be it an error.
  virtual bool answered() const = 0;
  // Of all pods of a namespace. The error says why nothing is known.
  virtual Result<PodUsages> pods(const std::string& ns) const = 0;
};

}  // namespace coracle::controllers
