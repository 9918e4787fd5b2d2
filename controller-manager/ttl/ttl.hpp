// TTL controller: tells kubelets, by an annotation of their node, how long they may keep Secrets
// and ConfigMaps: longer in larger clusters. Pure (upstream: pkg/controller/ttl).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class TtlController final : public Controller {
 public:
  std::string_view name() const override { return "ttl-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kNodes}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

// For a cluster of so many nodes. Bounds overlap (90 and 100, ...), so that a cluster at one does
// not flicker: `current` stays while it is allowed.
std::int64_t ttl_seconds(std::size_t nodes, std::int64_t current);

}  // namespace coracle::controllers
