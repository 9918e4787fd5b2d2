#include "kubelet_driver/host_ports.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "kubelet/low_ports.hpp"

namespace coracle::kubelet {
namespace {

// Each port, and a low one also where it may have moved.
constexpr int kTries = 2;

}  // namespace

Status HostPorts::listen(Listener* listener, bool udp, const net::HostPort& at,
                         const net::HostPort& to) {
  if (udp) {
    auto opened = net::UdpForwarder::listen(
        executor_, {.address = at.host, .port = at.port},
        [this, to, host = at.host](const net::HostPort& client) {
          return arrives(client.host, host) ? std::optional(to) : std::nullopt;
        });
    if (opened.ok()) listener->udp = std::move(*opened);
    return opened.status();
  }
  auto opened = net::TcpForwarder::listen(
      executor_, {.address = at.host, .port = at.port, .tries = kTries},
      [this, to](const net::TcpForwarder::Arrival& arrival) -> std::optional<net::HostPort> {
        if (!arrives(arrival.client.host, arrival.local.host)) return hole_.address();
        if (arrival.refused.empty()) return to;
        if (to.port >= kLowPorts) return std::nullopt;
        return net::HostPort{to.host, moved_port(to.port)};
      });
  if (opened.ok()) listener->tcp = std::move(*opened);
  return opened.status();
}

std::vector<PodEvent> HostPorts::open(const std::string& uid, const json::value& container,
                                      const PodPlace& place) {
  std::vector<PodEvent> told;
  if (place.pod_ip == place.host_ip) return told;
  for (const json::value& port : get_array(container, "ports")) {
    const std::int64_t wanted = get_int(port, "hostPort");
    if (wanted <= 0 || wanted > 65535) continue;
    const auto host_port = static_cast<std::uint16_t>(wanted);
    const std::string_view ip = get_string(port, "hostIP");
    const std::string address(ip.empty() || ip == "0.0.0.0" || ip == "::" ? place.host_ip
                                                                          : std::string(ip));
    const bool udp = iequals(get_string(port, "protocol"), "UDP");
    const net::HostPort to{place.pod_ip,
                           static_cast<std::uint16_t>(get_int(port, "containerPort"))};
    // An older pod that had it is over, else this one would not be here.
    Listener& listener = listeners_[{udp, address, host_port}];
    if (listener.uid == uid) continue;  // of the container's run before
    listener = Listener{uid, nullptr, nullptr};
    Status opened = listen(&listener, udp, {address, host_port}, to);
    if (!opened.ok() && host_port < kLowPorts) {
      const std::uint16_t other = moved_port(host_port);
      if (listen(&listener, udp, {address, other}, to).ok()) {
        told.push_back({false, "PortMoved",
                        fmt::format("Host port {} needs a privilege that kubelet-sim does not "
                                    "have: it is at {}:{}",
                                    host_port, address, other),
                        ""});
        continue;
      }
    }
    if (opened.ok()) continue;
    listeners_.erase({udp, address, host_port});
    told.push_back({true, "HostPortFailed",
                    fmt::format("Host port {} carries no traffic: {}", host_port, opened.message()),
                    ""});
  }
  return told;
}

void HostPorts::close(const std::string& uid) {
  std::erase_if(listeners_, [&](const auto& entry) { return entry.second.uid == uid; });
}

}  // namespace coracle::kubelet
