// UdpForwarder: passes datagrams to targets its owner chooses, and answers back. A client's
// datagrams go to one target as long as they come more often than Options::idle; a target that
// refuses is replaced at the next datagram.
//
// Strand of the executor. Bound: Options::max_flows clients at once; the one silent for longest
// makes room.
#pragma once

#include "net/tcp_forwarder.hpp"

namespace coracle::net {

class UdpForwarder {
 public:
  struct Options {
    std::string address;  // "": every address of the loopback device, and of no other
    std::uint16_t port = 0;
    std::size_t max_flows = 1'000;
    Duration idle = std::chrono::seconds(30);
  };
  using Choose = std::function<std::optional<HostPort>(const HostPort& client)>;

  static Result<std::unique_ptr<UdpForwarder>> listen(AsioExecutor& executor, Options options,
                                                      Choose choose);
  virtual ~UdpForwarder() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::size_t flows() const = 0;
  // Clients on these targets choose anew (they are no endpoints any more).
  virtual void forget(const std::function<bool(const HostPort& target)>& gone) = 0;
};

}  // namespace coracle::net
