#include "config/gpu_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/quantity.hpp"
#include "framework/gpus.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

constexpr std::array<std::string_view, 4> kChoices{"BestFit", "WorstFit", "Random",
                                                   "Fragmentation"};

std::int64_t cpu_milli(const std::string& text, const FieldPath& path, FieldErrors& errors) {
  const auto quantity = api::Quantity::parse(text);
  if (quantity.ok() && quantity->sign() >= 0) return quantity->milli_value();
  errors.invalid(path, text, "must be an amount of CPU, such as 500m or 8");
  return 0;
}

void read_choice(ObjectReader& in, const FieldPath& path, FieldErrors& errors, GpuArgs* args) {
  std::string choice;
  if (!in.read("deviceChoice", &choice)) return;
  for (size_t i = 0; i < kChoices.size(); ++i) {
    if (choice != kChoices[i]) continue;
    args->choice = static_cast<GpuArgs::Choice>(i);
    return;
  }
  errors.not_supported(path.child("deviceChoice"), choice,
                       {"BestFit", "Fragmentation", "Random", "WorstFit"});
}

void read_largest(const json::value& raw, ObjectReader& in, const FieldPath& path, FormErrors& form,
                  FieldErrors& errors, GpuArgs* args) {
  ObjectReader node(raw, in.path("largestNode"), form);
  std::string cpu;
  std::int64_t devices = args->largest_devices;
  if (node.read("cpu", &cpu)) args->largest_cpu_milli = cpu_milli(cpu, path.child("cpu"), errors);
  node.read("devices", &devices);
  if (args->largest_cpu_milli < 1) errors.invalid(path.child("cpu"), cpu, "must not be 0");
  if (devices < 1 || devices > kDevicesMax) {
    errors.invalid(path.child("devices"), devices,
                   fmt::format("not in valid range [1, {}]", kDevicesMax));
  }
  args->largest_devices = static_cast<int>(devices);
}

TypicalPod read_typical(const json::value& raw, const std::string& form_path, const FieldPath& path,
                        FormErrors& form, FieldErrors& errors) {
  ObjectReader in(raw, form_path, form);
  TypicalPod pod;
  std::string cpu = "0";
  std::int64_t milli = 0;
  in.read("cpu", &cpu);
  in.read("gpuMilli", &milli);
  in.read("gpuModels", &pod.models);
  pod.cpu_milli = cpu_milli(cpu, path.child("cpu"), errors);
  const json::value* share = in.find("share");
  if (share != nullptr && share->is_number()) pod.share = share->to_number<double>();
  if (pod.share <= 0) errors.invalid(path.child("share"), pod.share, "must be more than 0");
  if (milli < 0 || (milli > kDeviceMilli && milli % kDeviceMilli != 0)) {
    errors.invalid(path.child("gpuMilli"), milli, "must be 0 to 1000, or a multiple of 1000");
    return pod;
  }
  pod.devices = milli == 0 ? 0 : static_cast<int>(std::max<std::int64_t>(1, milli / kDeviceMilli));
  pod.milli = milli == 0 ? 0 : static_cast<int>(milli / pod.devices);
  return pod;
}

}  // namespace

void read_gpu(ObjectReader& in, const FieldPath& path, FormErrors& form, FieldErrors& errors,
              GpuArgs* args) {
  read_choice(in, path, errors, args);
  std::int64_t seed = static_cast<std::int64_t>(args->seed);
  in.read("seed", &seed);
  if (seed < 0) errors.invalid(path.child("seed"), seed, "must not be negative");
  args->seed = static_cast<std::uint64_t>(seed);
  if (const json::value* largest = in.find("largestNode")) {
    read_largest(*largest, in, path.child("largestNode"), form, errors, args);
  }
  double total = 0;
  size_t i = 0;
  for (const json::value& raw : in.list("typicalPods")) {
    const FieldPath at = path.child("typicalPods").index(i);
    args->typical.push_back(read_typical(raw, in.path("typicalPods", i++), at, form, errors));
    total += args->typical.back().share;
  }
  for (TypicalPod& pod : args->typical) pod.share /= total > 0 ? total : 1;
  if (args->choice == GpuArgs::Choice::kFragmentation && args->typical.empty()) {
    errors.required(path.child("typicalPods"), "Fragmentation is about typical pods");
  }
}

}  // namespace coracle::scheduler
