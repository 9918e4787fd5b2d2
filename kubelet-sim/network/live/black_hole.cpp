#include "network_live/black_hole.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace coracle::network {

BlackHole::BlackHole() {
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const any = reinterpret_cast<sockaddr*>(&at);
  listener_ = socket(AF_INET, kType, 0);
  filler_ = socket(AF_INET, kType, 0);
  if (listener_ < 0 || filler_ < 0 || bind(listener_, any, size) != 0 ||
      listen(listener_, 0) != 0 || getsockname(listener_, any, &size) != 0) {
    return;
  }
  if (connect(filler_, any, size) != 0 && errno != EINPROGRESS) return;
  address_ = net::HostPort{"127.0.0.1", ntohs(at.sin_port)};
}

BlackHole::~BlackHole() {
  for (const int fd : {listener_, filler_}) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace coracle::network
