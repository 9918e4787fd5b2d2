#include "plugins/node_ports.hpp"

#include <algorithm>

namespace coracle::scheduler {

Verdict NodePorts::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  return pod.host_ports.empty() ? Verdict::skip() : Verdict::yes();
}

Verdict NodePorts::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (!node.port_clash(pod.host_ports)) return Verdict::yes();
  return Verdict::not_now("node(s) didn't have free ports for the requested pod ports");
}

bool NodePorts::helps(const PodInfo& pod, const Change& change) const {
  if (change.pod == nullptr) return true;
  const auto& freed = change.pod->host_ports;
  return std::any_of(freed.begin(), freed.end(), [&](const HostPort& port) {
    return std::any_of(pod.host_ports.begin(), pod.host_ports.end(),
                       [&](const HostPort& wanted) { return wanted.clashes(port); });
  });
}

}  // namespace coracle::scheduler
