#include "net/udp_socket.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/listener.hpp"

namespace coracle::net {
namespace {

constexpr int kDatagramsPerTurn = 64;

class Core final : public Waiter, public std::enable_shared_from_this<Core> {
 public:
  Core(AsioExecutor& executor, int descriptor, UdpSocket::OnDatagram on_datagram,
       std::function<void()> on_lost)
      : socket_(executor.context(), descriptor),
        on_datagram_(std::move(on_datagram)),
        on_lost_(std::move(on_lost)) {}

  void start() { socket_.wait(Ready::kRead, shared_from_this()); }
  void close() {
    on_datagram_ = nullptr;
    on_lost_ = nullptr;
    socket_.close();
  }
  int descriptor() { return socket_.descriptor(); }

  void on_ready(Ready) override {
    static thread_local char buffer[65536];
    for (int i = 0; i < kDatagramsPerTurn && socket_.open(); ++i) {
      SocketAddress from;
      from.size = sizeof from.storage;
      const ssize_t got =
          ::recvfrom(descriptor(), buffer, sizeof buffer, 0, from.get(), &from.size);
      if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) break;
        const auto lost = on_lost_;
        if (lost) return lost();  // may close this socket
        continue;                 // a datagram of ours was refused somewhere: not our matter
      }
      const auto deliver = on_datagram_;
      if (deliver) deliver({buffer, static_cast<std::size_t>(got)}, {from.host(), from.port()});
    }
    if (socket_.open()) start();
  }

 private:
  Stream socket_;  // only waited for
  UdpSocket::OnDatagram on_datagram_;
  std::function<void()> on_lost_;
};

class LiveSocket final : public UdpSocket {
 public:
  explicit LiveSocket(std::shared_ptr<Core> core) : core_(std::move(core)) { core_->start(); }
  ~LiveSocket() override { core_->close(); }

  void send_to(std::string_view data, const HostPort& to) override {
    const auto address = numeric_address(to.host, to.port);
    if (!address) return;
    ::sendto(core_->descriptor(), data.data(), data.size(), MSG_NOSIGNAL, address->get(),
             address->size);
  }
  void send(std::string_view data) override {
    ::send(core_->descriptor(), data.data(), data.size(), MSG_NOSIGNAL);
  }
  std::uint16_t port() const override {
    SocketAddress bound;
    bound.size = sizeof bound.storage;
    ::getsockname(core_->descriptor(), bound.get(), &bound.size);
    return bound.port();
  }

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(AsioExecutor& executor, const std::string& host,
                                                   std::uint16_t port, OnDatagram on_datagram) {
  const bool loopback = host.empty();
  ASSIGN_OR_RETURN(const int descriptor,
                   open_bound_socket(loopback ? "0.0.0.0" : host, port, SOCK_DGRAM, loopback));
  auto core = std::make_shared<Core>(executor, descriptor, std::move(on_datagram), nullptr);
  return std::unique_ptr<UdpSocket>(std::make_unique<LiveSocket>(std::move(core)));
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::connect(AsioExecutor& executor, const HostPort& peer,
                                                      OnDatagram on_datagram,
                                                      std::function<void()> on_lost) {
  const std::string what = "dial udp " + join_host_port(peer.host, peer.port) + ": ";
  const auto address = numeric_address(peer.host, peer.port);
  if (!address) return invalid_argument(what + "address " + peer.host + " is not an IP address");
  const int descriptor = ::socket(address->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return unavailable(what + "socket: " + errno_text(errno));
  if (::connect(descriptor, address->get(), address->size) != 0) {
    const int error = errno;
    ::close(descriptor);
    return unavailable(what + "connect: " + errno_text(error));
  }
  auto core =
      std::make_shared<Core>(executor, descriptor, std::move(on_datagram), std::move(on_lost));
  return std::unique_ptr<UdpSocket>(std::make_unique<LiveSocket>(std::move(core)));
}

}  // namespace coracle::net
