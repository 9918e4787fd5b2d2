#include "lab/network.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace coracle::lab {

NetworkRanges network_ranges(int slot) {
  const std::string services = fmt::format("127.{}.0", 96 + slot);
  return {.services = slot == 0 ? services + ".0/12" : services + ".0/16",
          .first_service = services + ".1",
          .dns = services + ".10",
          .pods = fmt::format("127.{}.0.0", 128 + 8 * slot),
          .ingress = fmt::format("127.64.{}.1", slot),
          .load_balancers = fmt::format("127.{}.128.0/17", 64 + slot)};
}

NetworkClaim NetworkClaim::of(int slot) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = fmt::format("coracle-network-{}", slot);
  std::memcpy(name.sun_path + 1, text.data(), text.size());  // abstract: starts with a NUL
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&name), size) == 0) {
    return NetworkClaim(slot, fd);
  }
  if (fd >= 0) ::close(fd);
  return NetworkClaim(slot, -1);
}

Result<NetworkClaim> NetworkClaim::first_free() {
  for (int slot = 0; slot < kNetworkSlots; ++slot) {
    NetworkClaim claim = of(slot);
    if (claim.fd() >= 0) return claim;
  }
  return unavailable(
      fmt::format("{} clusters run on this machine, no loopback addresses are left; stop one with: "
                  "coracle down",
                  kNetworkSlots));
}

NetworkClaim::NetworkClaim(NetworkClaim&& other) noexcept
    : slot_(other.slot_), fd_(std::exchange(other.fd_, -1)) {}

NetworkClaim& NetworkClaim::operator=(NetworkClaim&& other) noexcept {
  std::swap(slot_, other.slot_);
  std::swap(fd_, other.fd_);
  return *this;
}

NetworkClaim::~NetworkClaim() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace coracle::lab
