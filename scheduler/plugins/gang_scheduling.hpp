// GangScheduling: the pods of a PodGroup with a gang policy run when minCount of them can, or none
// does. Pods wait out of the queue until minCount of them exist; those that have a node wait for
// the others, at most kGangWait; when one of them finds no node, the ones that wait give theirs
// back, so that two groups cannot hold each other up for ever. Source: upstream's plugin of that
// name (1.36), KEP-4671.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

inline constexpr Duration kGangWait = std::chrono::minutes(5);

class GangScheduling final : public Plugin {
 public:
  explicit GangScheduling(Duration wait = kGangWait) : wait_(wait) {}
  std::string_view name() const override { return "GangScheduling"; }
  Verdict pre_enqueue(const PodInfo&, const Snapshot&) const override;
  Permission permit(const PodInfo&, const std::string& node, const Snapshot&) const override;
  bool falls_with(const PodInfo& waiting, const PodInfo& failed, const Snapshot&) const override;
  Events helped_by() const override { return event::kNodeAny | event::kPodGone | event::kPodGroup; }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const Duration wait_;
};

}  // namespace coracle::scheduler
