#include "kubelet/node_usage.hpp"

#include <set>

namespace coracle::kubelet {

NodeUse NodeMeter::measure(std::vector<PodUse> pods, Instant now) {
  NodeUse node;
  node.started = started_.wall;
  node.at = now.wall;
  node.cpu_rate_nanos = static_cast<std::int64_t>(kSystemCpu * 1e9);
  node.memory_bytes = kSystemMemory;
  node.disk_bytes = kSystemDisk;
  std::map<std::pair<std::string, std::string>, Seen> still;
  std::map<std::string, std::int64_t> totals;
  for (PodUse& pod : pods) {
    std::int64_t& total = totals[pod.uid];
    if (const auto before = totals_.find(pod.uid); before != totals_.end()) total = before->second;
    for (ContainerUse& c : pod.containers) {
      const auto key = std::pair{pod.uid, c.name};
      Seen now_seen{c.started, c.cpu_nanos, now.now, c.cpu_nanos, 0};
      std::int64_t fresh = c.cpu_nanos;
      const auto before = seen_.find(key);
      const bool same = before != seen_.end() && before->second.started == c.started &&
                        before->second.cpu_nanos <= c.cpu_nanos;
      if (same) {
        const Seen& old = before->second;
        fresh -= old.cpu_nanos;
        const Duration past = now.now - old.rate_from;
        if (past >= kRateMin) {
          now_seen.rate =
              static_cast<std::int64_t>(static_cast<double>(c.cpu_nanos - old.rate_base) /
                                        static_cast<double>(past.count()) * 1e9);
        } else {
          now_seen.rate_from = old.rate_from;
          now_seen.rate_base = old.rate_base;
          now_seen.rate = old.rate;
        }
      } else if (const Duration age = now.wall - c.started; age > Duration(0)) {
        now_seen.rate = static_cast<std::int64_t>(static_cast<double>(c.cpu_nanos) /
                                                  static_cast<double>(age.count()) * 1e9);
      }
      c.cpu_rate_nanos = now_seen.rate;
      still[key] = now_seen;
      total += fresh;
      of_pods_ += fresh;
      pod.cpu_rate_nanos += c.cpu_rate_nanos;
      pod.memory_bytes += c.memory_bytes;
      pod.disk_bytes += c.disk_bytes;
    }
    pod.cpu_nanos = total;
    node.cpu_rate_nanos += pod.cpu_rate_nanos;
    node.memory_bytes += pod.memory_bytes;
    node.disk_bytes += pod.disk_bytes;
  }
  seen_ = std::move(still);
  totals_ = std::move(totals);
  const double up = static_cast<double>((now.now - started_.now).count());
  node.cpu_nanos = of_pods_ + static_cast<std::int64_t>(kSystemCpu * up);
  node.pods = std::move(pods);
  return node;
}

}  // namespace coracle::kubelet
