// PodMetricsFeed: the MetricsSource of a running manager: asks metrics.k8s.io every kPeriod, as
// long as somebody wants to know, and keeps the last answer.
//
// Strand: the Executor's. Bound: one question at a time; the answer replaces the one before.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "podautoscaler/metrics.hpp"

namespace coracle::controllers {

// The usages in a PodMetricsList, by namespace. Items that say nothing useful are left out.
std::map<std::string, PodUsages> read_pod_metrics(const json::value& list);

class PodMetricsFeed final : public MetricsSource {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(15);
  static constexpr Duration kNobodyAsks =
      std::chrono::seconds(1);  // until it looks whether one does

  // `wanted` says whether anybody is there who would look.
  PodMetricsFeed(Executor& executor, client::Api& api, std::function<bool()> wanted)
      : executor_(executor), api_(api), wanted_(std::move(wanted)) {}
  // Asks now, and from then on.
  void start();
  void stop();

  bool answered() const override { return answered_; }
  Result<PodUsages> pods(const std::string& ns) const override;

 private:
  Task<bool> ask(std::shared_ptr<bool> alive);
  void turn(const std::shared_ptr<bool>& alive);

  Executor& executor_;
  client::Api& api_;
  std::function<bool()> wanted_;
  std::shared_ptr<bool> alive_;  // of this start; false once stopped
  bool answered_ = false;
  Status last_;
  std::map<std::string, PodUsages> usages_;
};

}  // namespace coracle::controllers
