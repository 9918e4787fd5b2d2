// QueueMetrics: a controller's work queue in numbers, under upstream's names (workqueue_...).
#pragma once

#include <map>
#include <string>

#include "base/clock.hpp"
#include "base/metrics.hpp"

namespace coracle::controllers {

// Strand: the runner's. Bound: an entry a key that waits.
class QueueMetrics {
 public:
  QueueMetrics(Metrics& metrics, const std::string& name);

  void added(const std::string& key, TimePoint now);
  // The key is taken: it has waited since it was added.
  void began(const std::string& key, TimePoint now);
  void ended(Duration worked, bool retried);
  void depth(size_t waiting) { depth_.set(static_cast<std::int64_t>(waiting)); }

 private:
  Counter &adds_, &retries_;
  Gauge& depth_;
  Histogram &waited_, &worked_;
  std::map<std::string, TimePoint> waiting_since_;
};

}  // namespace coracle::controllers
