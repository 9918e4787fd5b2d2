// Pod garbage collector: removes pods nobody else can remove: of nodes that no longer exist, and
// deleted ones that were never bound; and of those that have ended the ones that are too many. Pure
// (upstream: pkg/controller/podgc). A node that is missing is looked at again kQuarantine later
// before its pods go.
//
// Bound: at most `ended_max` pods that have ended stay (0 or less: all do), and what ends between
// two looks, kEndedLook apart. Evicted ones go first, then those that were made first.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class PodGcController final : public Controller {
 public:
  static constexpr Duration kQuarantine = std::chrono::seconds(40);
  static constexpr Duration kEndedLook = std::chrono::seconds(20);
  static constexpr size_t kEndedAtOnce = 1000;  // of one look; the next follows at once
  static constexpr std::int64_t kEndedMax = 12'500;

  explicit PodGcController(std::int64_t ended_max = kEndedMax) : ended_max_(ended_max) {}
  std::string_view name() const override { return "pod-garbage-collector"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kPods, gvr::kNodes}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  // Keys: a pod's, or kEnded, of all that have ended.
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

  static constexpr const char* kEnded = "ended";  // no pod's: those have a namespace

 private:
  Plan thin_out(const World& world, Instant now) const;

  const std::int64_t ended_max_;
};

}  // namespace coracle::controllers
