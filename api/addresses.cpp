#include "api/addresses.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::api {
namespace {

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

// Digits only; -1 for anything else.
int small_number(std::string_view text, int max) {
  if (text.empty() || text.size() > 9) return -1;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number <= max ? number : -1;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  IpAddress out;
  for (const std::string& part : split(text, '.')) {
    const int number = small_number(part, 255);
    if (number < 0) return std::nullopt;
    out.bytes.push_back(static_cast<char>(number));
  }
  return out.bytes.size() == 4 ? std::optional(out) : std::nullopt;
}

int byte_of(const IpAddress& address, std::size_t i) {
  return static_cast<unsigned char>(address.bytes[i]);
}

bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

}  // namespace

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(is_v6() ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

bool IpAddress::is_unspecified() const { return all_zero(bytes); }

bool IpAddress::is_loopback() const {
  if (!is_v6()) return byte_of(*this, 0) == 127;
  return all_zero(std::string_view(bytes).substr(0, 15)) && byte_of(*this, 15) == 1;
}

bool IpAddress::is_link_local_unicast() const {
  if (!is_v6()) return byte_of(*this, 0) == 169 && byte_of(*this, 1) == 254;
  return byte_of(*this, 0) == 0xfe && (byte_of(*this, 1) & 0xc0) == 0x80;
}

bool IpAddress::is_link_local_multicast() const {
  if (!is_v6()) {
    return byte_of(*this, 0) == 224 && byte_of(*this, 1) == 0 && byte_of(*this, 2) == 0;
  }
  return byte_of(*this, 0) == 0xff && (byte_of(*this, 1) & 0x0f) == 0x02;
}

IpNetwork IpNetwork::masked() const {
  IpNetwork out = *this;
  for (std::size_t bit = static_cast<std::size_t>(prefix); bit < address.bytes.size() * 8; ++bit) {
    out.address.bytes[bit / 8] &= static_cast<char>(~(0x80 >> (bit % 8)));
  }
  return out;
}

bool IpNetwork::contains(const IpAddress& other) const {
  return other.bytes.size() == address.bytes.size() &&
         IpNetwork{other, prefix}.masked().address == masked().address;
}

std::string IpNetwork::text() const { return address.text() + "/" + std::to_string(prefix); }

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  std::string whole(text);
  // The last four bytes may be written as IPv4, where zeros may lead.
  if (const std::size_t colon = whole.rfind(':'); whole.find('.') != std::string::npos) {
    const auto tail = parse_v4(std::string_view(whole).substr(colon + 1));
    if (!tail) return std::nullopt;
    whole = whole.substr(0, colon + 1) + tail->text();
  }
  in6_addr address;
  if (whole.find('\0') != std::string::npos || inet_pton(AF_INET6, whole.c_str(), &address) != 1) {
    return std::nullopt;
  }
  IpAddress out{std::string(reinterpret_cast<const char*>(&address), 16)};
  if (std::string_view(out.bytes).starts_with(kMapped)) out.bytes.erase(0, kMapped.size());
  return out;
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int prefix =
      small_number(text.substr(slash + 1), static_cast<int>(address->bytes.size()) * 8);
  if (prefix < 0) return std::nullopt;
  return IpNetwork{*address, prefix};
}

bool is_strict_ip(std::string_view text) {
  const auto address = parse_ip(text);
  if (!address) return false;
  if (text.find(':') != std::string_view::npos) return address->is_v6();
  for (const std::string& part : split(text, '.')) {
    if (part.size() > 1 && part.front() == '0') return false;
  }
  return true;
}

}  // namespace coracle::api
