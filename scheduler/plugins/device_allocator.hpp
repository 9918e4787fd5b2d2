// Which devices claims get on a node: a search over the devices that can be reached from there, in
// the order of their pools, slices and names, with a step back where a request is left with nothing
// (upstream: staging/src/k8s.io/dynamic-resource-allocation/structured). Pure.
//
// Bounds: kResultsMax devices a claim; of a node so many devices are looked at (one may be several
// times) as the configured time allows, at a fixed rate: a limit by the clock would make the same
// world give another decision on a slower machine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/snapshot.hpp"
#include "plugins/selector_cache.hpp"

namespace coracle::scheduler {

// What one request, or one alternative of `firstAvailable`, asks for.
struct DeviceAsk {
  std::string name;  // "gpu", "gpu/small"
  const json::value* device_class = nullptr;
  std::vector<SelectorPtr> selectors;  // the class's first
  std::size_t class_selectors = 0;     // so many are the class's
  bool is_alternative = false;         // of `firstAvailable`
  bool admin_access = false;           // takes nothing from anybody, also what is in use
  bool all = false;
  std::size_t count = 1;  // unless `all`
  // capacity.requests: of each device at least so much, and of a shared one no more.
  std::map<std::string, api::Quantity> capacities;
  std::vector<api::Toleration> tolerations;
  const json::array* tolerations_tree = nullptr;
};

// All values of an attribute must have one in common, or none.
struct DeviceConstraint {
  std::set<std::string> requests;  // empty: all
  std::string attribute;           // "domain/name"
  bool distinct = false;
  bool is_about(const std::string& request) const;
};

struct ClaimAsk {
  std::string key;  // "namespace/name"
  std::string uid;
  const json::value* claim = nullptr;
  std::vector<std::vector<DeviceAsk>> requests;  // the alternatives of each, in order
  std::vector<DeviceConstraint> constraints;
};

class DeviceAllocator {
 public:
  static constexpr std::size_t kStepsPerSecond = 10'000;  // any machine is faster
  static constexpr std::size_t kStepsMax = 1'000'000;
  // Devices looked at in that time, kStepsMax at most; 0: kStepsMax.
  static std::size_t steps_within(Duration timeout);

  // FailedPrecondition: a class is not there ("request gpu: device class x does not exist").
  // InvalidArgument: an expression that is stored does not compile.
  static Result<ClaimAsk> parse(const std::string& key, const json::value& claim,
                                const DeviceWorld& world, SelectorCache& selectors);

  // The claims' status.allocation, as they are given; nothing when the node has not what they ask.
  // `taken`: promised to others. InvalidArgument: an expression failed for a device; of
  // the devices that a claim asks for there are more than a claim may have; all devices are asked
  // for where a pool is not whole, or not all may be had together. FailedPrecondition: not on this
  // node, where a pool names two devices alike. ResourceExhausted: steps_max.
  static Result<std::optional<std::vector<json::value>>> allocate(
      const std::vector<ClaimAsk>& claims, const DeviceWorld& world, const HeldDevices& taken,
      const NodeFacts& node, std::size_t steps_max);

  // How near to what is wanted most an allocation of it is: of each request with alternatives 8 for
  // the first, 7 for the second ..
  static bool is_scored(const ClaimAsk& claim);
  static std::int64_t score(const ClaimAsk& claim, const json::value& allocation);

  // What of the node's devices is not understood, for people: `field -> devices that have it`.
  static std::map<std::string, int> devices_beyond(const DeviceWorld& world, const NodeFacts& node);
};

}  // namespace coracle::scheduler
