// The Node object and its Lease as a simulated kubelet writes them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::kubelet {

struct NodeFacts {
  std::string name;         // "node-1"
  std::string internal_ip;  // 127.32.0.1
  std::uint16_t kubelet_port = 0;
  std::string cpu = "4", memory = "8Gi", ephemeral_storage = "100Gi";
  int pods = 110;
  std::map<std::string, std::string> extended;  // further resources: "nvidia.com/gpu" -> "8"
  std::map<std::string, std::string> labels;    // beside those every node has; they win
  json::array taints;                           // it registers with: objects of spec.taints
  std::string kubelet_version = "v1.32.4";      // oldest one that stock tools of the course expect
  std::string boot_id;                          // empty: that of its first boot
};

// What else its conditions tell.
struct NodeHealth {
  bool memory_pressure = false, disk_pressure = false, shutting_down = false, booting = false;
  WallTime memory_since, disk_since, ready_since;  // of the last change
  bool ready() const { return !shutting_down && !booting; }
};
// The reasons of the Events ("NodeHasSufficientMemory") for what conditions tell anew; `before`: as
// they were told last, nothing at the start. Upstream's kubelet sends the same, and one that starts
// and is not ready says nothing of that.
std::vector<std::string_view> health_reasons(const std::optional<NodeHealth>& before,
                                             const NodeHealth& now);

json::value node_object(const NodeFacts& facts);
// status: capacity, conditions, addresses, versions.
json::value node_status(const NodeFacts& facts, WallTime now, const NodeHealth& health);
json::value node_lease(const NodeFacts& facts, const std::string& node_uid, Duration lives,
                       WallTime now);

}  // namespace coracle::kubelet
