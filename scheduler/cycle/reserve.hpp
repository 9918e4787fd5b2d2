// Reserve: what plugins take for a pod once its node is chosen, and how all of it is given back.
// Pure but for the Reservations it is handed.
#pragma once

#include <string>

#include "framework/profile.hpp"

namespace coracle::scheduler {

struct ReserveOutcome {
  Verdict verdict = Verdict::yes();
  const Plugin* by = nullptr;  // who said no
};

// Asks each reserve plugin, in order. After a no everything is given back.
ReserveOutcome reserve_all(const Profile& profile, const PodInfo& pod, const std::string& node,
                           const Snapshot& world, Reservations& reservations);
// Every reserve plugin, last first, also those that took nothing.
void unreserve_all(const Profile& profile, const PodInfo& pod, const std::string& node,
                   Reservations& reservations);

}  // namespace coracle::scheduler
