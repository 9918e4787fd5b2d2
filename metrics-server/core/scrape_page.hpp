// scrape_page: what a kubelet's /metrics/resource says, as points to keep. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace coracle::metrics {

// What was measured of a node or a container at one time.
struct Point {
  WallTime started;  // when its CPU time was 0; the epoch: not said
  WallTime at;
  std::int64_t cpu_nanos = 0;  // used since then
  std::int64_t memory_bytes = 0;
};

using ContainerPoints = std::map<std::string, Point>;  // by the container's name
struct NodeScrape {
  std::optional<Point> node;
  std::map<std::string, ContainerPoints> pods;  // by "namespace/name"
};

// Lines that are none of ours count for nothing. Points without CPU time or without memory are left
// out, as are pods of which a container is without. `now`: the time of samples without one.
NodeScrape parse_resource_page(std::string_view page, WallTime now);

}  // namespace coracle::metrics
