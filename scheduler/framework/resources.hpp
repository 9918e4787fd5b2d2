// Resources: amounts of what pods request and nodes have, as integers. Value type. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace coracle::scheduler {

// What a container that requests nothing is taken for when nodes are scored.
inline constexpr std::int64_t kDefaultCpuMilli = 100;
inline constexpr std::int64_t kDefaultMemory = 200LL * 1024 * 1024;

struct Resources {
  std::int64_t cpu_milli = 0;
  std::int64_t memory = 0;                                    // bytes
  std::int64_t ephemeral_storage = 0;                         // bytes
  std::vector<std::pair<std::string, std::int64_t>> scalars;  // extended ones, by name

  void add(const Resources& other);
  void subtract(const Resources& other);
  void raise_to(const Resources& other);  // the larger of each
  std::int64_t scalar(std::string_view name) const;
  std::int64_t& scalar_slot(const std::string& name);
  // "cpu", "memory", "ephemeral-storage" or the name of an extended resource.
  std::int64_t amount(std::string_view name) const;
  friend bool operator==(const Resources&, const Resources&) = default;
};

// Neither cpu, memory nor ephemeral-storage.
bool is_extended(std::string_view resource);
// {"cpu": "100m", ...}; "pods" and what does not parse is left out.
Resources parse_resources(const json::object& amounts);
// What a pod needs: containers and sidecars together, or the largest init step if that is more;
// pod-level requests; overhead. `assume_defaults`: unnamed cpu and memory count as kDefault*.
Resources pod_requests(const json::value& pod, bool assume_defaults);

}  // namespace coracle::scheduler
