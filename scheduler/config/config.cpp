#include "config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/yaml.hpp"
#include "config/extenders_reader.hpp"
#include "config/plugin_args_reader.hpp"
#include "config/plugin_sets.hpp"
#include "config/process_reader.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

constexpr const char* kVersion = "kubescheduler.config.k8s.io/v1";
constexpr const char* kDefaultName = "default-scheduler";

// A profile as the file has it.
struct Said {
  std::string name;
  std::optional<std::int64_t> percentage;
  PluginSets sets;
  PluginArgs args;
  PluginTable table = plugin_table();  // with those it declares
};

void check_percentage(const std::optional<std::int64_t>& percentage, const FieldPath& path,
                      FieldErrors& errors) {
  if (percentage && (*percentage < 0 || *percentage > 100)) {
    errors.invalid(path, *percentage, "not in valid range [0-100]");
  }
}

std::optional<std::int64_t> read_percentage(ObjectReader& in) {
  std::int64_t percentage = 0;
  if (!in.read("percentageOfNodesToScore", &percentage)) return std::nullopt;
  return percentage;
}

bool is_removed(const std::string& plugin) {
  const std::set<std::string> removed = {"AzureDiskLimits", "CinderLimits", "EBSLimits",
                                         "GCEPDLimits"};
  return removed.contains(plugin);
}

void refuse_removed(const FieldPath& path, const std::string& plugin, FieldErrors& errors) {
  errors.invalid(path, plugin,
                 fmt::format("was invalid in version \"v1\" (KubeSchedulerConfiguration is version "
                             "\"{}\")",
                             kVersion));
}

// A negative one would turn the plugin's preference round. 0: not said.
void check_weights(const PluginSet& set, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  for (size_t i = 0; i < set.enabled.size(); ++i) {
    const std::int64_t weight = set.enabled[i].weight;
    if (weight >= 0 && weight <= kMax) continue;
    errors.invalid(path.child("enabled").index(i).child("weight"), weight,
                   fmt::format("not in valid range [0, {}]", kMax));
  }
}

Status read_plugin_config(ObjectReader& profile, const FieldPath& path, FormErrors& form,
                          const LoadSharedObject& load, FieldErrors& errors, Said* said) {
  std::set<std::string> seen;
  size_t i = 0;
  for (const json::value& raw : profile.list("pluginConfig")) {
    const FieldPath at = path.child("pluginConfig").index(i);
    ObjectReader entry(raw, profile.path("pluginConfig", i++), form);
    std::string name;
    entry.read("name", &name);
    const json::value* given = entry.find("args");
    const bool again = !seen.insert(name).second;
    if (again) errors.duplicate(at, name);
    if (is_removed(name)) {
      refuse_removed(at, name, errors);
      continue;
    }
    if (declares_plugin(given)) {
      if (again) continue;
      auto entry = read_declared(said->name, name, *given, at.child("args"), load, errors);
      if (!entry.ok()) return entry.status().with_context("decoding ." + at.text());
      if (*entry) said->table.push_back(std::move(**entry));
      continue;
    }
    if (find_plugin(plugin_table(), name) == nullptr) {
      errors.invalid(at.child("name"), name, "plugin does not exist");
      continue;
    }
    if (given == nullptr) continue;
    const Status read = read_plugin_args(name, *given, at.child("args"), errors, &said->args);
    if (read.code() == Code::kNotFound) {
      errors.invalid(at.child("name"), name, "plugin takes no arguments");
    } else if (!read.ok()) {
      return read.with_context("decoding ." + at.text());
    }
  }
  return {};
}

// What can only be said of a profile beside those before it.
void check_name(const std::vector<Said>& before, const Said& said, const FieldPath& path,
                FieldErrors& errors) {
  for (size_t i = before.size(); i-- > 0;) {
    if (before[i].name != said.name) continue;
    return errors.duplicate(path.child("schedulerName"),
                            FieldPath("profiles").index(i).child("schedulerName").text());
  }
}

// `alone`: the only profile needs no name.
Result<Said> read_profile(const json::value& raw, const FieldPath& path, bool alone,
                          FormErrors& form, const LoadSharedObject& load, FieldErrors& errors) {
  Said said;
  ObjectReader in(raw, path.text(), form);
  const bool named = in.read("schedulerName", &said.name);
  if (!named && alone) said.name = kDefaultName;
  if (said.name.empty()) errors.required(path.child("schedulerName"));
  said.percentage = read_percentage(in);
  if (const json::value* plugins = in.find("plugins")) {
    said.sets = read_plugin_sets(*plugins, in.path("plugins"), form);
  }
  check_percentage(said.percentage, path.child("percentageOfNodesToScore"), errors);
  const FieldPath plugins = path.child("plugins");
  check_weights(said.sets.multi_point, plugins.child("multiPoint"), errors);
  for (size_t i = 0; i < kPoints; ++i) {
    const FieldPath point = plugins.child(kPointNames[i]);
    check_weights(said.sets.at[i], point, errors);
    const auto& enabled = said.sets.at[i].enabled;
    for (size_t j = 0; j < enabled.size(); ++j) {
      if (!is_removed(enabled[j].name)) continue;
      refuse_removed(point.child("enabled").index(j), enabled[j].name, errors);
    }
  }
  RETURN_IF_ERROR(read_plugin_config(in, path, form, load, errors, &said));
  return said;
}

