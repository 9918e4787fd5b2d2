// GPUs in parts: what a pod asks of a node's devices, and what is left of each
// (docs/formats/gpu-sharing.md). A device is 1000 milli. Value types. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "framework/resources.hpp"

namespace coracle::scheduler {

inline constexpr std::string_view kGpuMilli = "lab.coracle.dev/gpu-milli";      // resource
inline constexpr std::string_view kGpuModel = "lab.coracle.dev/gpu-model";      // label of a node
inline constexpr std::string_view kGpuModels = "lab.coracle.dev/gpu-models";    // annotation
inline constexpr std::string_view kGpuDevices = "lab.coracle.dev/gpu-devices";  // annotation

inline constexpr int kDeviceMilli = 1000;
inline constexpr int kDevicesMax = 64;  // of a node; more are not looked at

// Whether a device of this model will do. No models: any will.
bool allows_model(const std::vector<std::string>& models, std::string_view model);

struct GpuAsk {
  int devices = 0, milli = 0;       // so many devices, so much of each
  std::vector<std::string> models;  // one of these; empty: any
  std::vector<std::uint8_t> given;  // the devices it has; empty: not told yet
  std::string wrong;                // why no node can serve it; then the rest counts for nothing

  bool shares() const { return devices == 1 && milli < kDeviceMilli; }
  int total() const { return devices * milli; }
  bool allows(std::string_view model) const { return allows_model(models, model); }
};
// Null: the pod asks for none.
std::shared_ptr<const GpuAsk> parse_gpu_ask(const json::value& pod, const Resources& requests);
// "0,3"; and the other way round, empty when it is no such list.
std::string devices_text(const std::vector<std::uint8_t>& devices);
std::vector<std::uint8_t> parse_devices(std::string_view text);

// What pods leave of a node's devices.
class GpuUse {
 public:
  // Of so many devices, all free.
  explicit GpuUse(int devices = 0) : free_(static_cast<size_t>(devices), kDeviceMilli) {}

  const std::vector<int>& free() const { return free_; }  // milli, by device, 0..kDeviceMilli
  int devices() const { return static_cast<int>(free_.size()); }
  int free_total() const;
  int free_whole() const;  // devices nobody uses
  // How many devices have so much free.
  int count_with(int milli) const;
  bool fits(const GpuAsk& ask) const { return count_with(ask.milli) >= ask.devices; }

  // How many pods of each kind are there: 0 for those that share a device, else by their devices.
  const std::vector<std::pair<int, int>>& kinds() const { return kinds_; }
  static int kind_of(const GpuAsk& ask) { return ask.shares() ? 0 : ask.devices; }

  // Takes these devices' parts; who takes more than there is leaves nothing.
  void take(const GpuAsk& ask, const std::vector<std::uint8_t>& devices);
  // Of those that fit the tightest, for a pod nobody gave devices; the freest if none fits.
  std::vector<std::uint8_t> tightest(const GpuAsk& ask) const;

 private:
  std::vector<int> free_;
  std::vector<std::pair<int, int>> kinds_;  // by kind, ascending
};

}  // namespace coracle::scheduler
