// Profile: one scheduler by name: which plugins run at which point, and the weights of the scores.
// Value; the plugins are shared and immutable.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

// Where plugins are asked, in the order of a pod's way.
enum class Point : std::uint8_t {
  kPreEnqueue,
  kQueueSort,
  kPreFilter,
  kFilter,
  kPostFilter,
  kPreScore,
  kScore,
  kReserve,
  kPermit,
  kPreBind,
  kBind,
  kPostBind,
};
inline constexpr size_t kPoints = 12;
inline constexpr std::array<std::string_view, kPoints> kPointNames = {
    "preEnqueue", "queueSort", "preFilter", "filter",  "postFilter", "preScore",
    "score",      "reserve",   "permit",    "preBind", "bind",       "postBind"};

struct Profile {
  struct Scorer {
    const Plugin* plugin;
    std::int64_t weight;
  };
  std::string name = "default-scheduler";
  std::vector<std::shared_ptr<const Plugin>> plugins;            // owns those below
  std::array<std::vector<const Plugin*>, kPoints> plugins_at{};  // in order
  std::vector<Scorer> scorers;                                   // those of kScore, with weights
  int percentage_of_nodes = 0;  // to find before scoring; 0: by the size of the cluster
  bool asks_programs = false;   // some plugins are ProcessPlugins (external/process_plugin.hpp)
  Duration bind_timeout = std::chrono::seconds(600);  // of what PreBind waits for

  std::vector<const Plugin*>& at(Point point) { return plugins_at[static_cast<size_t>(point)]; }
  const std::vector<const Plugin*>& at(Point point) const {
    return plugins_at[static_cast<size_t>(point)];
  }
  bool runs(Point point, const Plugin* plugin) const;
  // The owner of one of `plugins`.
  std::shared_ptr<const Plugin> owner_of(const Plugin* plugin) const;
};

}  // namespace coracle::scheduler
