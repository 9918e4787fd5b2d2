#include "driver/numbers.hpp"

namespace coracle::scheduler {
namespace {

Gauge& pending_gauge(Metrics& metrics, const char* queue) {
  return metrics.gauge("scheduler_pending_pods", "Pods that wait, by the queue they are in",
                       {{"queue", queue}});
}

// Seconds from 10 us on.
std::vector<double> decision_buckets() {
  std::vector<double> bounds{0.00001, 0.00002, 0.00005};
  for (const double bound : latency_buckets()) bounds.push_back(bound);
  return bounds;
}

std::int64_t signed_of(size_t n) { return static_cast<std::int64_t>(n); }

}  // namespace

Numbers::Numbers(Metrics& metrics)
    : preemptions(metrics.counter("scheduler_preemption_attempts_total",
                                  "Searches for pods that could leave for another")),
      events_lost(metrics.counter("scheduler_events_dropped_total",
                                  "Events that were not told: too many, too many alike, refused")),
      metrics_(metrics),
      algorithm_(metrics.histogram("scheduler_scheduling_algorithm_duration_seconds",
                                   "Time a decision takes", {}, decision_buckets())),
      active_(pending_gauge(metrics, "active")),
      backoff_(pending_gauge(metrics, "backoff")),
      unschedulable_(pending_gauge(metrics, "unschedulable")),
      gated_(pending_gauge(metrics, "gated")) {}

void Numbers::attempt(const std::string& profile, const std::string& result) {
  metrics_
      .counter("scheduler_schedule_attempts_total", "Attempts to schedule a pod, by result",
               {{"profile", profile}, {"result", result}})
      .add();
}

void Numbers::decided(Duration took) {
  algorithm_.observe(std::chrono::duration<double>(took).count());
}

void Numbers::pending(const Queue::Sizes& sizes) {
  active_.set(signed_of(sizes.active));
  backoff_.set(signed_of(sizes.backoff));
  unschedulable_.set(signed_of(sizes.parked));
  gated_.set(signed_of(sizes.gated));
}

}  // namespace coracle::scheduler
