// The table of all plugins: name, the points a profile can run them at, default weight.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/profile.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

using Points = std::uint16_t;
constexpr Points point_bit(Point point) {
  return static_cast<Points>(1u << static_cast<unsigned>(point));
}

struct PluginEntry {
  std::string name;
  Points points = 0;  // where it may be enabled
  // Where it runs whenever it runs at any point: steps that are not upstream's.
  Points along = 0;
  std::int64_t weight = 0;  // of its score by default; 0: none, then 1
  bool by_default = true;
  // What filter and score must have had before them.
  Points needs = 0;
  std::function<std::shared_ptr<const Plugin>(const PluginArgs&)> make;

  bool extends(Point point) const { return (points & point_bit(point)) != 0; }
};

using PluginTable = std::vector<PluginEntry>;

// Our own, in upstream's default order. A profile may bring more (config/declared_plugins.hpp).
const PluginTable& plugin_table();
const PluginEntry* find_plugin(const PluginTable& table, std::string_view name);
// Upstream's default profile.
Profile default_profile(const PluginArgs& args = {});

// Which plugins run at each point, by name and in order, and the weights of scores: made real.
// All names are in the table and extend the point.
struct PluginChoice {
  std::array<std::vector<std::string>, kPoints> at;
  std::vector<std::pair<std::string, std::int64_t>> weights;
};
PluginChoice default_choice();
Profile make_profile(const PluginChoice& choice, const PluginArgs& args,
                     const PluginTable& table = plugin_table());

}  // namespace coracle::scheduler
