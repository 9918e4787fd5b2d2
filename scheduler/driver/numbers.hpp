// Numbers: what the scheduler counts, under upstream's names.
#pragma once

#include <map>
#include <string>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "queue/queue.hpp"

namespace coracle::scheduler {

class Numbers {
 public:
  explicit Numbers(Metrics& metrics);

  // `result`: scheduled, unschedulable, error.
  void attempt(const std::string& profile, const std::string& result);
  void decided(Duration took);
  void pending(const Queue::Sizes& sizes);
  Counter& preemptions;  // searches for pods that could leave for another
  Counter& events_lost;

 private:
  Metrics& metrics_;
  Histogram& algorithm_;
  Gauge &active_, &backoff_, &unschedulable_, &gated_;
};

}  // namespace coracle::scheduler
