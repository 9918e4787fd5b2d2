// PodMetricsFeed: the MetricsSource of a running manager: asks metrics.k8s.io every kPeriod, as
// long as somebody wants to know, and keeps the last answer; and likewise each metric of
// custom.metrics.k8s.io and external.metrics.k8s.io that was asked for.
//
// Strand: the Executor's. Bound: one question at a time of each; the answer replaces the one
// before; kQueriesMax metrics, forgotten when nobody asked for two periods.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "podautoscaler/metrics.hpp"

namespace coracle::controllers {

// The values in a MetricValueList, of the custom (v1beta1, v1beta2) or the external API.
MetricValues read_metric_values(const json::value& list);
// The usages in a PodMetricsList, by namespace. Items that say nothing useful are left out.
std::map<std::string, PodUsages> read_pod_metrics(const json::value& list);

class PodMetricsFeed final : public MetricsSource {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(15);
  static constexpr Duration kNobodyAsks =
      std::chrono::seconds(1);  // until it looks whether one does
  static constexpr size_t kQueriesMax = 500;

  // `wanted` says whether anybody is there who would look.
  PodMetricsFeed(Executor& executor, client::Api& api, std::function<bool()> wanted)
      : executor_(executor), api_(api), wanted_(std::move(wanted)) {}
  // Asks now, and from then on.
  void start();
  void stop();

  bool answered() const override { return answered_; }
  Result<PodUsages> pods(const std::string& ns) const override;
  std::optional<Result<MetricValues>> values(const MetricQuery& query) const override;

 private:
  struct Wanted {
    std::optional<Result<MetricValues>> last;
    TimePoint asked_for;  // by a controller
  };
  Task<bool> ask(std::shared_ptr<bool> alive);
  Task<bool> ask_values(std::shared_ptr<bool> alive, MetricQuery query);
  Task<Result<std::string>> root_of(bool external);
  void turn(const std::shared_ptr<bool>& alive);

  Executor& executor_;
  client::Api& api_;
  std::function<bool()> wanted_;
  std::shared_ptr<bool> alive_;  // of this start; false once stopped
  bool answered_ = false;
  Status last_;
  std::map<std::string, PodUsages> usages_;
  mutable std::map<MetricQuery, Wanted> queries_;
};

}  // namespace coracle::controllers
