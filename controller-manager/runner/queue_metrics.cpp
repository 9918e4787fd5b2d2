#include "runner/queue_metrics.hpp"

namespace coracle::controllers {
namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// Powers of ten, as upstream's.
std::vector<double> buckets() { return {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000}; }

}  // namespace

QueueMetrics::QueueMetrics(Metrics& metrics, const std::string& name)
    : adds_(metrics.counter("workqueue_adds_total", "Keys added to a queue", {{"name", name}})),
      retries_(metrics.counter("workqueue_retries_total", "Keys that must be tried again",
                               {{"name", name}})),
      depth_(metrics.gauge("workqueue_depth", "Keys that wait in a queue", {{"name", name}})),
      waited_(metrics.histogram("workqueue_queue_duration_seconds",
                                "Time a key waits before it is worked on", {{"name", name}},
                                buckets())),
      worked_(metrics.histogram("workqueue_work_duration_seconds", "Time it takes to work on a key",
                                {{"name", name}}, buckets())) {}

void QueueMetrics::added(const std::string& key, TimePoint now) {
  adds_.add();
  waiting_since_.try_emplace(key, now);
}

void QueueMetrics::began(const std::string& key, TimePoint now) {
  const auto since = waiting_since_.find(key);
  if (since == waiting_since_.end()) return;  // it came by itself, after a time
  waited_.observe(seconds(now - since->second));
  waiting_since_.erase(since);
}

void QueueMetrics::ended(Duration worked, bool retried) {
  worked_.observe(seconds(worked));
  if (retried) retries_.add();
}

}  // namespace coracle::controllers
