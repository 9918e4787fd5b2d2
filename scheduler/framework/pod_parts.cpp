#include "framework/pod_parts.hpp"

#include <algorithm>

#include "api/object.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr const char* kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

// The selector with the values that the pod itself has for `keys` (`op`: kIn, kNotIn).
api::LabelSelector with_own_labels(api::LabelSelector selector, const json::array& keys,
                                   api::LabelOp op, const json::object& labels) {
  if (keys.empty() || selector.is_nothing()) return selector;
  auto requirements = selector.requirements();
  for (const json::value& key : keys) {
    if (!key.is_string()) continue;
    const json::value* value = labels.if_contains(key.as_string());
    if (value == nullptr || !value->is_string()) continue;
    requirements.push_back({std::string(key.as_string()), op, {std::string(value->as_string())}});
  }
  std::stable_sort(requirements.begin(), requirements.end(),
                   [](const auto& a, const auto& b) { return a.key < b.key; });
  return api::LabelSelector::from_requirements(std::move(requirements));
}

api::LabelSelector parse_selector(const json::value* selector) {
  auto parsed = api::LabelSelector::from_object(selector);
  return parsed.ok() ? std::move(*parsed) : api::LabelSelector::nothing();
}

PodTerm parse_term(const json::value& term, const json::value& pod) {
  PodTerm parsed;
  const json::object& labels = api::labels_of(pod);
  parsed.selector = parse_selector(find(term, "labelSelector"));
  parsed.selector = with_own_labels(std::move(parsed.selector), get_array(term, "matchLabelKeys"),
                                    api::LabelOp::kIn, labels);
  parsed.selector =
      with_own_labels(std::move(parsed.selector), get_array(term, "mismatchLabelKeys"),
                      api::LabelOp::kNotIn, labels);
  for (const json::value& ns : get_array(term, "namespaces")) {
    if (ns.is_string()) parsed.namespaces.emplace_back(ns.as_string());
  }
  const json::value* ns_selector = find(term, "namespaceSelector");
  parsed.by_namespace_labels = ns_selector != nullptr && ns_selector->is_object();
  if (parsed.by_namespace_labels) parsed.namespace_selector = parse_selector(ns_selector);
  if (parsed.namespaces.empty() && !parsed.by_namespace_labels) {
    parsed.namespaces.emplace_back(api::namespace_of(pod));
  }
  std::sort(parsed.namespaces.begin(), parsed.namespaces.end());
  parsed.topology_key = get_string(term, "topologyKey");
  return parsed;
}

void parse_terms(const json::value& pod, const std::string& path, std::vector<PodTerm>& required,
                 std::vector<PodTerm>& preferred) {
  for (const json::value& term : get_array(pod, path + "." + kRequired)) {
    required.push_back(parse_term(term, pod));
  }
  for (const json::value& weighted : get_array(pod, path + "." + kPreferred)) {
    const json::value* term = find(weighted, "podAffinityTerm");
    if (term == nullptr) continue;
    preferred.push_back(parse_term(*term, pod));
    preferred.back().weight = get_int(weighted, "weight");
  }
}

void add_host_ports(const json::value& container, bool host_network, std::vector<HostPort>& ports) {
  for (const json::value& port : get_array(container, "ports")) {
    const std::int64_t number = host_network
                                    ? get_int(port, "hostPort", get_int(port, "containerPort"))
                                    : get_int(port, "hostPort");
    if (number <= 0) continue;
    ports.push_back({std::string(get_string(port, "hostIP", "0.0.0.0")),
                     std::string(get_string(port, "protocol", "TCP")), number});
    if (ports.back().ip.empty()) ports.back().ip = "0.0.0.0";
  }
}

}  // namespace

std::vector<HostPort> parse_host_ports(const json::value& pod) {
  std::vector<HostPort> ports;
  const bool host_network = get_bool(pod, "spec.hostNetwork");
  for (const json::value& container : get_array(pod, "spec.containers")) {
    add_host_ports(container, host_network, ports);
  }
  for (const json::value& container : get_array(pod, "spec.initContainers")) {
    if (get_string(container, "restartPolicy") != "Always") continue;
    add_host_ports(container, host_network, ports);
  }
  return ports;
}

