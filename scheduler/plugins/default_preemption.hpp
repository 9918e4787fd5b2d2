// DefaultPreemption: a pod that fits nowhere may take the place of less important ones. On each
// node that refused it for now, all less important pods are thought away; if it fits then, as many
// as possible stay, the most important first and those that a PodDisruptionBudget protects before
// the others. (Upstream: plugins/defaultpreemption, framework/preemption.)
#pragma once

#include "framework/plugin.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

class DefaultPreemption final : public Plugin {
 public:
  explicit DefaultPreemption(PreemptionArgs args = {}) : args_(args) {}
  std::string_view name() const override { return "DefaultPreemption"; }
  PostFiltered post_filter(const PostFilterInput&) const override;
  // The least harm; then the first.
  size_t pick(const Candidates&) const override;

 private:
  // How many candidates are enough.
  size_t enough(size_t nodes) const;
  const PreemptionArgs args_;
};

}  // namespace coracle::scheduler
