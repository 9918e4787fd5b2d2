// addresses: IP addresses and networks as the objects of the API hold them: read as leniently as
// the API's older fields are (decimal parts may begin with zeros), printed in canonical form. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coracle::api {

struct IpAddress {
  std::string bytes;  // 4 or 16; IPv4 inside IPv6 is 4

  bool is_v6() const { return bytes.size() == 16; }
  std::string text() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local_unicast() const;
  bool is_link_local_multicast() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct IpNetwork {
  IpAddress address;  // as written; the bits behind the prefix may be set
  int prefix = 0;

  IpNetwork masked() const;
  bool contains(const IpAddress& address) const;
  std::string text() const;
};

// nullopt: not an address (no zones).
std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpNetwork> parse_network(std::string_view text);
// Whether the text is more than lenient parsing takes: no leading zeros, no IPv4 inside IPv6.
bool is_strict_ip(std::string_view text);

}  // namespace coracle::api
