// A listener that takes nobody: whoever connects to it waits, as for a host that drops his packets.
// (Its queue is full with one connection of its own, so the kernel drops all others.)
#pragma once

#include <optional>

#include "net/tcp_forwarder.hpp"

namespace coracle::net {

class BlackHole {
 public:
  // Port 0: a free one.
  explicit BlackHole(const HostPort& at = {"127.0.0.1", 0});
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

  // Nothing when it could not be made.
  const std::optional<HostPort>& address() const { return address_; }

 private:
  int listener_ = -1, filler_ = -1;
  std::optional<HostPort> address_;
};

}  // namespace coracle::net