std::vector<SpreadConstraint> parse_spread(const json::value& pod) {
  std::vector<SpreadConstraint> constraints;
  for (const json::value& entry : get_array(pod, "spec.topologySpreadConstraints")) {
    SpreadConstraint c;
    c.topology_key = get_string(entry, "topologyKey");
    c.max_skew = get_int(entry, "maxSkew", 1);
    c.min_domains = get_int(entry, "minDomains", 1);
    c.hard = get_string(entry, "whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule";
    c.honor_node_affinity = get_string(entry, "nodeAffinityPolicy", "Honor") == "Honor";
    c.honor_taints = get_string(entry, "nodeTaintsPolicy", "Ignore") == "Honor";
    c.selector =
        with_own_labels(parse_selector(find(entry, "labelSelector")),
                        get_array(entry, "matchLabelKeys"), api::LabelOp::kIn, api::labels_of(pod));
    constraints.push_back(std::move(c));
  }
  return constraints;
}

void parse_pod_affinity(const json::value& pod, PodInfo& info) {
  if (find_keys(pod, {"spec", "affinity"}) == nullptr) return;  // most pods
  parse_terms(pod, "spec.affinity.podAffinity", info.affinity, info.preferred_affinity);
  parse_terms(pod, "spec.affinity.podAntiAffinity", info.anti_affinity,
              info.preferred_anti_affinity);
}

std::optional<DiskUse> parse_disk(const json::value& source) {
  struct Simple {
    const char *member, *id;
    DiskUse::Kind kind;
  };
  constexpr Simple kSimple[] = {{"gcePersistentDisk", "pdName", DiskUse::Kind::kGce},
                                {"awsElasticBlockStore", "volumeID", DiskUse::Kind::kEbs},
                                {"azureDisk", "diskName", DiskUse::Kind::kAzure},
                                {"cinder", "volumeID", DiskUse::Kind::kCinder},
                                {"iscsi", "iqn", DiskUse::Kind::kIscsi}};
  for (const Simple& simple : kSimple) {
    const json::value* found = find(source, simple.member);
    if (found == nullptr) continue;
    return DiskUse{
        simple.kind, std::string(get_string(*found, simple.id)), {}, get_bool(*found, "readOnly")};
  }
  const json::value* rbd = find(source, "rbd");
  if (rbd == nullptr) return std::nullopt;
  DiskUse disk;
  disk.kind = DiskUse::Kind::kRbd;
  disk.id =
      std::string(get_string(*rbd, "pool", "rbd")) + "/" + std::string(get_string(*rbd, "image"));
  for (const json::value& monitor : get_array(*rbd, "monitors")) {
    if (monitor.is_string()) disk.monitors.emplace_back(monitor.as_string());
  }
  disk.read_only = get_bool(*rbd, "readOnly");
  return disk;
}

std::optional<std::set<std::string>> parse_only_nodes(const json::value& pod) {
  if (find_keys(pod, {"spec", "affinity"}) == nullptr) return std::nullopt;
  const json::array& terms =
      get_array(pod, std::string("spec.affinity.nodeAffinity.") + kRequired + ".nodeSelectorTerms");
  if (terms.empty()) return std::nullopt;
  std::set<std::string> all;
  for (const json::value& term : terms) {
    std::optional<std::set<std::string>> named;
    for (const json::value& field : get_array(term, "matchFields")) {
      if (get_string(field, "key") != "metadata.name" || get_string(field, "operator") != "In") {
        continue;
      }
      std::set<std::string> values;
      for (const json::value& value : get_array(field, "values")) {
        if (value.is_string() && (!named || named->contains(std::string(value.as_string())))) {
          values.emplace(value.as_string());
        }
      }
      named = std::move(values);
    }
    if (!named) return std::nullopt;
    all.merge(*named);
  }
  return all;
}

void parse_volumes(const json::value& pod, PodInfo& info) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (auto disk = parse_disk(volume)) info.disks.push_back(std::move(*disk));
    const std::string claim(get_string(volume, "persistentVolumeClaim.claimName"));
    if (!claim.empty() &&
        std::find(info.claims.begin(), info.claims.end(), claim) == info.claims.end()) {
      info.claims.push_back(claim);
    }
    if (find(volume, "ephemeral") != nullptr) {
      info.ephemeral_claims.push_back(info.name + "-" + std::string(get_string(volume, "name")));
    }
  }
}

std::vector<std::string> parse_features(const json::value& pod) {
  const auto restarts_all = [&pod](const char* list) {
    for (const json::value& container : get_array(pod, list)) {
      for (const json::value& rule : get_array(container, "restartPolicyRules")) {
        if (get_string(rule, "action") == "RestartAllContainers") return true;
      }
    }
    return false;
  };
  std::vector<std::string> features;
  if (restarts_all("spec.containers") || restarts_all("spec.initContainers")) {
    features.emplace_back("RestartAllContainersOnContainerExits");
  }
  const json::value* host_users = find(pod, "spec.hostUsers");
  if (get_bool(pod, "spec.hostNetwork") && host_users != nullptr && host_users->is_bool() &&
      !host_users->get_bool()) {
    features.emplace_back("UserNamespacesHostNetworkSupport");
  }
  return features;
}

}  // namespace coracle::scheduler
