#include "daemonset/placement.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"

namespace coracle::controllers::daemon_set {
namespace {

constexpr char kRequired[] =
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
constexpr char kTemplateGeneration[] = "deprecated.daemonset.template.generation";

struct Borne {
  const char *key, *effect;
  bool host_network_only = false;
};
// A daemon stays when its node has trouble: it may be what mends it.
constexpr Borne kAlwaysBorne[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},
    {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"},
    {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},
    {"node.kubernetes.io/unschedulable", "NoSchedule"},
    {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
};

// One with the same key, effect, operator and value gives way to ours (which has no time limit).
void bear(json::array& tolerations, const Borne& borne) {
  json::object ours{{"effect", borne.effect}, {"key", borne.key}, {"operator", "Exists"}};
  for (json::value& have : tolerations) {
    const bool same = get_string(have, "key") == borne.key &&
                      get_string(have, "effect") == borne.effect &&
                      get_string(have, "operator") == "Exists" && get_string(have, "value").empty();
    if (!same) continue;
    have = std::move(ours);
    return;
  }
  tolerations.push_back(std::move(ours));
}

json::array tolerations_of(const json::value& set) {
  json::array all = get_array(set, "spec.template.spec.tolerations");
  const bool host_network = get_bool(set, "spec.template.spec.hostNetwork");
  for (const Borne& borne : kAlwaysBorne) {
    if (!borne.host_network_only || host_network) bear(all, borne);
  }
  return all;
}

bool bears_all(const std::vector<api::Taint>& taints, const std::vector<api::Toleration>& bearing,
               bool no_execute_only) {
  return std::all_of(taints.begin(), taints.end(), [&](const api::Taint& taint) {
    const bool counts = taint.effect == api::TaintEffect::kNoExecute ||
                        (taint.effect == api::TaintEffect::kNoSchedule && !no_execute_only);
    return !counts || api::tolerated_by(taint, bearing) != nullptr;
  });
}

}  // namespace

Placement::Placement(const json::value& set)
    : only_node_(get_string(set, "spec.template.spec.nodeName")),
      required_(api::RequiredNodes::parse(get_object(set, "spec.template"))),
      tolerations_(api::parse_tolerations(tolerations_of(set))) {}

Fit Placement::fit(const json::value& node) const {
  const std::string_view name = api::name_of(node);
  if (!only_node_.empty() && only_node_ != name) return {};
  if (!required_.matches({&api::labels_of(node), name})) return {};
  const auto taints = api::parse_taints(get_array(node, "spec.taints"));
  const bool run = bears_all(taints, tolerations_, false);
  return {run, run || bears_all(taints, tolerations_, true)};
}

json::value pod_for(const json::value& set, const std::string& node, const std::string& hash) {
  json::value made = get_object(set, "spec.template");
  json::object& labels = make_object(made, "metadata.labels");
  if (const auto number = api::annotation_of(set, kTemplateGeneration); !number.empty()) {
    labels[kGenerationLabel] = number;
  }
  labels[kRevisionLabel] = hash;
  set_path(made, "spec.tolerations", tolerations_of(set));
  json::object field{{"key", "metadata.name"}, {"operator", "In"}};
  field["values"] = json::array({json::value(node)});
  json::object term;
  term["matchFields"] = json::array({json::value(std::move(field))});
  // The set's own terms were checked against the node already.
  set_path(made, std::string(kRequired) + ".nodeSelectorTerms",
           json::array({json::value(std::move(term))}));
  return pod_from_template(set, made);
}

std::string target_node(const json::value& pod) {
  if (const auto bound = get_string(pod, "spec.nodeName"); !bound.empty())
    return std::string(bound);
  const json::value* required = find(pod, kRequired);
  if (required == nullptr) return {};
  for (const json::value& term : get_array(*required, "nodeSelectorTerms")) {
    for (const json::value& field : get_array(term, "matchFields")) {
      const json::array& values = get_array(field, "values");
      if (get_string(field, "key") == "metadata.name" && get_string(field, "operator") == "In" &&
          values.size() == 1 && values[0].is_string()) {
        return std::string(values[0].get_string());
      }
    }
  }
  return {};
}

}  // namespace coracle::controllers::daemon_set
