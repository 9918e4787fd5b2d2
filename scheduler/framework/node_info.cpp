#include "framework/node_info.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "base/check.hpp"

namespace coracle::scheduler {

std::optional<std::string_view> NodeFacts::topology(std::string_view key) const {
  const json::value* value = labels.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->as_string());
}

std::shared_ptr<const NodeFacts> parse_node(const json::value& node) {
  auto facts = std::make_shared<NodeFacts>();
  facts->name = api::name_of(node);
  facts->labels = api::labels_of(node);
  facts->unschedulable = get_bool(node, "spec.unschedulable");
  facts->taints = api::parse_taints(get_array(node, "spec.taints"));
  const json::object& allocatable = get_object(node, "status.allocatable");
  facts->allocatable = parse_resources(allocatable);
  const auto pods = api::Quantity::parse(get_string(node, "status.allocatable.pods"));
  facts->pods_max = pods.ok() ? pods->value() : 0;
  const std::int64_t gpu_milli = facts->allocatable.scalar(kGpuMilli);
  facts->gpus =
      static_cast<int>(std::clamp<std::int64_t>(gpu_milli / kDeviceMilli, 0, kDevicesMax));
  facts->gpu_model = api::label_of(node, kGpuModel);
  for (const auto& [name, amount] : facts->allocatable.scalars) {
    if (name.starts_with("attachable-volumes-")) facts->volume_limits[name] = amount;
  }
  for (const json::value& feature : get_array(node, "status.declaredFeatures")) {
    if (feature.is_string()) facts->features.emplace(feature.as_string());
  }
  for (const json::value& image : get_array(node, "status.images")) {
    for (const json::value& name : get_array(image, "names")) {
      if (!name.is_string()) continue;
      facts->images[normal_image(name.as_string())] = get_int(image, "sizeBytes");
    }
  }
  return facts;
}

bool NodeInfo::port_clash(const std::vector<HostPort>& wanted) const {
  if (port_pods_ == 0 || wanted.empty()) return false;
  for (const PodPtr& pod : pods_) {
    for (const HostPort& taken : pod->host_ports) {
      for (const HostPort& port : wanted) {
        if (taken.clashes(port)) return true;
      }
    }
  }
  return false;
}

void NodeInfo::set_facts(std::shared_ptr<const NodeFacts> facts) {
  facts_ = std::move(facts);
  count_gpus();
}

void NodeInfo::add(PodPtr pod) {
  count(*pod, 1);
  const bool on_gpus = pod->gpu != nullptr;
  pods_.push_back(std::move(pod));
  if (on_gpus) count_gpus();
}

PodPtr NodeInfo::remove(const std::string& key) {
  const auto at =
      std::find_if(pods_.begin(), pods_.end(), [&](const PodPtr& pod) { return pod->key == key; });
  CHECK_MSG(at != pods_.end(), "pod " << key << " is not on node " << name_);
  PodPtr pod = *at;
  pods_.erase(at);
  count(*pod, -1);
  if (pod->gpu != nullptr) count_gpus();
  return pod;
}

// Anew from the pods: O(pods of the node). First those that have their devices.
void NodeInfo::count_gpus() {
  gpus_ = GpuUse(known() ? facts_->gpus : 0);
  if (gpus_.devices() == 0) return;
  for (const bool given : {true, false}) {
    for (const PodPtr& pod : pods_) {
      if (pod->gpu == nullptr || pod->gpu->given.empty() == given) continue;
      gpus_.take(*pod->gpu, given ? pod->gpu->given : gpus_.tightest(*pod->gpu));
    }
  }
}

void NodeInfo::count(const PodInfo& pod, int sign) {
  if (sign > 0) {
    used_.add(pod.requests);
    scoring_used_.add(pod.scoring_requests);
  } else {
    used_.subtract(pod.requests);
    scoring_used_.subtract(pod.scoring_requests);
  }
  if (!pod.host_ports.empty()) port_pods_ += sign;
}

}  // namespace coracle::scheduler
