// TTL after finished: deletes Jobs spec.ttlSecondsAfterFinished after their end, with their pods.
// Pure (upstream: pkg/controller/ttlafterfinished).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class TtlAfterFinishedController final : public Controller {
 public:
  std::string_view name() const override { return "ttl-after-finished-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kJobs}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
