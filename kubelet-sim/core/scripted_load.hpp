// ScriptedLoad: what a scripted container uses over its run: its image's curves within its limits.
// Pure value; the image's catalog must outlive it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/image_catalog.hpp"

namespace coracle::kubelet {

class ScriptedLoad {
 public:
  // `container`: of the pod's spec.
  ScriptedLoad(const json::value& container, const ImageBehaviour& image);

  struct Use {
    std::int64_t cpu_nanos = 0;  // since the start of the run
    std::int64_t memory_bytes = 0, disk_bytes = 0;
  };
  Use at(Duration age) const;
  // So long its memory stays within its limit; nothing: for ever.
  std::optional<Duration> out_of_memory_after() const { return out_of_memory_after_; }

 private:
  const ImageBehaviour* image_;
  UsageCurve cpu_;
  std::optional<Duration> out_of_memory_after_;
};

}  // namespace coracle::kubelet
