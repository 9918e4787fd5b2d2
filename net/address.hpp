// Internal to net: numeric socket addresses.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace coracle::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::string host() const;  // "127.0.0.1", "::1"
  std::uint16_t port() const;
};

// An IPv4 or IPv6 address in text, without a look-up; "localhost" is 127.0.0.1, "" is any.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);
// "127.0.0.1:80", "[::1]:80"
std::string join_host_port(const std::string& host, std::uint16_t port);

}  // namespace coracle::net
