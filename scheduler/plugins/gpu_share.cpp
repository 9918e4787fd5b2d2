#include "plugins/gpu_share.hpp"

#include "plugins/gpu_choice.hpp"

namespace coracle::scheduler {

Verdict GpuShare::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  if (pod.gpu == nullptr) return Verdict::skip();
  return pod.gpu->wrong.empty() ? Verdict::yes() : Verdict::never(pod.gpu->wrong);
}

Verdict GpuShare::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (pod.gpu == nullptr) return Verdict::yes();
  const GpuAsk& ask = *pod.gpu;
  if (node.gpus().devices() == 0) return Verdict::never("node(s) had no GPU");
  if (!ask.allows(node.facts().gpu_model)) {
    return Verdict::never("node(s) had GPUs of a model the pod does not allow");
  }
  if (node.gpus().devices() < ask.devices) return Verdict::never("node(s) had too few GPUs");
  if (node.gpus().fits(ask)) return Verdict::yes();
  return Verdict::not_now(ask.shares() ? "node(s) had no GPU with enough of it free"
                                       : "node(s) had too few free GPUs");
}

Verdict GpuShare::reserve(const PodInfo& pod, const std::string& name, const Snapshot& world,
                          Reservations& reservations) const {
  if (pod.gpu == nullptr) return Verdict::yes();
  const NodeInfo* node = world.nodes.find(name);
  if (node == nullptr) return Verdict::not_now("node(s) had gone");
  std::vector<std::uint8_t> devices = choose_devices(args_, pod, *node);
  if (devices.empty()) return Verdict::not_now("node(s) had too few free GPUs");
  reservations.give_devices(pod.uid, std::move(devices));
  return Verdict::yes();
}

void GpuShare::unreserve(const PodInfo& pod, const std::string&, Reservations& reservations) const {
  reservations.take_back_devices(pod.uid);
}

bool GpuShare::helps(const PodInfo& pod, const Change& change) const {
  return change.node == nullptr || turned_by_node(*this, pod, change);
}

}  // namespace coracle::scheduler
