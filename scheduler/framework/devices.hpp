// Devices: what placement reads of resource.k8s.io: claims, classes, the devices that slices
// announce, and which of them are allocated. Pure; the owner is the cache's Snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/cel/value.hpp"
#include "api/node_selector.hpp"
#include "api/quantity.hpp"
#include "api/taints.hpp"
#include "framework/storage.hpp"

namespace coracle::scheduler {

// Where a slice's devices, or one device, can be reached from.
struct DeviceReach {
  bool anywhere = false;
  std::string node;                          // if not empty, this one only
  std::vector<api::NodeSelectorTerm> terms;  // else: one must match
  SharedObject object;                       // the slice
  const json::value* selector = nullptr;     // spec.nodeSelector in it

  bool holds(const api::NodeLabels& node) const;
};

using Amounts = std::map<std::string, api::Quantity>;  // by name

// What a device takes of a set of counters that the devices of its pool share.
struct CounterUse {
  std::string set;
  Amounts counters;
};

struct Device {
  std::string id;  // "driver/pool/name"
  std::string name;
  const json::value* tree = nullptr;  // its entry in the slice
  api::cel::Value value;              // what selectors call `device`
  std::vector<api::Taint> taints;
  std::optional<DeviceReach> reach;  // its own; nothing: the slice's
  std::vector<CounterUse> counters;
  bool shared = false;  // among several allocations, by its capacities
  // A field that is not understood ("bindingConditions"); empty: none. Such a device is not
  // allocated.
  std::string beyond;
};

struct DeviceSlice {
  SharedObject object;
  std::string name, driver, pool;
  std::int64_t generation = 0, pool_slices = 0;
  DeviceReach reach;
  std::vector<Device> devices;
  std::map<std::string, Amounts> counters;  // what there is, by set
  bool sets_twice = false;                  // two of them have one name

  const DeviceReach& reach_of(const Device& device) const {
    return device.reach ? *device.reach : reach;
  }
  // Never fails: the apiserver has validated.
  static std::shared_ptr<const DeviceSlice> parse(const SharedObject& object);
};
using SlicePtr = std::shared_ptr<const DeviceSlice>;

// The devices that allocations hold, and what they hold of the capacities of shared ones.
class HeldDevices {
 public:
  void add(const json::value& allocation) { count(allocation, 1); }
  void remove(const json::value& allocation) { count(allocation, -1); }
  bool holds(const std::string& device_id) const { return devices_.contains(device_id); }
  // By full names ("domain/name"); null: nothing.
  const Amounts* consumed_of(const std::string& device_id) const;

 private:
  void count(const json::value& allocation, int sign);
  std::map<std::string, int> devices_;       // by id: results that have it
  std::map<std::string, Amounts> consumed_;  // by id
};

class DeviceWorld {
 public:
  // Nothing is said about claims before all of this was seen once.
  bool known = false;
  std::map<std::string, SharedObject> classes;  // by name

  // Null: it went.
  void set_claim(const std::string& key, SharedObject claim);  // "namespace/name"
  void set_slice(const std::string& name, SharedObject slice);
  const json::value* claim(std::string_view key) const { return Storage::find(claims_, key); }
  const std::map<std::string, SharedObject>& claims() const { return claims_; }

  const HeldDevices& held() const { return held_; }
  // By uid: whether what it holds is in held().
  bool is_allocated(const std::string& claim_uid) const { return allocated_.contains(claim_uid); }

  // A pool's newest generation, or what is known of it.
  struct Pool {
    std::string driver, name;
    std::vector<SlicePtr> slices;             // by name
    bool complete = false;                    // as many as they say there are
    bool ambiguous = false;                   // two devices with one name
    std::map<std::string, Amounts> counters;  // of all its slices, by set
    // Two sets have one name, or a device names a counter that is not there.
    bool miscounted = false;
  };
  // In order of driver and name. The slices are all of the pool's, reached from anywhere.
  const std::map<std::string, Pool>& pools() const { return pools_; }
  // Pools with something that may be reached from that node: O(those).
  std::vector<const Pool*> pools_for(const std::string& node) const;

 private:
  void settle_pool(const std::string& key);

  std::map<std::string, SharedObject> claims_;
  HeldDevices held_;
  std::set<std::string> allocated_;  // uids of claims
  std::map<std::string, SlicePtr> slices_;
  std::map<std::string, std::map<std::string, SlicePtr>> by_pool_;  // then by name
  std::map<std::string, Pool> pools_;                               // by "driver/pool"
  std::map<std::string, std::set<std::string>> pools_on_;  // node -> pools; "": of several nodes
};

std::string device_id(std::string_view driver, std::string_view pool, std::string_view device);
// Of a result of an allocation.
std::string device_id(const json::value& result);
// "memory" of a driver is "driver/memory".
std::string full_name(std::string_view driver, std::string_view name);

}  // namespace coracle::scheduler
