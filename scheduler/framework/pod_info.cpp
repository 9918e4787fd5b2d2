#include "framework/pod_info.hpp"

#include <algorithm>
#include <tuple>

#include "api/object.hpp"
#include "framework/pod_parts.hpp"

namespace coracle::scheduler {
namespace {

// No container gets what a container is taken to ask for that does not say.
bool asks_all(const json::value& pod) {
  const auto ask = [&pod](const char* list) {
    const json::array& containers = get_array(pod, list);
    return std::all_of(containers.begin(), containers.end(), [](const json::value& container) {
      const json::object& requests = get_object(container, "resources.requests");
      return find_member(requests, "cpu") != nullptr && find_member(requests, "memory") != nullptr;
    });
  };
  return ask("spec.containers") && ask("spec.initContainers");
}

void parse_spec(const json::value& pod, PodInfo& info) {
  info.node_name = get_string(pod, "spec.nodeName");
  info.scheduler_name = get_string(pod, "spec.schedulerName", "default-scheduler");
  info.priority = get_int(pod, "spec.priority");
  info.preempts = get_string(pod, "spec.preemptionPolicy") != "Never";
  for (const json::value& gate : get_array(pod, "spec.schedulingGates")) {
    info.gates.emplace_back(get_string(gate, "name"));
  }
  const std::string_view group = get_string(pod, "spec.schedulingGroup.podGroupName");
  if (!group.empty()) info.group = info.ns + "/" + std::string(group);
  info.requests = pod_requests(pod, false);
  info.scoring_requests = asks_all(pod) ? info.requests : pod_requests(pod, true);
  info.gpu = parse_gpu_ask(pod, info.requests);
  info.tolerations = api::parse_tolerations(get_array(pod, "spec.tolerations"));
  info.required_nodes = api::RequiredNodes::parse(pod);
  info.only_nodes = parse_only_nodes(pod);
  info.preferred_nodes = api::parse_preferred_nodes(
      get_array(pod, "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"));
  for (const char* path : {"spec.nodeSelector", "spec.affinity.nodeAffinity"}) {
    const json::value* rules = find(pod, path);
    if (rules != nullptr) info.node_rules += json::serialize(*rules) + "\n";
  }
  info.host_ports = parse_host_ports(pod);
  info.spread = parse_spread(pod);
  info.own_spread = !info.spread.empty();
  parse_pod_affinity(pod, info);
  parse_volumes(pod, info);
  info.device_claims = parse_device_claims(pod);
  for (const char* list : {"spec.initContainers", "spec.containers"}) {
    for (const json::value& container : get_array(pod, list)) {
      info.images.push_back(normal_image(get_string(container, "image")));
      for (const char* amounts : {"resources.requests", "resources.limits"}) {
        for (const auto& [name, amount] : get_object(container, amounts)) {
          if (is_extended(name)) info.resource_names.emplace(name);
        }
      }
    }
  }
  info.containers = static_cast<int>(info.images.size());
  info.features = parse_features(pod);
}

std::strong_ordering compare(const api::LabelSelector& a, const api::LabelSelector& b) {
  if (a.is_nothing() != b.is_nothing()) return a.is_nothing() <=> b.is_nothing();
  return std::lexicographical_compare_three_way(
      a.requirements().begin(), a.requirements().end(), b.requirements().begin(),
      b.requirements().end(), [](const api::LabelRequirement& x, const api::LabelRequirement& y) {
        return std::tie(x.key, x.op, x.values) <=> std::tie(y.key, y.op, y.values);
      });
}

}  // namespace

bool PodShape::tolerates_as(const PodShape& other) const {
  const auto alike = [](const api::Toleration& x, const api::Toleration& y) {
    const auto parts = [](const api::Toleration& t) {
      return std::tie(t.key, t.exists, t.value, t.any_effect, t.effect, t.seconds);
    };
    return parts(x) == parts(y);
  };
  return std::equal(tolerations.begin(), tolerations.end(), other.tolerations.begin(),
                    other.tolerations.end(), alike);
}

bool operator==(const PodShape& a, const PodShape& b) {
  return a.requests == b.requests && a.scoring_requests == b.scoring_requests &&
         a.node_name == b.node_name && a.host_ports == b.host_ports &&
         a.node_rules == b.node_rules && a.tolerates_as(b);
}

std::strong_ordering operator<=>(const PodTerm& a, const PodTerm& b) {
  const auto plain = [](const PodTerm& t) {
    return std::tie(t.topology_key, t.weight, t.namespaces, t.by_namespace_labels);
  };
  if (const auto order = plain(a) <=> plain(b); order != 0) return order;
  if (const auto order = compare(a.selector, b.selector); order != 0) return order;
  return compare(a.namespace_selector, b.namespace_selector);
}

bool HostPort::clashes(const HostPort& other) const {
  if (port != other.port || protocol != other.protocol) return false;
  return ip == other.ip || ip == "0.0.0.0" || other.ip == "0.0.0.0";
}

bool PodInfo::uses_claim(std::string_view claim) const {
  if (!claim.starts_with(ns) || claim.size() <= ns.size() || claim[ns.size()] != '/') return false;
  const std::string_view wanted = claim.substr(ns.size() + 1);
  const auto lists = [wanted](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), wanted) != names.end();
  };
  return lists(claims) || lists(ephemeral_claims);
}

PodPtr parse_pod(const json::value& pod) {
  auto info = std::make_shared<PodInfo>();
  info->ns = api::namespace_of(pod);
  info->name = api::name_of(pod);
  info->uid = api::uid_of(pod);
  info->key = info->ns + "/" + info->name;
  info->labels = api::labels_of(pod);
  info->deleting = !api::deletion_timestamp_of(pod).empty();
  const std::string_view phase = get_string(pod, "status.phase");
  info->finished = phase == "Succeeded" || phase == "Failed";
  if (const json::value* owner = api::controller_of(pod)) {
    info->owner_kind = get_string(*owner, "kind");
    info->owner_name = get_string(*owner, "name");
  }
  info->start_time = get_string(pod, "status.startTime");
  info->nominated_node = get_string(pod, "status.nominatedNodeName");
  for (const json::value& condition : get_array(pod, "status.conditions")) {
    if (get_string(condition, "type") == "DisruptionTarget") {
      info->unwanted = get_string(condition, "status") == "True" &&
                       get_string(condition, "reason") == "PreemptionByScheduler";
      info->preempted = info->unwanted && info->deleting;
    }
    if (get_string(condition, "type") != "PodScheduled") continue;
    info->scheduled_status = get_string(condition, "status");
    info->scheduled_reason = get_string(condition, "reason");
    info->scheduled_message = get_string(condition, "message");
  }
  parse_spec(pod, *info);
  return info;
}

PodPtr placed_on(const PodInfo& pod, const std::string& node,
                 const std::vector<std::uint8_t>& devices) {
  auto copy = std::make_shared<PodInfo>(pod);
  copy->node_name = node;
  if (copy->gpu != nullptr && !devices.empty()) {
    auto ask = std::make_shared<GpuAsk>(*copy->gpu);
    ask->given = devices;
    copy->gpu = std::move(ask);
  }
  return copy;
}

std::string normal_image(std::string_view image) {
  const size_t slash = image.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? image : image.substr(slash + 1);
  if (last.find_first_of(":@") != std::string_view::npos) return std::string(image);
  return std::string(image) + ":latest";
}

}  // namespace coracle::scheduler
