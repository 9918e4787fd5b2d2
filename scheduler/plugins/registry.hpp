// The table of all plugins: name, what a profile uses them for, default weight.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "framework/profile.hpp"
#include "plugins/default_preemption.hpp"
#include "plugins/node_resources_fit.hpp"

namespace coracle::scheduler {

// What plugins can be told by pluginConfig.
struct PluginArgs {
  ScoringStrategy fit_strategy;
  PreemptionArgs preemption;
  bool system_spread_defaults = true;
  std::vector<SpreadConstraint> spread_defaults;  // unless system_spread_defaults
};

struct PluginEntry {
  std::string_view name;
  bool filters = false;           // may be enabled under filter
  std::int64_t score_weight = 0;  // default weight; 0: off unless enabled
  bool scores = false;            // may be enabled under score
  bool post_filters = false;      // may be enabled under postFilter
  std::function<std::shared_ptr<const Plugin>(const PluginArgs&)> make;
};

// In the order in which they filter.
const std::vector<PluginEntry>& plugin_table();
const PluginEntry* find_plugin(std::string_view name);
// All filters and the scores with their default weights.
Profile default_profile(const PluginArgs& args = {});

}  // namespace coracle::scheduler
