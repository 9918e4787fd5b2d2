#include "config/plugin_args_reader.hpp"

#include <fmt/format.h>

#include <set>

#include "api/object.hpp"
#include "config/gpu_args.hpp"
#include "config/node_affinity_args.hpp"
#include "config/process_reader.hpp"
#include "config/scoring_args.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

void read_preemption(ObjectReader& in, const FieldPath& path, FieldErrors& errors,
                     PluginArgs* args) {
  auto& [percentage, absolute] = args->preemption;
  in.read("minCandidateNodesPercentage", &percentage);
  in.read("minCandidateNodesAbsolute", &absolute);
  const FieldPath of_percentage = path.child("minCandidateNodesPercentage");
  const FieldPath of_absolute = path.child("minCandidateNodesAbsolute");
  if (percentage < 0 || percentage > 100) {
    errors.invalid(of_percentage, percentage, "not in valid range [0, 100]");
  }
  if (absolute < 0) errors.invalid(of_absolute, absolute, "not in valid range [0, inf)");
  if (percentage == 0 && absolute == 0) {
    errors.invalid(of_percentage, percentage,
                   "cannot be zero at the same time as minCandidateNodesAbsolute");
    errors.invalid(of_absolute, absolute,
                   "cannot be zero at the same time as minCandidateNodesPercentage");
  }
}

void read_pod_affinity(ObjectReader& in, const FieldPath& path, FieldErrors& errors,
                       PluginArgs* args) {
  in.read("hardPodAffinityWeight", &args->pod_affinity.hard_weight);
  in.read("ignorePreferredTermsOfExistingPods", &args->pod_affinity.ignore_preferred_of_existing);
  const std::int64_t weight = args->pod_affinity.hard_weight;
  if (weight < 0 || weight > 100) {
    errors.invalid(path.child("hardPodAffinityWeight"), weight, "not in valid range [0, 100]");
  }
}

void read_spread_constraint(const json::value& raw, const std::string& form_path,
                            const FieldPath& at, FormErrors& form, FieldErrors& errors,
                            SpreadConstraint& c, std::string& when) {
  ObjectReader in(raw, form_path, form);
  c.max_skew = 0;
  in.read("maxSkew", &c.max_skew);
  in.read("topologyKey", &c.topology_key);
  in.read("whenUnsatisfiable", &when);
  in.read("minDomains", &c.min_domains);
  std::string policy = "Honor", taints = "Ignore";
  in.read("nodeAffinityPolicy", &policy);
  in.read("nodeTaintsPolicy", &taints);
  c.honor_node_affinity = policy == "Honor";
  c.honor_taints = taints == "Honor";
  c.hard = when == "DoNotSchedule";
  if (c.max_skew <= 0) {
    errors.invalid(at.child("maxSkew"), c.max_skew, "not in valid range (0, inf)");
  }
  if (c.topology_key.empty()) {
    errors.required(at.child("topologyKey"), "can not be empty");
  } else {
    errors.invalid_each(at.child("topologyKey"), c.topology_key,
                        api::check_qualified_name(c.topology_key));
  }
  if (when.empty()) {
    errors.required(at.child("whenUnsatisfiable"), "can not be empty");
  } else if (when != "DoNotSchedule" && when != "ScheduleAnyway") {
    errors.not_supported(at.child("whenUnsatisfiable"), when, {"DoNotSchedule", "ScheduleAnyway"});
  }
  if (in.skip("labelSelector")) {
    errors.forbidden(at.child("labelSelector"),
                     "constraint must not define a selector, as they deduced for each pod");
  }
}

void read_spread(ObjectReader& in, const FieldPath& path, FormErrors& form, FieldErrors& errors,
                 PluginArgs* args) {
  std::string type;
  in.read("defaultingType", &type);
  if (type.empty()) type = "System";
  const json::array& list = in.list("defaultConstraints");
  if (type != "System" && type != "List") {
    errors.not_supported(path.child("defaultingType"), type, {"System", "List"});
  } else if (type == "System" && !list.empty()) {
    errors.invalid(path.child("defaultingType"), type, "when .defaultConstraints are not empty");
  }
  args->system_spread_defaults = type == "System";
  args->spread_defaults.clear();
  std::set<std::string> seen;
  size_t i = 0;
  for (const json::value& raw : list) {
    const FieldPath at = path.child("defaultConstraints").index(i);
    SpreadConstraint c;
    std::string when;
    read_spread_constraint(raw, in.path("defaultConstraints", i++), at, form, errors, c, when);
    const std::string what = fmt::format("{{{}, {}}}", c.topology_key, when);
    if (!seen.insert(what).second) errors.duplicate(at, what);
    args->spread_defaults.push_back(std::move(c));
  }
}

