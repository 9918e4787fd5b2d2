// Eviction: when a node runs short of memory or disk, what it tells and which pod must go. Pure
// (upstream: pkg/kubelet/eviction): hard thresholds, one pod a look.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/node_usage.hpp"

namespace coracle::kubelet {

inline constexpr std::int64_t kMemoryLeft = 100ll << 20;  // memory.available
inline constexpr double kDiskLeft = 0.10;                 // nodefs.available, of the capacity
inline constexpr Duration kPressureStays = std::chrono::minutes(5);  // after it was seen last

// Memory and disk of a node, in short.
struct NodeFill {
  std::int64_t memory_bytes = 0, memory_capacity = 0, disk_bytes = 0, disk_capacity = 0;
  bool memory_short() const { return memory_capacity - memory_bytes < kMemoryLeft; }
  bool disk_short() const {
    return static_cast<double>(disk_capacity - disk_bytes) <
           kDiskLeft * static_cast<double>(disk_capacity);
  }
};

// What a node says of itself. Pressure stays for a while, so that pods do not come and go.
class NodePressure {
 public:
  // Whether something changed that must be told.
  bool see(const NodeFill& fill, Instant now);
  bool memory() const { return memory_.on; }
  bool disk() const { return disk_.on; }
  WallTime memory_since() const { return memory_.since; }
  WallTime disk_since() const { return disk_.since; }

 private:
  struct Flag {
    bool on = false;
    TimePoint seen;
    WallTime since;
    bool see(bool now_short, Instant now);
  };
  Flag memory_, disk_;
};

struct EvictionCandidate {
  const json::value* pod = nullptr;
  const PodUse* use = nullptr;
};
struct Eviction {
  std::string uid, message, resource;
};
// The pod that goes first: one over its request before others, then the less important, then the
// one most over its request. Nothing: nobody is short, or only critical pods are left.
std::optional<Eviction> choose_eviction(const NodeFill& fill,
                                        const std::vector<EvictionCandidate>& pods);

bool is_critical(const json::value& pod);
// Why a node under pressure does not take a pod; empty: it does.
std::string refuse_under_pressure(const json::value& pod, const NodePressure& pressure);

}  // namespace coracle::kubelet
