#include "config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/yaml.hpp"

namespace coracle::scheduler {
namespace {

using Names = std::initializer_list<std::string_view>;

Status bad(const std::string& path, std::string_view what) {
  return invalid_argument(fmt::format("{}: {}", path, what));
}

// An object of these members and no others.
Status expect_object(const json::value& value, const std::string& path, Names known) {
  if (!value.is_object()) return bad(path.empty() ? "document" : path, "must be an object");
  for (const auto& [key, member] : value.as_object()) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) != known.end()) continue;
    const std::string name(key);
    return invalid_argument(
        fmt::format("unknown field \"{}\"", path.empty() ? name : path + "." + name));
  }
  return {};
}

// What a set of plugins is changed by: names switched off, weights of those switched on.
struct Choice {
  bool all_off = false;
  std::map<std::string, bool> on;
  std::map<std::string, std::int64_t> weights;
};

Status parse_choice(const json::value& set, const std::string& path, bool scores, Choice* choice) {
  RETURN_IF_ERROR(expect_object(set, path, {"enabled", "disabled"}));
  for (const bool enable : {false, true}) {
    const char* list = enable ? "enabled" : "disabled";
    const json::array& entries = get_array(set, list);
    for (size_t i = 0; i < entries.size(); ++i) {
      const std::string at = fmt::format("{}.{}[{}]", path, list, i);
      RETURN_IF_ERROR(expect_object(entries[i], at, {"name", "weight"}));
      const std::string name(get_string(entries[i], "name"));
      if (!enable && name == "*") {
        choice->all_off = true;
        continue;
      }
      const PluginEntry* plugin = find_plugin(name);
      if (plugin == nullptr) return bad(at + ".name", fmt::format("unknown plugin \"{}\"", name));
      if (!(scores ? plugin->scores : plugin->filters)) {
        return bad(at + ".name", fmt::format("plugin \"{}\" has no such part", name));
      }
      choice->on[name] = enable;
      const std::int64_t weight = get_int(entries[i], "weight");
      if (weight < 0) return bad(at + ".weight", "must not be negative");
      if (enable && weight > 0) choice->weights[name] = weight;
    }
  }
  return {};
}

Status parse_fit_args(const json::value& args, const std::string& path, PluginArgs* out) {
  RETURN_IF_ERROR(expect_object(args, path, {"apiVersion", "kind", "scoringStrategy"}));
  const json::value* strategy = find(args, "scoringStrategy");
  if (strategy == nullptr) return {};
  const std::string at = path + ".scoringStrategy";
  RETURN_IF_ERROR(expect_object(*strategy, at, {"type", "resources"}));
  const std::string_view type = get_string(*strategy, "type", "LeastAllocated");
  if (type != "LeastAllocated" && type != "MostAllocated") {
    return bad(at + ".type", fmt::format("unsupported strategy \"{}\"", type));
  }
  out->fit_strategy.type = type == "LeastAllocated" ? ScoringStrategy::Type::kLeastAllocated
                                                    : ScoringStrategy::Type::kMostAllocated;
  const json::array& resources = get_array(*strategy, "resources");
  if (!resources.empty()) out->fit_strategy.resources.clear();
  for (size_t i = 0; i < resources.size(); ++i) {
    const std::string entry = fmt::format("{}.resources[{}]", at, i);
    RETURN_IF_ERROR(expect_object(resources[i], entry, {"name", "weight"}));
    const std::int64_t weight = get_int(resources[i], "weight", 1);
    if (weight < 1 || weight > 100) return bad(entry + ".weight", "must be 1 to 100");
    out->fit_strategy.resources.push_back({std::string(get_string(resources[i], "name")), weight});
  }
  return {};
}

Status parse_plugin_config(const json::array& configs, const std::string& path, PluginArgs* out) {
  for (size_t i = 0; i < configs.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    RETURN_IF_ERROR(expect_object(configs[i], at, {"name", "args"}));
    const std::string_view name = get_string(configs[i], "name");
    if (name != "NodeResourcesFit") {
      return bad(at + ".name", fmt::format("plugin \"{}\" takes no arguments", name));
    }
    const json::value* args = find(configs[i], "args");
    if (args != nullptr) RETURN_IF_ERROR(parse_fit_args(*args, at + ".args", out));
  }
  return {};
}

