#include "net/black_hole.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace coracle::net {

BlackHole::BlackHole(const HostPort& at) {
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  constexpr int kOn = 1;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(at.port);
  socklen_t size = sizeof name;
  auto* const any = reinterpret_cast<sockaddr*>(&name);
  listener_ = socket(AF_INET, kType, 0);
  filler_ = socket(AF_INET, kType, 0);
  if (inet_pton(AF_INET, at.host.c_str(), &name.sin_addr) != 1 || listener_ < 0 || filler_ < 0 ||
      setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn) != 0 ||
      bind(listener_, any, size) != 0 || listen(listener_, 0) != 0 ||
      getsockname(listener_, any, &size) != 0) {
    return;
  }
  if (connect(filler_, any, size) != 0 && errno != EINPROGRESS) return;
  address_ = HostPort{at.host, ntohs(name.sin_port)};
}

BlackHole::~BlackHole() {
  for (const int fd : {listener_, filler_}) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace coracle::net
