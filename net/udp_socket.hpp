// UdpSocket: a bound or connected UDP socket. Strand of the executor. Datagrams that find the
// kernel's buffer full are lost, as UDP may.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "net/tcp_forwarder.hpp"

namespace coracle::net {

class AsioExecutor;

class UdpSocket {
 public:
  // `from` is the sender. Not after the destructor.
  using OnDatagram = std::function<void(std::string_view data, const HostPort& from)>;

  // Host "": every address of the loopback device. Unavailable: "listen udp 127.0.0.1:53: bind:
  // permission denied".
  static Result<std::unique_ptr<UdpSocket>> bind(AsioExecutor& executor, const std::string& host,
                                                 std::uint16_t port, OnDatagram on_datagram);
  // A socket of its own towards `peer`; nothing else reaches it. on_lost: the peer refused.
  static Result<std::unique_ptr<UdpSocket>> connect(AsioExecutor& executor, const HostPort& peer,
                                                    OnDatagram on_datagram,
                                                    std::function<void()> on_lost);
  virtual ~UdpSocket() = default;
  virtual void send_to(std::string_view data, const HostPort& to) = 0;  // of a bound one
  virtual void send(std::string_view data) = 0;                         // of a connected one
  virtual std::uint16_t port() const = 0;
};

}  // namespace coracle::net
