#include "plugins/node_ports.hpp"

namespace coracle::scheduler {

Verdict NodePorts::pre_filter(const PodInfo& pod, const Snapshot&, StatePtr*) const {
  return pod.host_ports.empty() ? Verdict::skip() : Verdict::yes();
}

Verdict NodePorts::filter(const PodInfo& pod, const NodeInfo& node, const PluginState*) const {
  if (!node.port_clash(pod.host_ports)) return Verdict::yes();
  return Verdict::not_now("node(s) didn't have free ports for the requested pod ports");
}

bool NodePorts::helps(const PodInfo&, const Change& change) const {
  return change.pod == nullptr || !change.pod->host_ports.empty();
}

}  // namespace coracle::scheduler
