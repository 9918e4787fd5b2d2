// What becomes of a connection that a pod's program makes: the network is asked before it is made.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace coracle::kubelet {

struct RouteAsked {
  std::string from, to;  // IPv4 addresses; `from` is the pod's
  std::uint16_t port = 0;
  bool udp = false;
};

struct Route {
  bool dropped = false;    // as a packet is: no answer comes
  std::uint16_t port = 0;  // where `to` listens: another one where a low port was moved
};

using AskRoute = std::function<Route(const RouteAsked&)>;

}  // namespace coracle::kubelet
