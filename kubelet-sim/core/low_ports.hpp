// Ports below 1024 that this user may not have: a pod's program gets one that is kLowPortShift
// higher (kubelet-sim/lab-image/sockets.hpp). Whoever dials a pod and is refused tries there.
#pragma once

#include <cstdint>

namespace coracle::kubelet {

inline constexpr std::uint16_t kLowPorts = 1024, kLowPortShift = 10'000;

// The port itself if it is not a low one.
constexpr std::uint16_t moved_port(std::uint16_t port) {
  return port > 0 && port < kLowPorts ? static_cast<std::uint16_t>(port + kLowPortShift) : port;
}
// Back again.
constexpr std::uint16_t unmoved_port(std::uint16_t port) {
  return port > kLowPortShift && port < kLowPortShift + kLowPorts
             ? static_cast<std::uint16_t>(port - kLowPortShift)
             : port;
}

}  // namespace coracle::kubelet
