#include "kubelet/node_object.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace coracle::kubelet {
namespace {

json::value condition(const char* type, bool status, const char* reason, const char* message,
                      WallTime now, WallTime since) {
  json::object c;
  c["lastHeartbeatTime"] = format_time(now);
  c["lastTransitionTime"] = format_time(since);
  c["message"] = message;
  c["reason"] = reason;
  c["status"] = status ? "True" : "False";
  c["type"] = type;
  return c;
}

// Stable for a node: a machine keeps its ids over restarts.
std::string machine_id(const NodeFacts& facts, const char* what) {
  return hex_encode(sha256(facts.name + "/" + what)).substr(0, 32);
}

}  // namespace

std::vector<std::string_view> health_reasons(const std::optional<NodeHealth>& before,
                                             const NodeHealth& now) {
  std::vector<std::string_view> reasons;
  if (!before || before->memory_pressure != now.memory_pressure) {
    reasons.push_back(now.memory_pressure ? "NodeHasInsufficientMemory"
                                          : "NodeHasSufficientMemory");
  }
  if (!before || before->disk_pressure != now.disk_pressure) {
    reasons.push_back(now.disk_pressure ? "NodeHasDiskPressure" : "NodeHasNoDiskPressure");
  }
  if (!before) reasons.push_back("NodeHasSufficientPID");
  if (before ? before->ready() != now.ready() : now.ready()) {
    reasons.push_back(now.ready() ? "NodeReady" : "NodeNotReady");
  }
  return reasons;
}

json::value node_object(const NodeFacts& facts) {
  json::value node = json::object();
  set_path(node, "apiVersion", json::value("v1"));
  set_path(node, "kind", json::value("Node"));
  set_path(node, "metadata.name", json::value(facts.name));
  json::object& labels = make_object(node, "metadata.labels");
  labels["beta.kubernetes.io/arch"] = "amd64";
  labels["beta.kubernetes.io/os"] = "linux";
  labels["kubernetes.io/arch"] = "amd64";
  labels["kubernetes.io/hostname"] = facts.name;
  labels["kubernetes.io/os"] = "linux";
  for (const auto& [name, value] : facts.labels) labels[name] = value;
  json::object& spec = make_object(node, "spec");
  if (!facts.taints.empty()) spec["taints"] = facts.taints;
  return node;
}

json::value node_status(const NodeFacts& facts, WallTime now, const NodeHealth& health) {
  json::value status = json::object();
  for (const char* kind : {"allocatable", "capacity"}) {
    json::object& amounts = make_object(status, kind);
    amounts["cpu"] = facts.cpu;
    amounts["ephemeral-storage"] = facts.ephemeral_storage;
    amounts["memory"] = facts.memory;
    amounts["pods"] = std::to_string(facts.pods);
    for (const auto& [name, amount] : facts.extended) amounts[name] = amount;
  }
  json::array conditions;
  const WallTime since = health.ready_since;
  const auto pressure = [&](const char* type, bool on, WallTime changed, const char* reason,
                            const char* message) {
    conditions.push_back(condition(type, on, reason, message, now, std::max(changed, since)));
  };
  if (health.memory_pressure) {
    pressure("MemoryPressure", true, health.memory_since, "KubeletHasInsufficientMemory",
             "kubelet has insufficient memory available");
  } else {
    pressure("MemoryPressure", false, health.memory_since, "KubeletHasSufficientMemory",
             "kubelet has sufficient memory available");
  }
  if (health.disk_pressure) {
    pressure("DiskPressure", true, health.disk_since, "KubeletHasDiskPressure",
             "kubelet has disk pressure");
  } else {
    pressure("DiskPressure", false, health.disk_since, "KubeletHasNoDiskPressure",
             "kubelet has no disk pressure");
  }
  conditions.push_back(condition("PIDPressure", false, "KubeletHasSufficientPID",
                                 "kubelet has sufficient PID available", now, since));
  const char* const why_not = health.shutting_down ? "node is shutting down"
                              : health.booting
                                  ? "container runtime status check may not have completed yet"
                                  : nullptr;
  conditions.push_back(why_not != nullptr
                           ? condition("Ready", false, "KubeletNotReady", why_not, now, since)
                           : condition("Ready", true, "KubeletReady",
                                       "kubelet is posting ready status", now, since));
  set_path(status, "conditions", std::move(conditions));
  json::array addresses;
  addresses.push_back(json::object({{"address", facts.internal_ip}, {"type", "InternalIP"}}));
  addresses.push_back(json::object({{"address", facts.name}, {"type", "Hostname"}}));
  set_path(status, "addresses", std::move(addresses));
  set_path(status, "daemonEndpoints.kubeletEndpoint.Port", json::value(facts.kubelet_port));
  json::object& info = make_object(status, "nodeInfo");
  info["architecture"] = "amd64";
  info["bootID"] = facts.boot_id.empty() ? machine_id(facts, "boot") : facts.boot_id;
  info["containerRuntimeVersion"] = "sim://1.0";
  info["kernelVersion"] = "6.1.0";
  info["kubeProxyVersion"] = "";
  info["kubeletVersion"] = facts.kubelet_version;
  info["machineID"] = machine_id(facts, "machine");
  info["operatingSystem"] = "linux";
  info["osImage"] = "Simulated Linux";
  info["systemUUID"] = machine_id(facts, "system");
  return status;
}

json::value node_lease(const NodeFacts& facts, const std::string& node_uid, Duration lives,
                       WallTime now) {
  json::value lease = json::object();
  set_path(lease, "apiVersion", json::value("coordination.k8s.io/v1"));
  set_path(lease, "kind", json::value("Lease"));
  set_path(lease, "metadata.name", json::value(facts.name));
  set_path(lease, "metadata.namespace", json::value("kube-node-lease"));
  json::array owners;
  owners.push_back(json::object(
      {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", facts.name}, {"uid", node_uid}}));
  set_path(lease, "metadata.ownerReferences", std::move(owners));
  set_path(lease, "spec.holderIdentity", json::value(facts.name));
  set_path(lease, "spec.leaseDurationSeconds",
           json::value(std::chrono::duration_cast<std::chrono::seconds>(lives).count()));
  set_path(lease, "spec.renewTime", json::value(format_micro_time(now)));
  return lease;
}

}  // namespace coracle::kubelet