Profile make_profile(const Choice& filters, const Choice& scores, const PluginArgs& args) {
  const auto chosen = [](const Choice& choice, std::string_view name, bool by_default) {
    const auto said = choice.on.find(std::string(name));
    return said != choice.on.end() ? said->second : by_default && !choice.all_off;
  };
  Profile profile;
  for (const PluginEntry& entry : plugin_table()) {
    const bool filter = entry.filters && chosen(filters, entry.name, true);
    const bool score = entry.scores && chosen(scores, entry.name, entry.score_weight > 0);
    if (!filter && !score && !entry.post_filters) continue;
    profile.plugins.push_back(entry.make(args));
    const Plugin* plugin = profile.plugins.back().get();
    if (filter) profile.filters.push_back(plugin);
    if (entry.post_filters) profile.post_filters.push_back(plugin);
    if (!score) continue;
    const auto weight = scores.weights.find(std::string(entry.name));
    profile.scorers.push_back({plugin, weight != scores.weights.end()
                                           ? weight->second
                                           : std::max<std::int64_t>(1, entry.score_weight)});
  }
  return profile;
}

Result<Profile> parse_profile(const json::value& value, const std::string& path, int percentage) {
  RETURN_IF_ERROR(expect_object(
      value, path, {"schedulerName", "plugins", "pluginConfig", "percentageOfNodesToScore"}));
  Choice filters, scores;
  if (const json::value* plugins = find(value, "plugins")) {
    RETURN_IF_ERROR(expect_object(*plugins, path + ".plugins", {"filter", "score"}));
    const auto take = [&](const char* point, bool as_scores, Choice* choice) -> Status {
      const json::value* set = find(*plugins, point);
      if (set == nullptr) return {};
      return parse_choice(*set, path + ".plugins." + point, as_scores, choice);
    };
    RETURN_IF_ERROR(take("filter", false, &filters));
    RETURN_IF_ERROR(take("score", true, &scores));
  }
  PluginArgs args;
  RETURN_IF_ERROR(
      parse_plugin_config(get_array(value, "pluginConfig"), path + ".pluginConfig", &args));
  Profile profile = make_profile(filters, scores, args);
  profile.name = get_string(value, "schedulerName", "default-scheduler");
  profile.percentage_of_nodes =
      static_cast<int>(get_int(value, "percentageOfNodesToScore", percentage));
  return profile;
}

Status parse_election(const json::value& value, Config* config) {
  const std::string path = "leaderElection";
  RETURN_IF_ERROR(expect_object(value, path,
                                {"leaderElect", "leaseDuration", "renewDeadline", "retryPeriod",
                                 "resourceLock", "resourceName", "resourceNamespace"}));
  config->leader_elect = get_bool(value, "leaderElect", config->leader_elect);
  config->election.name = get_string(value, "resourceName", config->election.name);
  config->election.namespace_name =
      get_string(value, "resourceNamespace", config->election.namespace_name);
  const std::pair<const char*, Duration*> times[] = {
      {"leaseDuration", &config->election.lease_duration},
      {"renewDeadline", &config->election.renew_deadline},
      {"retryPeriod", &config->election.retry_period}};
  for (const auto& [name, slot] : times) {
    const std::string_view text = get_string(value, name);
    if (text.empty()) continue;
    const auto parsed = parse_duration(text);
    if (!parsed.ok()) return bad(path + "." + name, parsed.status().message());
    *slot = *parsed;
  }
  return {};
}

}  // namespace

Status parse_config(std::string_view yaml, Config* config) {
  ASSIGN_OR_RETURN(const json::value document, parse_yaml_one(yaml));
  RETURN_IF_ERROR(expect_object(
      document, "",
      {"apiVersion", "kind", "profiles", "leaderElection", "percentageOfNodesToScore",
       "clientConnection", "parallelism", "podInitialBackoffSeconds", "podMaxBackoffSeconds"}));
  if (get_string(document, "apiVersion") != "kubescheduler.config.k8s.io/v1" ||
      get_string(document, "kind") != "KubeSchedulerConfiguration") {
    return invalid_argument(
        "want apiVersion kubescheduler.config.k8s.io/v1, kind KubeSchedulerConfiguration");
  }
  const std::int64_t percentage = get_int(document, "percentageOfNodesToScore");
  if (percentage < 0 || percentage > 100)
    return bad("percentageOfNodesToScore", "must be 0 to 100");
  if (const json::value* election = find(document, "leaderElection")) {
    RETURN_IF_ERROR(parse_election(*election, config));
  }
  const json::array& profiles = get_array(document, "profiles");
  if (!profiles.empty()) config->profiles.clear();
  for (size_t i = 0; i < profiles.size(); ++i) {
    const std::string path = fmt::format("profiles[{}]", i);
    ASSIGN_OR_RETURN(Profile profile,
                     parse_profile(profiles[i], path, static_cast<int>(percentage)));
    for (const Profile& other : config->profiles) {
      if (other.name == profile.name) return bad(path + ".schedulerName", "is taken already");
    }
    config->profiles.push_back(std::move(profile));
  }
  return {};
}

}  // namespace coracle::scheduler
