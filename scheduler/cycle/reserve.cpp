#include "cycle/reserve.hpp"

namespace coracle::scheduler {

ReserveOutcome reserve_all(const Profile& profile, const PodInfo& pod, const std::string& node,
                           const Snapshot& world, Reservations& reservations) {
  for (const Plugin* plugin : profile.at(Point::kReserve)) {
    Verdict verdict = plugin->reserve(pod, node, world, reservations);
    if (verdict.is_yes()) continue;
    unreserve_all(profile, pod, node, reservations);
    return {std::move(verdict), plugin};
  }
  return {};
}

void unreserve_all(const Profile& profile, const PodInfo& pod, const std::string& node,
                   Reservations& reservations) {
  const auto& plugins = profile.at(Point::kReserve);
  for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
    (*plugin)->unreserve(pod, node, reservations);
  }
}

}  // namespace coracle::scheduler
