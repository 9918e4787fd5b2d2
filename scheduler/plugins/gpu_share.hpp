// GpuShare: a node has the devices the pod asks for, of a model it allows, each with enough left.
// Reserve chooses the devices (GpuArgs::choice); the Binding carries them to the pod as an
// annotation, so that they are known after a restart, and to who runs it. Scores nothing: see the
// plugins gpu_*.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class GpuShare final : public Plugin {
 public:
  explicit GpuShare(GpuArgs args = {}) : args_(std::move(args)) {}
  std::string_view name() const override { return "GpuShare"; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Verdict reserve(const PodInfo&, const std::string& node, const Snapshot&,
                  Reservations&) const override;
  void unreserve(const PodInfo&, const std::string& node, Reservations&) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeGrew | event::kNodeLabels | event::kPodGone;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const GpuArgs args_;
};

}  // namespace coracle::scheduler
