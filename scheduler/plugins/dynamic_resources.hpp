// DynamicResources: a pod runs where its claims to devices are allocated, or can be. Claims that
// are not allocated yet get devices of the node (device_allocator.hpp), which are promised to the
// pod until its claims say so; then the pod is among those they are reserved for. (Upstream:
// plugins/dynamicresources.)
#pragma once

#include "framework/plugin.hpp"
#include "plugins/selector_cache.hpp"

namespace coracle::scheduler {

class DynamicResources final : public Plugin {
 public:
  // `filter_timeout`: how long devices are searched for a node, as DeviceAllocator counts time.
  explicit DynamicResources(Duration filter_timeout = std::chrono::seconds(10));
  std::string_view name() const override { return "DynamicResources"; }
  // Out of the queue until all its claims are there.
  Verdict pre_enqueue(const PodInfo&, const Snapshot&) const override;
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  // One claim, left to chance, of those that are allocated where the pod cannot run and that nobody
  // uses gives its devices back.
  PostFiltered post_filter(const PostFilterInput&) const override;
  // Where first alternatives can be had.
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void normalize(const PluginState*, std::vector<std::int64_t>&) const override;
  Verdict reserve(const PodInfo&, const std::string& node, const Snapshot&,
                  Reservations&) const override;
  void unreserve(const PodInfo&, const std::string& node, Reservations&) const override;
  // The finalizer, then the allocation and the reservation.
  Writes before_bind(const PodInfo&, const std::string& node, const Snapshot&) const override;
  Verdict may_bind(const PodInfo&, const std::string& node, const Snapshot&) const override;
  // The reservation. The allocation stays: whoever is first to use the claim finds it allocated.
  Writes take_back(const PodInfo&, const Snapshot&, bool wrote) const override;
  Events helped_by() const override {
    return event::kDeviceClaim | event::kDevices | event::kNodeAdded | event::kNodeLabels |
           event::kOwnClaims;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const std::size_t steps_max_;
  mutable SelectorCache selectors_;  // one decision compiles for the next, and filter for reserve
};

}  // namespace coracle::scheduler