void read_volume_binding(ObjectReader& in, const FieldPath& path, FieldErrors& errors,
                         PluginArgs* args) {
  in.read("bindTimeoutSeconds", &args->bind_timeout_seconds);
  if (args->bind_timeout_seconds < 0) {
    errors.invalid(path.child("bindTimeoutSeconds"), args->bind_timeout_seconds,
                   "invalid BindTimeoutSeconds, should not be a negative value");
  }
  if (args->bind_timeout_seconds > kSecondsMax) {
    errors.invalid(path.child("bindTimeoutSeconds"), args->bind_timeout_seconds,
                   fmt::format("must not be greater than {}", kSecondsMax));
  }
  if (const json::value* shape = in.find("shape")) {
    errors.invalid(path.child("shape"), *shape,
                   "unexpected field `shape`, remove it or turn on the feature gate "
                   "StorageCapacityScoring");
  }
}

// Binding waits as long as VolumeBinding's, whatever bindingTimeout says.
void read_dynamic_resources(ObjectReader& in, const FieldPath& path, FieldErrors& errors,
                            PluginArgs* args) {
  const auto read = [&](const char* name, Duration least, const char* complaint, Duration* said) {
    std::string text;
    in.read(name, said);
    if (*said >= least) return;
    in.read(name, &text);
    errors.invalid(path.child(name), text, complaint);
  };
  Duration binding = std::chrono::seconds(600);
  read("filterTimeout", Duration(0), "must be zero or positive", &args->filter_timeout);
  read("bindingTimeout", std::chrono::seconds(1), "must be at least 1 second", &binding);
}

bool takes_arguments(const std::string& plugin) {
  for (const char* known : {"DefaultPreemption", "DynamicResources", "GpuShare", "InterPodAffinity",
                            "NodeAffinity", "NodeResourcesFit", "NodeResourcesBalancedAllocation",
                            "PodTopologySpread", "VolumeBinding"}) {
    if (plugin == known) return true;
  }
  return false;
}

}  // namespace

Status read_plugin_args(const std::string& plugin, const json::value& raw, const FieldPath& path,
                        FieldErrors& errors, PluginArgs* args) {
  if (!takes_arguments(plugin)) {
    return not_found(fmt::format("plugin \"{}\" takes no arguments", plugin));
  }
  const std::string group = "kubescheduler.config.k8s.io";
  const std::string want = plugin + "Args";
  FormErrors form;
  {
    ObjectReader in(raw, "", form);
    std::string kind = want, version = group + "/v1";
    in.read("kind", &kind);
    in.read("apiVersion", &version);
    if (kind != want || version != group + "/v1") {
      return invalid_argument(fmt::format("args for plugin {} were not of type {}.{}, got {}.{}",
                                          plugin, want, group, kind,
                                          version.substr(0, version.find('/'))));
    }
    if (plugin == "DefaultPreemption") read_preemption(in, path, errors, args);
    if (plugin == "DynamicResources") read_dynamic_resources(in, path, errors, args);
    if (plugin == "GpuShare") read_gpu(in, path, form, errors, &args->gpu);
    if (plugin == "InterPodAffinity") read_pod_affinity(in, path, errors, args);
    if (plugin == "NodeAffinity") {
      read_node_affinity(in, path, form, errors, &args->node_affinity);
    }
    if (plugin == "PodTopologySpread") read_spread(in, path, form, errors, args);
    if (plugin == "VolumeBinding") read_volume_binding(in, path, errors, args);
    if (plugin == "NodeResourcesFit") read_fit(in, path, form, errors, &args->fit);
    if (plugin == "NodeResourcesBalancedAllocation") {
      read_balanced(in, path, form, errors, &args->balanced);
    }
  }
  return form.status().with_context(fmt::format("decoding args for plugin {}", plugin));
}

}  // namespace coracle::scheduler
