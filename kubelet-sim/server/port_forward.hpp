// portForward on the wire, in three forms: SPDY/3.1 (a pair of streams, data and error, for each
// connection), the same inside the messages of a WebSocket (SPDY/3.1+portforward.k8s.io), and
// channels of a WebSocket, a pair for each port that was asked for (v4.channel.k8s.io).
//
// Strand: the executor's. The connections end with the client's.
#pragma once

#include <memory>
#include <string>

#include "kubelet/streams.hpp"
#include "net/asio_executor.hpp"
#include "net/server.hpp"

namespace coracle::kubelet {

struct ForwardedPod {
  std::string ns, name;
};

// Answers the exchange: upgrades it, or refuses in upstream's words.
void serve_port_forward(net::AsioExecutor& executor, const ContainerStreams& streams,
                        const ForwardedPod& pod, const net::Request& request,
                        const std::shared_ptr<net::Exchange>& exchange);

}  // namespace coracle::kubelet
