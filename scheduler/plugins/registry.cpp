#include "plugins/registry.hpp"

#include "plugins/image_locality.hpp"
#include "plugins/inter_pod_affinity.hpp"
#include "plugins/node_affinity.hpp"
#include "plugins/node_name.hpp"
#include "plugins/node_ports.hpp"
#include "plugins/node_resources_balanced.hpp"
#include "plugins/node_unschedulable.hpp"
#include "plugins/node_volume_limits.hpp"
#include "plugins/pod_topology_spread.hpp"
#include "plugins/selector_spread.hpp"
#include "plugins/taint_toleration.hpp"
#include "plugins/volume_binding.hpp"
#include "plugins/volume_restrictions.hpp"
#include "plugins/volume_zone.hpp"

namespace coracle::scheduler {
namespace {

template <class P>
std::shared_ptr<const Plugin> plain(const PluginArgs&) {
  return std::make_shared<P>();
}

std::shared_ptr<const Plugin> fit(const PluginArgs& args) {
  return std::make_shared<NodeResourcesFit>(args.fit_strategy);
}

std::shared_ptr<const Plugin> preemption(const PluginArgs& args) {
  return std::make_shared<DefaultPreemption>(args.preemption);
}

std::shared_ptr<const Plugin> spread(const PluginArgs& args) {
  return std::make_shared<PodTopologySpread>(
      args.system_spread_defaults ? PodTopologySpread::upstream_defaults() : args.spread_defaults,
      args.system_spread_defaults);
}

}  // namespace

const std::vector<PluginEntry>& plugin_table() {
  static const std::vector<PluginEntry> table{
      // name, filters, default weight, scores, post-filters, make
      {"NodeUnschedulable", true, 0, false, false, plain<NodeUnschedulable>},
      {"NodeName", true, 0, false, false, plain<NodeName>},
      {"TaintToleration", true, 3, true, false, plain<TaintToleration>},
      {"NodeAffinity", true, 2, true, false, plain<NodeAffinity>},
      {"NodePorts", true, 0, false, false, plain<NodePorts>},
      {"NodeResourcesFit", true, 1, true, false, fit},
      {"VolumeRestrictions", true, 0, false, false, plain<VolumeRestrictions>},
      {"NodeVolumeLimits", true, 0, false, false, plain<NodeVolumeLimits>},
      {"VolumeBinding", true, 0, false, false, plain<VolumeBinding>},
      {"VolumeZone", true, 0, false, false, plain<VolumeZone>},
      {"DefaultPreemption", false, 0, false, true, preemption},
      {"PodTopologySpread", true, 2, true, false, spread},
      {"InterPodAffinity", true, 2, true, false, plain<InterPodAffinity>},
      {"NodeResourcesBalancedAllocation", false, 1, true, false,
       plain<NodeResourcesBalancedAllocation>},
      {"ImageLocality", false, 1, true, false, plain<ImageLocality>},
      {"SelectorSpread", false, 0, true, false, plain<SelectorSpread>},
  };
  return table;
}

const PluginEntry* find_plugin(std::string_view name) {
  for (const PluginEntry& entry : plugin_table()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

Profile default_profile(const PluginArgs& args) {
  Profile profile;
  for (const PluginEntry& entry : plugin_table()) {
    if (!entry.filters && !entry.post_filters && entry.score_weight == 0) continue;
    profile.plugins.push_back(entry.make(args));
    const Plugin* plugin = profile.plugins.back().get();
    if (entry.filters) profile.filters.push_back(plugin);
    if (entry.post_filters) profile.post_filters.push_back(plugin);
    if (entry.score_weight > 0) profile.scorers.push_back({plugin, entry.score_weight});
  }
  return profile;
}

}  // namespace coracle::scheduler
