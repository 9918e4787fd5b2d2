// The plugins of the queue and of the bind: SchedulingGates, PrioritySort, DefaultBinder.
#pragma once

#include "framework/plugin.hpp"

namespace coracle::scheduler {

// A pod with scheduling gates is not tried.
class SchedulingGates final : public Plugin {
 public:
  std::string_view name() const override { return "SchedulingGates"; }
  Verdict pre_enqueue(const PodInfo&, const Snapshot&) const override;
};

// Higher priority first, then who came, or was tried in vain, first.
class PrioritySort final : public Plugin {
 public:
  std::string_view name() const override { return "PrioritySort"; }
  bool less(const QueuedPod& a, const QueuedPod& b) const override {
    if (a.pod->priority != b.pod->priority) return a.pod->priority > b.pod->priority;
    return a.since < b.since;
  }
};

// Posts a Binding.
class DefaultBinder final : public Plugin {
 public:
  std::string_view name() const override { return "DefaultBinder"; }
  std::optional<json::value> bind(const PodInfo&, const std::string& node) const override;
};

}  // namespace coracle::scheduler
