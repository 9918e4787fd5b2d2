#include "plugins/queue_plugins.hpp"

#include "base/strings.hpp"

namespace coracle::scheduler {

Verdict SchedulingGates::pre_enqueue(const PodInfo& pod, const Snapshot&) const {
  if (pod.gates.empty()) return Verdict::yes();
  return Verdict::never("waiting for scheduling gates: [" + join(pod.gates, " ") + "]");
}

std::optional<json::value> DefaultBinder::bind(const PodInfo& pod, const std::string& node) const {
  json::object metadata{{"name", pod.name}, {"namespace", pod.ns}, {"uid", pod.uid}};
  if (pod.gpu != nullptr && !pod.gpu->given.empty()) {
    metadata["annotations"] = json::object{{kGpuDevices, devices_text(pod.gpu->given)}};
  }
  return json::object{{"apiVersion", "v1"},
                      {"kind", "Binding"},
                      {"metadata", std::move(metadata)},
                      {"target", json::object{{"kind", "Node"}, {"name", node}}}};
}

}  // namespace coracle::scheduler
