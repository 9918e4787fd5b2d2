#include "gpu_demand/policy_config.hpp"

#include <fmt/format.h>

#include <array>

#include "api/quantity.hpp"
#include "plugins/registry.hpp"

namespace coracle::sim {
namespace {

constexpr std::array<const char*, 4> kChoices{"BestFit", "WorstFit", "Random", "Fragmentation"};

std::string typical_line(const scheduler::TypicalPod& pod) {
  std::string line = fmt::format("      - {{cpu: \"{}\", gpuMilli: {}, share: {:.6f}",
                                 api::Quantity::from_milli(pod.cpu_milli).text(),
                                 pod.devices * pod.milli, pod.share);
  if (!pod.models.empty()) line += fmt::format(", gpuModels: [{}]", fmt::join(pod.models, ", "));
  return line + "}\n";
}

}  // namespace

std::string policy_config(const GpuPolicy& policy, const GpuDemandTrace& trace) {
  const bool before = scheduler::find_plugin(scheduler::plugin_table(), policy.plugin)
                          ->extends(scheduler::Point::kPreScore);
  std::string text =
      fmt::format(R"(apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
percentageOfNodesToScore: 100
profiles:
- schedulerName: default-scheduler
  plugins:
    multiPoint: {{enabled: [{{name: GpuShare}}]}}
    preScore: {{disabled: [{{name: "*"}}]{}}}
    score: {{disabled: [{{name: "*"}}], enabled: [{{name: {}}}]}}
  pluginConfig:
  - name: GpuShare
    args:
      deviceChoice: {}
      typicalPods:
)",
                  before ? fmt::format(", enabled: [{{name: {}}}]", policy.plugin) : "",
                  policy.plugin, kChoices.at(static_cast<size_t>(policy.choice)));
  for (const scheduler::TypicalPod& pod : trace.typical) text += typical_line(pod);
  return text;
}

}  // namespace coracle::sim
