#include "plugins/registry.hpp"

#include <algorithm>
#include <map>

#include "base/check.hpp"
#include "plugins/default_preemption.hpp"
#include "plugins/dynamic_resources.hpp"
#include "plugins/gang_scheduling.hpp"
#include "plugins/gpu_best_fit.hpp"
#include "plugins/gpu_clustering.hpp"
#include "plugins/gpu_dot_product.hpp"
#include "plugins/gpu_fragmentation_gradient.hpp"
#include "plugins/gpu_packing.hpp"
#include "plugins/gpu_random.hpp"
#include "plugins/gpu_share.hpp"
#include "plugins/image_locality.hpp"
#include "plugins/inter_pod_affinity.hpp"
#include "plugins/node_affinity.hpp"
#include "plugins/node_declared_features.hpp"
#include "plugins/node_name.hpp"
#include "plugins/node_ports.hpp"
#include "plugins/node_resources_balanced.hpp"
#include "plugins/node_resources_fit.hpp"
#include "plugins/node_unschedulable.hpp"
#include "plugins/node_volume_limits.hpp"
#include "plugins/pod_topology_spread.hpp"
#include "plugins/queue_plugins.hpp"
#include "plugins/selector_spread.hpp"
#include "plugins/taint_toleration.hpp"
#include "plugins/volume_binding.hpp"
#include "plugins/volume_restrictions.hpp"
#include "plugins/volume_zone.hpp"

