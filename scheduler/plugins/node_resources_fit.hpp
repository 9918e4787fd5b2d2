// NodeResourcesFit: what the pod requests is free on the node, and a place among its pods. Scores
// by how much is taken, the pod included: LeastAllocated spreads, MostAllocated packs.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

struct ScoringStrategy {
  enum class Type { kLeastAllocated, kMostAllocated };
  struct Resource {
    std::string name;
    std::int64_t weight = 1;
  };
  Type type = Type::kLeastAllocated;
  std::vector<Resource> resources = {{"cpu", 1}, {"memory", 1}};
};

class NodeResourcesFit final : public Plugin {
 public:
  explicit NodeResourcesFit(ScoringStrategy strategy) : strategy_(std::move(strategy)) {}
  std::string_view name() const override { return "NodeResourcesFit"; }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Events helped_by() const override {
    return event::kNodeAdded | event::kNodeGrew | event::kPodGone;
  }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const ScoringStrategy strategy_;
};

// Of scoring: cpu and memory as kDefault* count them, others as requested.
std::int64_t amount_with(const PodInfo& pod, const NodeInfo& node, const std::string& resource);

}  // namespace coracle::scheduler
