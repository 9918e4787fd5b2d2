// HostPorts: traffic of hostPorts: from the node's address (or the hostIP that is asked for) to the
// pod, TCP and UDP. A pod of the node's own network needs none.
//
// Strand: the executor's. Bound: a listener a host port of the pods that run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/json.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet/runtime.hpp"
#include "net/udp_forwarder.hpp"

namespace coracle::kubelet {

class HostPorts {
 public:
  explicit HostPorts(net::AsioExecutor& executor) : executor_(executor) {}

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
  Status listen(Listener* listener, bool udp, const net::HostPort& at, const net::HostPort& to);

  net::AsioExecutor& executor_;
  std::map<At, Listener> listeners_;
};

}  // namespace coracle::kubelet
