#include "framework/gpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::scheduler {

bool allows_model(const std::vector<std::string>& models, std::string_view model) {
  return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

std::shared_ptr<const GpuAsk> parse_gpu_ask(const json::value& pod, const Resources& requests) {
  const std::int64_t total = requests.scalar(kGpuMilli);
  if (total <= 0) return nullptr;
  auto ask = std::make_shared<GpuAsk>();
  if (total < kDeviceMilli) {
    ask->devices = 1;
    ask->milli = static_cast<int>(total);
  } else if (total % kDeviceMilli == 0 && total <= kDeviceMilli * kDevicesMax) {
    ask->devices = static_cast<int>(total / kDeviceMilli);
    ask->milli = kDeviceMilli;
  } else {
    ask->wrong =
        fmt::format("{} {} is neither a part of one device nor 1 to {} whole ones (1000 each)",
                    kGpuMilli, total, kDevicesMax);
  }
  for (const std::string& model : split(api::annotation_of(pod, kGpuModels), ',')) {
    const std::string name(trim(model));
    if (!name.empty()) ask->models.push_back(name);
  }
  ask->given = parse_devices(api::annotation_of(pod, kGpuDevices));
  return ask;
}

std::string devices_text(const std::vector<std::uint8_t>& devices) {
  return fmt::format("{}", fmt::join(devices, ","));
}

std::vector<std::uint8_t> parse_devices(std::string_view text) {
  std::vector<std::uint8_t> devices;
  for (const std::string& part : split(text, ',')) {
    long long number = 0;
    if (!parse_int(part, &number) || number < 0 || number >= kDevicesMax) return {};
    const auto device = static_cast<std::uint8_t>(number);
    if (std::find(devices.begin(), devices.end(), device) != devices.end()) return {};
    devices.push_back(device);
  }
  return devices;
}

int GpuUse::free_total() const { return std::accumulate(free_.begin(), free_.end(), 0); }

int GpuUse::free_whole() const { return count_with(kDeviceMilli); }

int GpuUse::count_with(int milli) const {
  return static_cast<int>(
      std::count_if(free_.begin(), free_.end(), [milli](int free) { return free >= milli; }));
}

void GpuUse::take(const GpuAsk& ask, const std::vector<std::uint8_t>& devices) {
  for (const std::uint8_t device : devices) {
    if (device < free_.size()) free_[device] = std::max(0, free_[device] - ask.milli);
  }
  const int kind = kind_of(ask);
  auto at = std::lower_bound(kinds_.begin(), kinds_.end(), std::pair(kind, 0));
  if (at == kinds_.end() || at->first != kind) at = kinds_.emplace(at, kind, 0);
  ++at->second;
}

std::vector<std::uint8_t> GpuUse::tightest(const GpuAsk& ask) const {
  std::vector<std::uint8_t> order(free_.size());
  std::iota(order.begin(), order.end(), std::uint8_t{0});
  // 1. who has enough before who has not; 2. of those the fuller first, of these the freer.
  std::stable_sort(order.begin(), order.end(), [&](std::uint8_t a, std::uint8_t b) {
    const bool enough_a = free_[a] >= ask.milli, enough_b = free_[b] >= ask.milli;
    if (enough_a != enough_b) return enough_a;
    return enough_a ? free_[a] < free_[b] : free_[a] > free_[b];
  });
  order.resize(std::min(order.size(), static_cast<size_t>(ask.devices)));
  return order;
}

}  // namespace coracle::scheduler
