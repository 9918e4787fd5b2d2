// UsageStore: the last two points of every node and container, and what was used between them
// (upstream: metrics-server's pkg/storage). Pure; one owner.
//
// Bound: two points a node and container of the last scrape; what it does not show is forgotten.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics_core/scrape_page.hpp"

namespace coracle::metrics {

struct Usage {
  WallTime at;
  Duration window{};
  std::int64_t cpu_nanos = 0;  // a second
  std::int64_t memory_bytes = 0;
};
struct PodUsage {
  WallTime at;  // the oldest of its containers'
  Duration window{};
  std::map<std::string, Usage> containers;
};

class UsageStore {
 public:
  // A container younger than a scrape is shown by what it used since its start, if it is this old.
  static constexpr Duration kFreshMin = std::chrono::seconds(10);

  explicit UsageStore(Duration resolution) : resolution_(resolution) {}

  // One round: what each node that answered said.
  void store(const std::map<std::string, NodeScrape>& round);
  // Nothing: not known (yet).
  std::optional<Usage> of_node(const std::string& name) const;
  std::optional<PodUsage> of_pod(const std::string& key) const;
  bool ready() const { return !nodes_before_.empty(); }

 private:
  using Points = std::map<std::string, Point>;
  using Pods = std::map<std::string, ContainerPoints>;

  Duration resolution_;
  Points nodes_, nodes_before_;
  Pods pods_, pods_before_;
};

}  // namespace coracle::metrics
