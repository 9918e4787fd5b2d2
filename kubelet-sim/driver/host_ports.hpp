// HostPorts: traffic of hostPorts: from the node's address (or the hostIP that is asked for) to the
// pod, TCP and UDP. A pod of the node's own network needs none.
//
// Strand: the executor's. Bound: a listener a host port of the pods that run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/json.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet/runtime.hpp"
#include "net/black_hole.hpp"
#include "net/udp_forwarder.hpp"

namespace coracle::kubelet {

class HostPorts {
 public:
  // Whether what `from` sends arrives at an address of a node; none: always.
  using Arrives = std::function<bool(const std::string& from, const std::string& to)>;
  HostPorts(net::AsioExecutor& executor, Arrives arrives)
      : executor_(executor), arrives_(std::move(arrives)) {}

  // Opens those of a container. What could not be opened, or where, is told by events.
  std::vector<PodEvent> open(const std::string& uid, const json::value& container,
                             const PodPlace& place);
  void close(const std::string& uid);

 private:
  using At = std::tuple<bool, std::string, std::uint16_t>;  // udp?, address, port
  struct Listener {
    std::string uid;
    std::unique_ptr<net::TcpForwarder> tcp;
    std::unique_ptr<net::UdpForwarder> udp;
  };
  bool arrives(const std::string& from, const std::string& to) const {
    return !arrives_ || arrives_(from, to);
  }
  Status listen(Listener* listener, bool udp, const net::HostPort& at, const net::HostPort& to);

  net::AsioExecutor& executor_;
  const Arrives arrives_;
  const net::BlackHole hole_;
  std::map<At, Listener> listeners_;
};

}  // namespace coracle::kubelet
