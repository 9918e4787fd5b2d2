#include "net/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace coracle::net {
namespace {

constexpr int kBacklog = 1024;
constexpr Duration kNoDescriptorsPause = std::chrono::milliseconds(50);

}  // namespace

Result<int> open_bound_socket(const std::string& host, std::uint16_t port, int type,
                              bool loopback_only) {
  const std::string what = std::string(type == SOCK_STREAM ? "listen tcp " : "listen udp ") +
                           join_host_port(host, port) + ": ";
  const auto address = numeric_address(host, port);
  if (!address) return invalid_argument(what + "address " + host + " is not an IP address");
  const int descriptor = ::socket(address->family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return unavailable(what + "socket: " + errno_text(errno));
  int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int failed = 0;
  if (loopback_only) failed = ::setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
  if (failed == 0) failed = ::bind(descriptor, address->get(), address->size);
  if (failed == 0 && type == SOCK_STREAM) failed = ::listen(descriptor, kBacklog);
  if (failed != 0) {
    const int error = errno;
    ::close(descriptor);
    return unavailable(what + "bind: " + errno_text(error));
  }
  return descriptor;
}

Result<std::shared_ptr<Listener>> Listener::open(AsioExecutor& executor, const std::string& host,
                                                 std::uint16_t port, OnAccept on_accept,
                                                 bool loopback_only) {
  ASSIGN_OR_RETURN(const int descriptor, open_bound_socket(host, port, SOCK_STREAM, loopback_only));
  return std::make_shared<Listener>(executor, descriptor, std::move(on_accept));
}

Listener::Listener(AsioExecutor& executor, int descriptor, OnAccept on_accept)
    : executor_(executor),
      socket_(executor.context(), descriptor),
      on_accept_(std::move(on_accept)) {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  ::getsockname(descriptor, bound.get(), &bound.size);
  port_ = bound.port();
}

void Listener::close() {
  socket_.close();
  on_accept_ = nullptr;
}

void Listener::on_ready(Ready) {
  for (int i = 0; i < kAcceptsPerTurn && socket_.open(); ++i) {
    SocketAddress from;
    from.size = sizeof from.storage;
    const int accepted =
        ::accept4(socket_.descriptor(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      int on = 1;
      ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      const auto accept = on_accept_;  // it may close this listener
      accept(accepted, from);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      executor_.after(kNoDescriptorsPause, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->socket_.open()) self->start();
      });
      return;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  if (socket_.open()) start();
}

}  // namespace coracle::net
