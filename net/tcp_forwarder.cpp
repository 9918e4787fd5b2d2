#include "net/tcp_forwarder.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/listener.hpp"
#include "net/out_queue.hpp"

namespace coracle::net {
namespace {

constexpr int kReadsPerTurn = 8;  // before others of the strand have their turn

struct Shared {
  AsioExecutor& executor;
  TcpForwarder::Options options;
  TcpForwarder::Choose choose;
  std::size_t joined = 0;
  bool closed = false;
};

HostPort host_port(const SocketAddress& address) { return {address.host(), address.port()}; }

HostPort local_of(int descriptor) {
  SocketAddress local;
  local.size = sizeof local.storage;
  ::getsockname(descriptor, local.get(), &local.size);
  return host_port(local);
}

// Two connections and what is on its way between them. Lives while it waits for either.
class Joint final : public Waiter, public std::enable_shared_from_this<Joint> {
 public:
  Joint(std::shared_ptr<Shared> shared, int descriptor, const SocketAddress& from)
      : shared_(std::move(shared)),
        client_(std::make_unique<Stream>(shared_->executor.context(), descriptor)),
        arrival_{host_port(from), local_of(descriptor), {}} {
    ++shared_->joined;
  }
  ~Joint() override {
    --shared_->joined;
    shared_->executor.cancel(timer_);
  }

  void dial() {
    const auto chosen = next_target();
    if (!chosen) return reset();
    target_address_ = *chosen;
    const auto address = numeric_address(chosen->host, chosen->port);
    if (!address) return refused();
    const int descriptor =
        ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return reset();
    target_ = std::make_unique<Stream>(shared_->executor.context(), descriptor);
    int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    connecting_ = true;
    timer_ = shared_->executor.after(shared_->options.connect_timeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->refused();
    });
    if (::connect(descriptor, address->get(), address->size) != 0 && errno != EINPROGRESS) {
      return refused();
    }
    target_->wait(Ready::kWrite, shared_from_this());
  }

  void on_ready(Ready) override {
    if (ended_) return;
    if (connecting_) {
      if (target_->connect_error() != 0) return refused();
      connecting_ = false;
      shared_->executor.cancel(timer_);
    }
    pump(*client_, *target_, up_);
    if (!ended_) pump(*target_, *client_, down_);
    if (up_.shut && down_.shut) end();
  }

 private:
  struct Direction {
    OutQueue queue;
    bool at_end = false;  // nothing more comes
    bool shut = false;    // and the other side was told
  };

  std::optional<HostPort> next_target() const {
    const bool more = arrival_.refused.size() < static_cast<std::size_t>(shared_->options.tries);
    if (!more || shared_->closed) return std::nullopt;
    return shared_->choose(arrival_);
  }

  void refused() {
    shared_->executor.cancel(timer_);
    connecting_ = false;
    if (target_) target_->close();
    arrival_.refused.push_back(target_address_);
    dial();
  }

  void pump(Stream& from, Stream& to, Direction& way) {
    static thread_local char scratch[TcpForwarder::kBufferMax];
    for (int i = 0; !way.shut; ++i) {
      if (!way.queue.empty()) {
        const Io io = to.write(way.queue);
        if (io.kind == Io::kWantWrite) return to.wait(Ready::kWrite, shared_from_this());
        if (io.kind != Io::kOk) return reset();
      }
      if (way.at_end) {
        to.shutdown_write();
        way.shut = true;
        return;
      }
      if (i == kReadsPerTurn) return from.wait(Ready::kRead, shared_from_this());
      const Io io = from.read(scratch, sizeof scratch);
      if (io.kind == Io::kWantRead) return from.wait(Ready::kRead, shared_from_this());
      if (io.kind == Io::kError) return reset();
      if (io.kind == Io::kEof) way.at_end = true;
      if (io.kind == Io::kOk) way.queue.push(std::string(scratch, io.bytes));
    }
  }

  // The client must not take a lost connection for an orderly end.
  void reset() {
    const linger now{1, 0};
    if (client_->open()) {
      ::setsockopt(client_->descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    end();
  }
  void end() {
    ended_ = true;
    shared_->executor.cancel(timer_);
    client_->close();
    if (target_) target_->close();
  }

  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Stream> client_, target_;
  TcpForwarder::Arrival arrival_;
  HostPort target_address_;
  Direction up_, down_;
  bool connecting_ = false, ended_ = false;
  Executor::TimerId timer_ = 0;
};

class LiveForwarder final : public TcpForwarder {
 public:
  LiveForwarder(std::shared_ptr<Shared> shared, std::shared_ptr<Listener> listener)
      : shared_(std::move(shared)), listener_(std::move(listener)) {
    listener_->start();
  }
  ~LiveForwarder() override {
    listener_->close();
    shared_->closed = true;
    shared_->choose = nullptr;
  }
  std::uint16_t port() const override { return listener_->port(); }
  std::size_t connections() const override { return shared_->joined; }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Listener> listener_;
};

}  // namespace

Result<std::unique_ptr<TcpForwarder>> TcpForwarder::listen(AsioExecutor& executor, Options options,
                                                           Choose choose) {
  const bool loopback = options.address.empty();
  const std::string address = loopback ? "0.0.0.0" : options.address;
  const std::uint16_t port = options.port;
  auto shared = std::make_shared<Shared>(Shared{executor, std::move(options), std::move(choose)});
  ASSIGN_OR_RETURN(auto listener, Listener::open(
                                      executor, address, port,
                                      [shared](int descriptor, const SocketAddress& from) {
                                        if (shared->joined >= shared->options.max_connections) {
                                          ::close(descriptor);
                                          return;
                                        }
                                        std::make_shared<Joint>(shared, descriptor, from)->dial();
                                      },
                                      loopback));
  return std::unique_ptr<TcpForwarder>(
      std::make_unique<LiveForwarder>(std::move(shared), std::move(listener)));
}

}  // namespace coracle::net
