// What the pods of a node use, and the meter that adds it up. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace coracle::kubelet {

struct ContainerUse {
  std::string name;
  WallTime started;
  std::int64_t cpu_nanos = 0;  // since then
  std::int64_t memory_bytes = 0, disk_bytes = 0;
  std::int64_t cpu_rate_nanos = 0;  // a second; filled by the meter
  std::string image = {};
};

struct PodUse {
  std::string ns, name, uid;
  WallTime started;
  std::vector<ContainerUse> containers;  // that run
  // Filled by the meter. CPU counts the runs before the last, too.
  std::int64_t cpu_nanos = 0, cpu_rate_nanos = 0, memory_bytes = 0, disk_bytes = 0;
};

struct NodeUse {
  std::string name;
  WallTime started, at;
  std::int64_t cpu_nanos = 0, cpu_rate_nanos = 0, memory_bytes = 0, disk_bytes = 0;
  std::int64_t memory_capacity = 0, disk_capacity = 0;
  std::vector<PodUse> pods;
};

// NodeMeter: totals that never go back, although containers end, and rates: what was used since the
// last measurement that is at least kRateMin old. A container that ends between two measurements is
// counted up to the last of them. The node itself uses a little, which is made up: kSystemCpu and
// kSystemMemory.
//
// Bound: an entry a running container.
class NodeMeter {
 public:
  static constexpr Duration kRateMin = std::chrono::seconds(1);
  static constexpr double kSystemCpu = 0.02;  // cores
  static constexpr std::int64_t kSystemMemory = 200ll << 20, kSystemDisk = 1ll << 30;

  explicit NodeMeter(Instant started) : started_(started) {}

  // `pods` with what their containers use; the rest of it is filled in.
  NodeUse measure(std::vector<PodUse> pods, Instant now);

 private:
  struct Seen {
    WallTime started;
    std::int64_t cpu_nanos = 0;
    TimePoint rate_from;  // measured last for the rate
    std::int64_t rate_base = 0, rate = 0;
  };

  Instant started_;
  std::int64_t of_pods_ = 0;                                  // ever used by them
  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by uid and container
  std::map<std::string, std::int64_t> totals_;                // by uid
};

}  // namespace coracle::kubelet
