#include "scenario/metric_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::sim {
namespace {

bool among(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const std::vector<std::string>& plain_series() {
  static const std::vector<std::string> kNames = {"nodes.ready",   "nodes.empty",  "pods.running",
                                                  "queue.pending", "queue.active", "queue.backoff",
                                                  "queue.parked",  "queue.gated",  "imbalance.cpu"};
  return kNames;
}

const std::vector<std::string>& numbers() {
  static const std::vector<std::string> kNames = {
      "pods.created", "pods.scheduled", "pods.finished",   "pods.failed",
      "pods.deleted", "pods.evicted",   "pods.lost",       "pods.preempted",
      "unscheduled",  "decisions",      "decisions.failed"};
  return kNames;
}

const std::vector<std::string>& distributions() {
  static const std::vector<std::string> kNames = {"pod.wait", "pod.start", "pod.attempts"};
  return kNames;
}

bool is_series(std::string_view name) {
  for (const std::string_view prefix : {"utilisation.", "usage."}) {
    if (name.starts_with(prefix) && name.size() > prefix.size()) return true;
  }
  return among(plain_series(), name);
}

bool is_metric(std::string_view name) {
  return is_series(name) || among(numbers(), name) || among(distributions(), name);
}

std::string known_series() {
  return fmt::format("known: {}, utilisation.RESOURCE, usage.RESOURCE", join(plain_series(), ", "));
}

std::string known_metrics() {
  return fmt::format("{}, {}, {}", known_series(), join(numbers(), ", "),
                     join(distributions(), ", "));
}

}  // namespace coracle::sim
