// Node lifecycle controller: a node that stops renewing its Lease is called unknown; conditions and
// cordoning become taints; NoExecute taints evict the pods that do not tolerate them (any more).
// Pure (upstream: pkg/controller/nodelifecycle, tainteviction).
#pragma once

#include <optional>

#include "controllers/controller.hpp"
#include "nodelifecycle/zones.hpp"

namespace coracle::controllers {

class NodeLifecycleController final : public Controller {
 public:
  // `started`: nodes are given a whole grace period from here, whatever their last sign is: after
  // a stop of the whole cluster all Leases are old.
  NodeLifecycleController(Duration grace, WallTime started) : grace_(grace), started_(started) {}

  std::string_view name() const override { return "node-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kNodes, gvr::kLeases, gvr::kPods};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  const Duration grace_;
  const WallTime started_;
};

// When a pod must leave a node with these taints: at once, later, or never (nothing).
std::optional<WallTime> eviction_time(const json::value& pod, const json::array& taints,
                                      WallTime now);
// The taints the node should have; those of others are kept. `rule`: of those that evict.
json::array desired_taints(const json::value& node, WallTime now,
                           EvictionGate::Rule rule = EvictionGate::Rule::kMark);

}  // namespace coracle::controllers
