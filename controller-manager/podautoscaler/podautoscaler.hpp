// HorizontalPodAutoscaler controller: sizes a workload by how busy its pods are. Pure (upstream:
// pkg/controller/podautoscaler), with the metrics behind a port. replicas: what the metrics ask
// for; scaling: what of it is done.
#pragma once

#include "controllers/controller.hpp"
#include "podautoscaler/metrics.hpp"

namespace coracle::controllers {

class PodAutoscalerController final : public Controller {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds(15);
  static constexpr Duration kFirstAnswer = std::chrono::seconds(1);  // while none has come

  explicit PodAutoscalerController(const MetricsSource& metrics) : metrics_(metrics) {}
  std::string_view name() const override { return "horizontal-pod-autoscaler"; }
  std::vector<client::Gvr> watched() const override;
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  const MetricsSource& metrics_;
};

}  // namespace coracle::controllers