namespace coracle::scheduler {
namespace {

constexpr Points kGate = point_bit(Point::kPreEnqueue), kSort = point_bit(Point::kQueueSort),
                 kPreFilter = point_bit(Point::kPreFilter), kFilter = point_bit(Point::kFilter),
                 kPostFilter = point_bit(Point::kPostFilter),
                 kPreScore = point_bit(Point::kPreScore), kScore = point_bit(Point::kScore),
                 kReserve = point_bit(Point::kReserve), kPermit = point_bit(Point::kPermit),
                 kPreBind = point_bit(Point::kPreBind), kBind = point_bit(Point::kBind);
constexpr Points kFilters = kPreFilter | kFilter, kScores = kPreScore | kScore;

template <class P>
std::shared_ptr<const Plugin> plain(const PluginArgs&) {
  return std::make_shared<P>();
}

template <class P, auto member>
std::shared_ptr<const Plugin> told(const PluginArgs& args) {
  return std::make_shared<P>(args.*member);
}

std::shared_ptr<const Plugin> spread(const PluginArgs& args) {
  return std::make_shared<PodTopologySpread>(
      args.system_spread_defaults ? PodTopologySpread::upstream_defaults() : args.spread_defaults,
      args.system_spread_defaults);
}

}  // namespace

const PluginTable& plugin_table() {
  static const PluginTable table{
      // name, points, along, weight, by default, needs, make
      {"SchedulingGates", kGate, 0, 0, true, 0, plain<SchedulingGates>},
      {"PrioritySort", kSort, 0, 0, true, 0, plain<PrioritySort>},
      {"NodeUnschedulable", kFilter, 0, 0, true, 0, plain<NodeUnschedulable>},
      {"NodeName", kFilter, 0, 0, true, 0, plain<NodeName>},
      {"TaintToleration", kFilter | kScores, 0, 3, true, 0, plain<TaintToleration>},
      {"NodeAffinity", kFilters | kScores, 0, 2, true, 0,
       told<NodeAffinity, &PluginArgs::node_affinity>},
      {"NodePorts", kFilters, 0, 0, true, 0, plain<NodePorts>},
      {"NodeResourcesFit", kFilters | kScores, 0, 1, true, 0,
       told<NodeResourcesFit, &PluginArgs::fit>},
      {"VolumeRestrictions", kFilters, kReserve, 0, true, kPreFilter, plain<VolumeRestrictions>},
      {"NodeVolumeLimits", kFilters, 0, 0, true, kPreFilter, plain<NodeVolumeLimits>},
      {"VolumeBinding", kFilters | kReserve | kPreBind, 0, 0, true, kPreFilter,
       plain<VolumeBinding>},
      {"VolumeZone", kFilters, 0, 0, true, kPreFilter, plain<VolumeZone>},
      {"PodTopologySpread", kFilters | kScores, 0, 2, true, kPreFilter | kPreScore, spread},
      {"InterPodAffinity", kFilters | kScores, 0, 2, true, kPreFilter | kPreScore,
       told<InterPodAffinity, &PluginArgs::pod_affinity>},
      {"DynamicResources", kGate | kFilters | kPostFilter | kScore | kReserve | kPreBind, kPreScore,
       2, true, kPreFilter, told<DynamicResources, &PluginArgs::filter_timeout>},
      {"DefaultPreemption", kPostFilter, 0, 0, true, 0,
       told<DefaultPreemption, &PluginArgs::preemption>},
      {"NodeResourcesBalancedAllocation", kScores, 0, 1, true, 0,
       told<NodeResourcesBalancedAllocation, &PluginArgs::balanced>},
      {"ImageLocality", kScore, kPreScore, 1, true, 0, plain<ImageLocality>},
      {"DefaultBinder", kBind, 0, 0, true, 0, plain<DefaultBinder>},
      {"NodeDeclaredFeatures", kFilters, 0, 0, true, 0, plain<NodeDeclaredFeatures>},
      {"GangScheduling", kGate | kPermit, 0, 0, true, 0, plain<GangScheduling>},
      {"SelectorSpread", kScores, 0, 1, false, kPreScore, plain<SelectorSpread>},
      {"GpuShare", kFilters | kReserve, 0, 0, false, kPreFilter, told<GpuShare, &PluginArgs::gpu>},
      {"GpuRandom", kScores, 0, 1, false, kPreScore, told<GpuRandom, &PluginArgs::gpu>},
      {"GpuDotProduct", kScore, 0, 1, false, 0, told<GpuDotProduct, &PluginArgs::gpu>},
      {"GpuClustering", kScore, 0, 1, false, 0, told<GpuClustering, &PluginArgs::gpu>},
      {"GpuPacking", kScore, 0, 1, false, 0, plain<GpuPacking>},
      {"GpuBestFit", kScore, 0, 1, false, 0, told<GpuBestFit, &PluginArgs::gpu>},
      {"GpuFragmentation", kScores, 0, 1, false, kPreScore,
       told<GpuFragmentation, &PluginArgs::gpu>},
  };
  return table;
}

const PluginEntry* find_plugin(const PluginTable& table, std::string_view name) {
  for (const PluginEntry& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

PluginChoice default_choice() {
  PluginChoice choice;
  for (const PluginEntry& entry : plugin_table()) {
    if (!entry.by_default) continue;
    for (size_t i = 0; i < kPoints; ++i) {
      if (entry.extends(static_cast<Point>(i))) choice.at[i].emplace_back(entry.name);
    }
    if (entry.weight > 0) choice.weights.emplace_back(entry.name, entry.weight);
  }
  return choice;
}

Profile make_profile(const PluginChoice& choice, const PluginArgs& args, const PluginTable& table) {
  Profile profile;
  profile.bind_timeout = std::chrono::seconds(args.bind_timeout_seconds);
  std::map<std::string, const Plugin*> made;
  for (const PluginEntry& entry : table) {
    const std::string& name = entry.name;
    const bool used = std::any_of(choice.at.begin(), choice.at.end(), [&](const auto& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    });
    if (!used) continue;
    profile.plugins.push_back(entry.make(args));
    made[name] = profile.plugins.back().get();
    for (size_t i = 0; i < kPoints; ++i) {
      if ((entry.along & (1u << i)) != 0) profile.plugins_at[i].push_back(made[name]);
    }
  }
  for (size_t i = 0; i < kPoints; ++i) {
    for (const std::string& name : choice.at[i]) {
      const auto plugin = made.find(name);
      CHECK_MSG(plugin != made.end(), "no plugin " << name);
      profile.plugins_at[i].push_back(plugin->second);
    }
  }
  for (const Plugin* plugin : profile.at(Point::kScore)) {
    std::int64_t weight = 1;
    for (const auto& [name, said] : choice.weights) {
      if (name == plugin->name()) weight = said;
    }
    profile.scorers.push_back({plugin, weight});
  }
  return profile;
}

Profile default_profile(const PluginArgs& args) { return make_profile(default_choice(), args); }

}  // namespace coracle::scheduler
