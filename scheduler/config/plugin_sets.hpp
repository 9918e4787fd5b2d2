// Which plugins a profile runs: upstream's defaults merged with what the file enables and disables,
// multiPoint expanded. Pure.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "config/object_reader.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {

struct PluginSet {
  struct Plugin {
    std::string name;
    std::int64_t weight = 0;  // 0: not said
    friend bool operator==(const Plugin&, const Plugin&) = default;
  };
  std::vector<Plugin> enabled;
  std::vector<std::string> disabled;  // "*": all
  friend bool operator==(const PluginSet&, const PluginSet&) = default;
};

struct PluginSets {
  PluginSet multi_point;
  std::array<PluginSet, kPoints> at;
};

PluginSets read_plugin_sets(const json::value& value, const std::string& path, FormErrors& errors);
// The defaults under what the file says.
PluginSets merged_with_defaults(const PluginSets& said);
// Upstream's start-up errors: `FilterPlugin "x" does not exist`, `plugin "x" does not extend
// ScorePlugin plugin`, `plugin "x" already registered as "FilterPlugin"`, ...
Status expand(const PluginSets& sets, const std::string& profile, const PluginTable& table,
              PluginChoice* choice);

}  // namespace coracle::scheduler
