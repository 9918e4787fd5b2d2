#include "config/plugin_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace coracle::scheduler {
namespace {

// As Go names the interface of a point.
std::string interface_of(size_t point) {
  std::string name(kPointNames[point]);
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name + "Plugin";
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has(const std::vector<PluginSet::Plugin>& plugins, const std::string& name) {
  return std::any_of(plugins.begin(), plugins.end(), [&](const auto& p) { return p.name == name; });
}

// What the name of no plugin is worth saying of. Upstream has some that are not built here.
Status no_such_plugin(const std::string& kind, const std::string& name) {
  for (const std::string_view upstream : {"TopologyPlacementGenerator", "PodGroupPodsCount"}) {
    if (name != upstream) continue;
    return invalid_argument(fmt::format(
        "{} \"{}\" is not built here: upstream has it for topologies of whole pod groups, behind "
        "the feature gate TopologyAwareWorkloadScheduling",
        kind, name));
  }
  return invalid_argument(fmt::format("{} \"{}\" does not exist", kind, name));
}

PluginSet read_set(const json::value* value, const std::string& path, FormErrors& errors) {
  PluginSet set;
  if (value == nullptr) return set;
  ObjectReader reader(*value, path, errors);
  for (const bool enabled : {true, false}) {
    const char* list = enabled ? "enabled" : "disabled";
    size_t i = 0;
    for (const json::value& entry : reader.list(list)) {
      ObjectReader plugin(entry, reader.path(list, i++), errors);
      PluginSet::Plugin one;
      plugin.read("name", &one.name);
      plugin.read("weight", &one.weight);
      if (enabled) {
        set.enabled.push_back(std::move(one));
      } else {
        set.disabled.push_back(std::move(one.name));
      }
    }
  }
  return set;
}

// A default that the file names again takes its place, with the file's weight.
PluginSet merge(const PluginSet& defaults, const PluginSet& said) {
  PluginSet merged;
  merged.disabled = said.disabled;
  std::vector<PluginSet::Plugin> rest = said.enabled;
  for (const PluginSet::Plugin& plugin : defaults.enabled) {
    if (has(said.disabled, "*") || has(said.disabled, plugin.name)) continue;
    const auto again = std::find_if(rest.begin(), rest.end(),
                                    [&](const auto& other) { return other.name == plugin.name; });
    merged.enabled.push_back(again == rest.end() ? plugin : *again);
    if (again != rest.end()) rest.erase(again);
  }
  merged.enabled.insert(merged.enabled.end(), rest.begin(), rest.end());
  return merged;
}

Status check_own(const PluginSet& set, size_t point, const PluginTable& table) {
  std::vector<std::string> seen;
  for (const auto& [name, weight] : set.enabled) {
    const PluginEntry* entry = find_plugin(table, name);
    const std::string kind = interface_of(point);
    if (entry == nullptr) return no_such_plugin(kind, name);
    if (!entry->extends(static_cast<Point>(point))) {
      return invalid_argument(fmt::format("plugin \"{}\" does not extend {} plugin", name, kind));
    }
    if (has(seen, name)) {
      return invalid_argument(
          fmt::format("plugin \"{}\" already registered as \"{}\"", name, kind));
    }
    seen.push_back(name);
  }
  return {};
}

// Those of the point that multiPoint names too, then multiPoint's, then the others of the point.
Status expand_point(const PluginSets& sets, size_t point, const PluginTable& table,
                    std::vector<std::string>* out) {
  const PluginSet& own = sets.at[point];
  std::vector<std::string> overridden, from_multi;
  for (const auto& [name, weight] : sets.multi_point.enabled) {
    if (has(own.disabled, "*")) break;
    const PluginEntry* entry = find_plugin(table, name);
    const std::string kind = interface_of(point);
    if (entry == nullptr) return no_such_plugin(kind, name);
    if (!entry->extends(static_cast<Point>(point)) || has(own.disabled, name)) continue;
    if (has(own.enabled, name)) {
      overridden.push_back(name);
      continue;
    }
    if (has(from_multi, name)) {
      return invalid_argument(
          fmt::format("plugin \"{}\" already registered as \"{}\"", name, kind));
    }
    from_multi.push_back(name);
  }
  for (const auto& [name, weight] : own.enabled) {
    if (has(overridden, name)) out->push_back(name);
  }
  out->insert(out->end(), from_multi.begin(), from_multi.end());
  for (const auto& [name, weight] : own.enabled) {
    if (!has(overridden, name)) out->push_back(name);
  }
  return {};
}

// A filter or score that works with what its step before it computed needs that step.
Status check_needs(const PluginChoice& choice, const PluginTable& table) {
  for (const auto& [before, after] :
       {std::pair(Point::kPreFilter, Point::kFilter), std::pair(Point::kPreScore, Point::kScore)}) {
    for (const std::string& name : choice.at[static_cast<size_t>(after)]) {
      const PluginEntry& entry = *find_plugin(table, name);
      if ((entry.needs & point_bit(before)) == 0 ||
          has(choice.at[static_cast<size_t>(before)], name)) {
        continue;
      }
      return invalid_argument(fmt::format(
          "plugin \"{}\" is enabled at {} but not at {}, whose state it reads", name,
          kPointNames[static_cast<size_t>(after)], kPointNames[static_cast<size_t>(before)]));
    }
  }
  return {};
}

Status weigh(const PluginSets& sets, const PluginTable& table, PluginChoice* choice) {
  std::int64_t total = 0;
  std::vector<PluginSet::Plugin> all = sets.at[static_cast<size_t>(Point::kScore)].enabled;
  all.insert(all.end(), sets.multi_point.enabled.begin(), sets.multi_point.enabled.end());
  for (const auto& [name, said] : all) {
    const auto& known = choice->weights;
    if (!find_plugin(table, name)->extends(Point::kScore) ||
        std::any_of(known.begin(), known.end(), [&](const auto& w) { return w.first == name; })) {
      continue;
    }
    const std::int64_t weight = said == 0 ? 1 : said;
    total += weight * kScoreMax;
    if (total > std::numeric_limits<std::int64_t>::max() / kScoreMax / 1000) {
      return invalid_argument("total score of Score plugins could overflow");
    }
    choice->weights.emplace_back(name, weight);
  }
  return {};
}

}  // namespace

PluginSets read_plugin_sets(const json::value& value, const std::string& path, FormErrors& errors) {
  ObjectReader reader(value, path, errors);
  PluginSets sets;
  sets.multi_point = read_set(reader.find("multiPoint"), reader.path("multiPoint"), errors);
  for (size_t i = 0; i < kPoints; ++i) {
    sets.at[i] = read_set(reader.find(kPointNames[i]), reader.path(kPointNames[i]), errors);
  }
  return sets;
}

PluginSets merged_with_defaults(const PluginSets& said) {
  PluginSet defaults;
  for (const PluginEntry& entry : plugin_table()) {
    if (entry.by_default) defaults.enabled.push_back({std::string(entry.name), entry.weight});
  }
  PluginSets merged = said;
  merged.multi_point = merge(defaults, said.multi_point);
  return merged;
}

Status expand(const PluginSets& sets, const std::string& profile, const PluginTable& table,
              PluginChoice* choice) {
  for (size_t i = 0; i < kPoints; ++i) RETURN_IF_ERROR(check_own(sets.at[i], i, table));
  for (size_t i = 0; i < kPoints; ++i)
    RETURN_IF_ERROR(expand_point(sets, i, table, &choice->at[i]));
  const size_t sorters = choice->at[static_cast<size_t>(Point::kQueueSort)].size();
  if (sorters != 1) {
    return invalid_argument(fmt::format(
        "only one queue sort plugin required for profile with scheduler name \"{}\", but got {}",
        profile, sorters));
  }
  if (choice->at[static_cast<size_t>(Point::kBind)].empty()) {
    return invalid_argument(fmt::format(
        "at least one bind plugin is needed for profile with scheduler name \"{}\"", profile));
  }
  RETURN_IF_ERROR(check_needs(*choice, table));
  return weigh(sets, table, choice);
}

}  // namespace coracle::scheduler