// As upstream shows it: its internal form has no names of its own for JSON.
json::value shown(const PluginSet& set) {
  const auto list = [](const auto& all, const auto& plugin) {
    if (all.empty()) return json::value(nullptr);
    json::array out;
    for (const auto& one : all) out.push_back(plugin(one));
    return json::value(std::move(out));
  };
  const auto named = [](const std::string& name, std::int64_t weight) {
    return json::value{{"Name", name}, {"Weight", weight}};
  };
  return {
      {"Enabled", list(set.enabled, [&](const auto& p) { return named(p.name, p.weight); })},
      {"Disabled", list(set.disabled, [&](const std::string& name) { return named(name, 0); })}};
}

void check_queue_sorts(const std::vector<Said>& profiles, FieldErrors& errors) {
  const FieldPath path("profiles");
  constexpr auto kSort = static_cast<size_t>(Point::kQueueSort);
  const PluginSet& first = profiles[0].sets.at[kSort];
  if (first.enabled.size() > 1) {
    errors.invalid(path.index(0).child("plugins").child("queueSort").child("Enabled"),
                   static_cast<std::int64_t>(first.enabled.size()),
                   "only one queue sort plugin can be enabled");
  }
  for (size_t i = 1; i < profiles.size(); ++i) {
    const PluginSet& other = profiles[i].sets.at[kSort];
    if (other == first) continue;
    errors.invalid(path.index(i).child("plugins").child("queueSort"), shown(other),
                   "must be the same for all profiles");
  }
}

// A plugin that is declared and runs nowhere is a mistake.
Status check_used(const Said& said, const PluginChoice& choice) {
  for (size_t i = plugin_table().size(); i < said.table.size(); ++i) {
    const std::string& name = said.table[i].name;
    const bool used = std::any_of(choice.at.begin(), choice.at.end(), [&](const auto& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    });
    if (used) continue;
    return invalid_argument(fmt::format(
        "initializing profiles: creating profile for scheduler name {}: plugin \"{}\" is declared "
        "in pluginConfig but enabled at no point of plugins",
        said.name, name));
  }
  return {};
}

Status make_profiles(const std::vector<Said>& said, const std::optional<std::int64_t>& percentage,
                     Config* config) {
  std::set<std::string> left_to_extenders;
  for (const ExtenderConfig& extender : config->extenders) {
    left_to_extenders.insert(extender.ignored_by_scheduler.begin(),
                             extender.ignored_by_scheduler.end());
  }
  config->profiles.clear();
  for (const Said& one : said) {
    PluginChoice choice;
    const Status expanded = expand(merged_with_defaults(one.sets), one.name, one.table, &choice);
    if (!expanded.ok()) {
      return expanded.with_context(
          fmt::format("initializing profiles: creating profile for scheduler name {}", one.name));
    }
    RETURN_IF_ERROR(check_used(one, choice));
    PluginArgs args = one.args;
    args.fit.ignored.insert(left_to_extenders.begin(), left_to_extenders.end());
    Profile profile = make_profile(choice, args, one.table);
    profile.name = one.name;
    profile.asks_programs =
        std::any_of(profile.plugins.begin(), profile.plugins.end(),
                    [](const auto& plugin) { return plugin->is_asked_outside(); });
    profile.percentage_of_nodes = static_cast<int>(one.percentage.value_or(percentage.value_or(0)));
    config->profiles.push_back(std::move(profile));
  }
  return {};
}

}  // namespace

Status parse_config(std::string_view yaml, Config* config, const LoadSharedObject& load) {
  ASSIGN_OR_RETURN(const json::value document, parse_yaml_strict(yaml));
  const std::string version(get_string(document, "apiVersion"));
  const std::string kind(get_string(document, "kind"));
  if (version != kVersion || kind != "KubeSchedulerConfiguration") {
    return invalid_argument(
        fmt::format("no kind \"{}\" is registered for version \"{}\"; want apiVersion {}, kind "
                    "KubeSchedulerConfiguration",
                    kind, version, kVersion));
  }
  FormErrors form;
  FieldErrors errors;
  std::vector<Said> profiles;
  std::optional<std::int64_t> percentage;
  {  // in the order in which upstream checks
    ObjectReader in(document, "", form);
    for (const char* name : {"apiVersion", "kind"}) in.skip(name);
    read_process(in, form, errors, config);
    const json::array& list = in.list("profiles");
    for (const json::value& raw : list) {
      const FieldPath path = FieldPath("profiles").index(profiles.size());
      ASSIGN_OR_RETURN(Said said, read_profile(raw, path, list.size() == 1, form, load, errors));
      check_name(profiles, said, path, errors);
      profiles.push_back(std::move(said));
    }
    if (profiles.empty()) profiles.emplace_back().name = kDefaultName;
    check_queue_sorts(profiles, errors);
    percentage = read_percentage(in);
    check_percentage(percentage, FieldPath("percentageOfNodesToScore"), errors);
    read_backoff(in, errors, config);
    config->extenders = read_extenders(in, form, errors);
  }
  RETURN_IF_ERROR(form.status());
  if (!errors.empty()) return invalid_argument(errors.text());
  return make_profiles(profiles, percentage, config);
}

}  // namespace coracle::scheduler
