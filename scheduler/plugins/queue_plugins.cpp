#include "plugins/queue_plugins.hpp"

#include "base/strings.hpp"

namespace coracle::scheduler {

Verdict SchedulingGates::pre_enqueue(const PodInfo& pod, const Snapshot&) const {
  if (pod.gates.empty()) return Verdict::yes();
  return Verdict::never("waiting for scheduling gates: [" + join(pod.gates, " ") + "]");
}

std::optional<json::value> DefaultBinder::bind(const PodInfo& pod, const std::string& node) const {
  json::value binding = json::object();
  set_path(binding, "apiVersion", json::value("v1"));
  set_path(binding, "kind", json::value("Binding"));
  set_path(binding, "metadata.name", json::value(pod.name));
  set_path(binding, "metadata.namespace", json::value(pod.ns));
  set_path(binding, "metadata.uid", json::value(pod.uid));
  if (pod.gpu != nullptr && !pod.gpu->given.empty()) {
    make_object(binding, "metadata.annotations")[kGpuDevices] = devices_text(pod.gpu->given);
  }
  set_path(binding, "target.kind", json::value("Node"));
  set_path(binding, "target.name", json::value(node));
  return binding;
}

}  // namespace coracle::scheduler
