// Pod garbage collector: removes pods nobody else can remove: of nodes that no longer exist, and
// deleted ones that were never bound. Pure (upstream: pkg/controller/podgc). A node that is missing
// is looked at again kQuarantine later before its pods go.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class PodGcController final : public Controller {
 public:
  static constexpr Duration kQuarantine = std::chrono::seconds(40);
  std::string_view name() const override { return "pod-garbage-collector"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kPods, gvr::kNodes}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
