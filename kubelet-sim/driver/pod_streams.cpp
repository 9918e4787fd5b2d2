#include "kubelet_driver/pod_streams.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"

namespace coracle::kubelet {

Result<std::unique_ptr<StreamSession>> PodStreams::exec(const ContainerRef& ref,
                                                        const ExecSpec& spec,
                                                        std::shared_ptr<StreamSink> sink) {
  const std::string uid = pods_.uid_of(ref.ns, ref.pod);
  if (uid.empty()) return not_found(fmt::format("pod \"{}/{}\" not found", ref.ns, ref.pod));
  const std::string name = ref.container.empty() ? pods_.first_container(uid) : ref.container;
  const PodMachine* machine = pods_.find(ref.ns, ref.pod);
  const ContainerMachine* container = machine == nullptr ? nullptr : machine->container(name);
  if (container == nullptr) {
    return not_found(fmt::format("container not found (\"{}\")", name));
  }
  if (!container->running()) {
    return failed_precondition(fmt::format("container not found (\"{}\")", name));
  }
  ProcessRuntime* runtime = pods_.runner().runtime();
  if (!container->real() || runtime == nullptr) {
    const std::string what = spec.command.empty()
                                 ? "there is nothing to attach to"
                                 : "\"" + join(spec.command, " ") + "\" cannot be run";
    return failed_precondition(
        fmt::format("container {} is scripted, no process stands behind it: {}", name, what));
  }
  return runtime->exec({uid, name}, spec, std::move(sink));
}

Result<std::string> PodStreams::address_of(const std::string& ns, const std::string& pod) const {
  const PodMachine* machine = pods_.find(ns, pod);
  if (machine == nullptr) return not_found(fmt::format("pod \"{}/{}\" not found", ns, pod));
  return machine->place().pod_ip;
}

}  // namespace coracle::kubelet
