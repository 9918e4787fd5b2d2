// Devices a simulated node has, as its annotation (or the flag --node-devices) says, and the
// ResourceSlices that announce them. Pure.
//
//   lab.coracle.dev/devices: gpu.coracle.dev 2 model=a100 memory=40Gi; nic.coracle.dev 1
//
// For each driver: how many, and what all of them are: a quantity with a unit is a capacity, the
// rest are attributes (integers, true and false, semantic versions, texts). Devices are named after
// the driver's first label: gpu-0, gpu-1; each has an `index` and a `uuid` of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::kubelet {

inline constexpr char kDevicesAnnotation[] = "lab.coracle.dev/devices";
// Of slices that were made here.
inline constexpr char kDevicesLabel[] = "lab.coracle.dev/simulated-devices";
inline constexpr int kDevicesMax = 128;  // of one driver, as upstream allows in a slice

struct DeviceSet {
  std::string driver;
  int count = 0;
  json::object attributes, capacity;  // as in a ResourceSlice
};

// InvalidArgument: which part says what, and what it should.
Result<std::vector<DeviceSet>> parse_device_sets(std::string_view text);

// The slice of one driver on a node; `generation` is of its pool.
json::value device_slice(const DeviceSet& set, const std::string& node, const std::string& node_uid,
                         std::int64_t generation);
// Whether two slices announce the same, whatever their generation.
bool same_devices(const json::value& slice, const json::value& other);

}  // namespace coracle::kubelet
