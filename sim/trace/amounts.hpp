// How much of a resource one node or pod of a simulated world can have, so that sums over a cluster
// stay numbers. Pure.
#pragma once

#include <string_view>

namespace coracle::sim {

inline constexpr double kCoresMax = 1'000'000;
inline constexpr double kAmountMax = 1e15;  // bytes, devices, whatever is counted: 1P
inline constexpr double kTotalMax = 4e18;   // of the nodes of a cluster together

constexpr double amount_max(std::string_view resource) {
  return resource == "cpu" ? kCoresMax : kAmountMax;
}

}  // namespace coracle::sim
