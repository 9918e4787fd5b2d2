#include "config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/yaml.hpp"
#include "config/extenders_reader.hpp"
#include "config/plugin_args_reader.hpp"
#include "config/plugin_sets.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

constexpr const char* kVersion = "kubescheduler.config.k8s.io/v1";

// A profile as the file has it.
struct Said {
  std::string name;
  std::optional<std::int64_t> percentage;
  PluginSets sets;
  PluginArgs args;
  PluginTable table = plugin_table();  // with those it declares
};

// As Go prints it: 15s, 1m30s.
std::string duration_text(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  return seconds < 60 ? fmt::format("{}s", seconds)
                      : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

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
    if (!seen.insert(name).second) {
      errors.duplicate(at, name);
      continue;
    }
    if (is_removed(name)) {
      refuse_removed(at, name, errors);
      continue;
    }
    if (declares_plugin(given)) {
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

Result<Said> read_profile(const json::value& raw, size_t index, FormErrors& form,
                          const LoadSharedObject& load, FieldErrors& errors) {
  const FieldPath path = FieldPath("profiles").index(index);
  Said said;
  ObjectReader in(raw, path.text(), form);
  in.read("schedulerName", &said.name);
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

void read_election(const json::value* raw, FormErrors& form, FieldErrors& errors, Config* config) {
  if (raw == nullptr) return;
  ObjectReader in(*raw, "leaderElection", form);
  client::LeaderElectionOptions& election = config->election;
  std::string lock = "leases";
  in.read("leaderElect", &config->leader_elect);
  in.read("resourceLock", &lock);
  in.read("resourceName", &election.name);
  in.read("resourceNamespace", &election.namespace_name);
  in.read("leaseDuration", &election.lease_duration);
  in.read("renewDeadline", &election.renew_deadline);
  in.read("retryPeriod", &election.retry_period);
  if (!config->leader_elect) return;
  const FieldPath path("leaderElection");
  const auto text = [](Duration d) { return duration_text(d); };
  const std::pair<const char*, Duration> times[] = {{"leaseDuration", election.lease_duration},
                                                    {"renewDeadline", election.renew_deadline},
                                                    {"retryPeriod", election.retry_period}};
  for (const auto& [name, time] : times) {
    if (time <= Duration(0))
      errors.invalid(path.child(name), text(time), "must be greater than zero");
  }
  if (election.lease_duration <= election.renew_deadline) {
    errors.invalid(path.child("leaseDuration"), text(election.renew_deadline),
                   "LeaseDuration must be greater than RenewDeadline");
  }
  if (election.renew_deadline <= election.retry_period) {
    errors.invalid(path.child("renewDeadline"), text(election.retry_period),
                   "RenewDeadline must be greater than RetryPeriod");
  }
  if (lock != "leases") {
    errors.invalid(path.child("resourceLock"), lock, "resourceLock value must be \"leases\"");
  }
}

// What speaks of the process rather than of decisions.
void read_process(ObjectReader& in, FormErrors& form, FieldErrors& errors, Config* config) {
  if (const json::value* raw = in.find("clientConnection")) {
    ObjectReader connection(*raw, "clientConnection", form);
    connection.read("kubeconfig", &config->kubeconfig);
    for (const char* name : {"acceptContentTypes", "contentType", "qps"}) connection.skip(name);
    std::int64_t burst = 0;
    connection.read("burst", &burst);
    if (burst < 0)
      errors.invalid(FieldPath("clientConnection").child("burst"), burst, "must be non-negative");
  }
  std::int64_t parallelism = 16;
  in.read("parallelism", &parallelism);
  if (parallelism <= 0) {
    errors.invalid(FieldPath("parallelism"), parallelism,
                   "should be an integer value greater than zero");
  }
  for (const char* name :
       {"enableProfiling", "enableContentionProfiling", "delayCacheUntilActive"}) {
    bool unused = false;
    in.read(name, &unused);
  }
  in.read("podInitialBackoffSeconds", &config->backoff_first_seconds);
  in.read("podMaxBackoffSeconds", &config->backoff_max_seconds);
  if (config->backoff_first_seconds <= 0) {
    errors.invalid(FieldPath("podInitialBackoffSeconds"), config->backoff_first_seconds,
                   "must be greater than 0");
  }
  if (config->backoff_max_seconds < config->backoff_first_seconds) {
    errors.invalid(FieldPath("podMaxBackoffSeconds"), config->backoff_max_seconds,
                   "must be greater than or equal to PodInitialBackoffSeconds");
  }
}

void check_profiles(const std::vector<Said>& profiles, FieldErrors& errors) {
  const FieldPath path("profiles");
  for (size_t i = 0; i < profiles.size(); ++i) {
    if (profiles[i].name.empty()) errors.required(path.index(i).child("schedulerName"));
    for (size_t before = 0; before < i; ++before) {
      if (profiles[before].name != profiles[i].name) continue;
      errors.duplicate(path.index(i).child("schedulerName"),
                       path.index(before).child("schedulerName").text());
      break;
    }
  }
  constexpr auto kSort = static_cast<size_t>(Point::kQueueSort);
  const PluginSet& first = profiles[0].sets.at[kSort];
  if (first.enabled.size() > 1) {
    errors.invalid(path.index(0).child("plugins").child("queueSort").child("Enabled"),
                   static_cast<std::int64_t>(first.enabled.size()),
                   "only one queue sort plugin can be enabled");
  }
  for (size_t i = 1; i < profiles.size(); ++i) {
    if (profiles[i].sets.at[kSort] == first) continue;
    errors.invalid(path.index(i).child("plugins").child("queueSort"), json::object(),
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
  {
    ObjectReader in(document, "", form);
    for (const char* name : {"apiVersion", "kind"}) in.skip(name);
    read_process(in, form, errors, config);
    read_election(in.find("leaderElection"), form, errors, config);
    size_t i = 0;
    for (const json::value& raw : in.list("profiles")) {
      ASSIGN_OR_RETURN(Said said, read_profile(raw, i++, form, load, errors));
      profiles.push_back(std::move(said));
    }
    percentage = read_percentage(in);
    config->extenders = read_extenders(in, form, errors);
  }
  RETURN_IF_ERROR(form.status());
  if (profiles.empty()) profiles.emplace_back();
  if (profiles.size() == 1 && profiles[0].name.empty()) profiles[0].name = "default-scheduler";
  check_profiles(profiles, errors);
  check_percentage(percentage, FieldPath("percentageOfNodesToScore"), errors);
  if (!errors.empty()) return invalid_argument(errors.text());
  return make_profiles(profiles, percentage, config);
}

}  // namespace coracle::scheduler
