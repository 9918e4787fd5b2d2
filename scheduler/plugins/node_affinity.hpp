// NodeAffinity: nodeSelector and required node affinity must match; each preferred term that
// matches adds its weight. The profile may add an affinity of its own to every pod.
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class NodeAffinity final : public Plugin {
 public:
  explicit NodeAffinity(NodeAffinityArgs added = {}) : added_(std::move(added)) {}
  std::string_view name() const override { return "NodeAffinity"; }
  bool sees_one_node() const override { return true; }
  Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const override;
  std::optional<std::set<std::string>> only_nodes(const PodInfo& pod) const override {
    return pod.only_nodes;
  }
  Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  Verdict pre_score(const PodInfo&, const Snapshot&, const std::vector<std::uint32_t>& fitting,
                    StatePtr*) const override;
  std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const override;
  void normalize(const PluginState*, std::vector<std::int64_t>&) const override;
  Events helped_by() const override { return event::kNodeAdded | event::kNodeLabels; }
  bool helps(const PodInfo&, const Change&) const override;

 private:
  const NodeAffinityArgs added_;
};

}  // namespace coracle::scheduler
