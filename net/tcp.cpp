#include "net/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/asio_executor.hpp"
#include "net/stream.hpp"

namespace coracle::net {
namespace {

constexpr Duration kDialTime = std::chrono::seconds(10);
constexpr Duration kNoDescriptorsPause = std::chrono::milliseconds(50);
constexpr int kBacklog = 128;
constexpr int kAcceptsPerTurn = 16;

// The connection itself; lives while it waits for the peer or a LiveSocket holds it.
class TcpCore final : public Waiter, public std::enable_shared_from_this<TcpCore> {
 public:
  TcpCore(AsioExecutor& executor, std::unique_ptr<Stream> stream)
      : executor_(executor), stream_(std::move(stream)) {}

  void start_reading() {
    executor_.post([self = shared_from_this()] { self->read(); });
  }
  void write(Bytes bytes) {
    if (!stream_->open() || ending_) return;
    const bool idle = queue_.empty();
    queue_.push(std::move(bytes));
    if (idle) executor_.post([self = shared_from_this()] { self->flush(); });
  }
  void end() {
    if (std::exchange(ending_, true) || !stream_->open()) return;
    executor_.post([self = shared_from_this()] { self->flush(); });
  }
  void pause(bool paused) {
    if (std::exchange(paused_, paused) == paused || paused || !data_fn) return;
    start_reading();
  }
  void close() {
    data_fn = nullptr;
    end_fn = drain_fn = nullptr;
    close_fn = nullptr;
    queue_.clear();
    stream_->close();
  }
  std::size_t queued_bytes() const { return queue_.size(); }

  void on_ready(Ready ready) override {
    if (!stream_->open()) return;
    if (!queue_.empty() || ending_) flush();
    if (ready == Ready::kRead) read();
  }

  std::function<void(std::string_view)> data_fn;
  std::function<void()> end_fn, drain_fn;
  std::function<void(std::string)> close_fn;

 private:
  void read() {
    static thread_local char scratch[65536];
    if (!stream_->open() || paused_ || read_ended_ || !data_fn) return;
    const Io io = stream_->read(scratch, sizeof scratch);
    if (io.kind == Io::kError) return broken(io.error);
    if (io.kind == Io::kEof) {
      read_ended_ = true;
      if (auto fn = std::exchange(end_fn, nullptr)) fn();
      return maybe_over();
    }
    auto self = shared_from_this();
    if (io.kind == Io::kOk) {
      auto fn = data_fn;
      fn({scratch, io.bytes});
    }
    if (stream_->open() && !paused_) stream_->wait(Ready::kRead, self);
  }

  void flush() {
    if (!stream_->open()) return;
    const bool had = !queue_.empty();
    if (had) {
      const Io io = stream_->write(queue_);
      if (io.kind == Io::kWantWrite) return stream_->wait(Ready::kWrite, shared_from_this());
      if (io.kind != Io::kOk) return broken(io.error);
      if (drain_fn) executor_.post(drain_fn);
    }
    if (!ending_ || write_ended_) return;
    write_ended_ = true;
    stream_->shutdown_write();
    maybe_over();
  }

  void maybe_over() {
    if (read_ended_ && write_ended_) broken("");
  }

  void broken(std::string error) {
    auto fn = std::move(close_fn);
    close();
    if (fn) executor_.post([fn = std::move(fn), error = std::move(error)] { fn(error); });
  }

  AsioExecutor& executor_;
  std::unique_ptr<Stream> stream_;
  OutQueue queue_;
  bool paused_ = false, ending_ = false, read_ended_ = false, write_ended_ = false;
};

class LiveSocket final : public TcpSocket {
 public:
  explicit LiveSocket(std::shared_ptr<TcpCore> core) : core_(std::move(core)) {}
  ~LiveSocket() override { core_->close(); }

  void on_data(std::function<void(std::string_view)> fn) override {
    core_->data_fn = std::move(fn);
    core_->start_reading();
  }
  void on_end(std::function<void()> fn) override { core_->end_fn = std::move(fn); }
  void on_close(std::function<void(std::string)> fn) override { core_->close_fn = std::move(fn); }
  void on_drain(std::function<void()> fn) override { core_->drain_fn = std::move(fn); }
  void write(Bytes bytes) override { core_->write(std::move(bytes)); }
  void end() override { core_->end(); }
  void pause(bool paused) override { core_->pause(paused); }
  std::size_t queued_bytes() const override { return core_->queued_bytes(); }
  void close() override { core_->close(); }

 private:
  std::shared_ptr<TcpCore> core_;
};

std::shared_ptr<TcpSocket> make_socket(AsioExecutor& executor, std::unique_ptr<Stream> stream) {
  return std::make_shared<LiveSocket>(std::make_shared<TcpCore>(executor, std::move(stream)));
}

using Dialled = Result<std::shared_ptr<TcpSocket>>;

// One attempt to connect.
class Dial final : public Waiter, public std::enable_shared_from_this<Dial> {
 public:
  Dial(AsioExecutor& executor, std::string what, std::function<void(Dialled)> done)
      : executor_(executor), what_(std::move(what)), done_(std::move(done)) {}

  void start(const SocketAddress& address) {
    const int descriptor =
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return finish(unavailable(what_ + "socket: " + errno_text(errno)));
    int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int returned = ::connect(descriptor, address.get(), address.size);
    const int error = errno;
    stream_ = std::make_unique<Stream>(executor_.context(), descriptor);
    if (returned == 0) return finish(make_socket(executor_, std::move(stream_)));
    if (error != EINPROGRESS) return refused(error);
    timer_ = executor_.after(kDialTime, [self = shared_from_this()] {
      self->stream_->close();
      self->finish(deadline_exceeded(self->what_ + "i/o timeout"));
    });
    stream_->wait(Ready::kWrite, shared_from_this());
  }

  void on_ready(Ready) override {
    if (!done_) return;
    if (int error = stream_->connect_error()) return refused(error);
    finish(make_socket(executor_, std::move(stream_)));
  }

 private:
  void refused(int error) { finish(unavailable(what_ + "connect: " + errno_text(error))); }
  void finish(Dialled result) {
    executor_.cancel(std::exchange(timer_, 0));
    executor_.post([done = std::exchange(done_, nullptr), result = std::move(result)] {
      if (done) done(result);
    });
  }

  AsioExecutor& executor_;
  const std::string what_;
  std::function<void(Dialled)> done_;
  std::unique_ptr<Stream> stream_;
  Executor::TimerId timer_ = 0;
};

class LiveListener final : public TcpListener {
 public:
  LiveListener(AsioExecutor& executor, int descriptor, std::uint16_t port, Accept accept)
      : core_(std::make_shared<Core>(executor, descriptor, std::move(accept))), port_(port) {
    core_->listener.wait(Ready::kRead, core_);
  }
  ~LiveListener() override {
    core_->accept = nullptr;
    core_->listener.close();
  }
  std::uint16_t port() const override { return port_; }

 private:
  struct Core final : Waiter, std::enable_shared_from_this<Core> {
    Core(AsioExecutor& e, int descriptor, Accept fn)
        : executor(e), listener(e.context(), descriptor), accept(std::move(fn)) {}
    void on_ready(Ready) override {
      auto self = shared_from_this();
      for (int i = 0; i < kAcceptsPerTurn && accept; ++i) {
        const int taken =
            ::accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (taken < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
          // Still readable: looked at again when descriptors may have come free.
          executor.after(kNoDescriptorsPause, [self] {
            if (self->accept) self->listener.wait(Ready::kRead, self);
          });
          return;
        }
        if (taken < 0) break;
        int on = 1;
        ::setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto fn = accept;
        fn(make_socket(executor, std::make_unique<Stream>(executor.context(), taken)));
      }
      if (accept) listener.wait(Ready::kRead, self);
    }
    AsioExecutor& executor;
    Stream listener;
    Accept accept;
  };
  std::shared_ptr<Core> core_;
  const std::uint16_t port_;
};

}  // namespace

Task<Dialled> dial_tcp(AsioExecutor& executor, std::string host, std::uint16_t port) {
  ignore_sigpipe();
  const std::string what = "dial tcp " + join_host_port(host, port) + ": ";
  const auto address = numeric_address(host, port);
  if (!address) co_return invalid_argument(what + "address " + host + " is not an IP address");
  co_return co_await Callback<Dialled>([&](std::function<void(Dialled)> done) {
    std::make_shared<Dial>(executor, what, std::move(done))->start(*address);
  });
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(AsioExecutor& executor,
                                                         const std::string& host,
                                                         std::uint16_t port, Accept accept) {
  ignore_sigpipe();
  const auto address = numeric_address(host, port);
  if (!address) return invalid_argument("listen tcp: address " + host + " is not an IP address");
  const bool four = address->family() == AF_INET;
  const std::string what =
      std::string(four ? "listen tcp4 " : "listen tcp6 ") + join_host_port(host, port) + ": ";
  const int descriptor = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return unavailable(what + "socket: " + errno_text(errno));
  int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!four) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(descriptor, address->get(), address->size) != 0 ||
      ::listen(descriptor, kBacklog) != 0) {
    const int error = errno;
    ::close(descriptor);
    return unavailable(what + "bind: " + errno_text(error));
  }
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  ::getsockname(descriptor, bound.get(), &bound.size);
  return std::unique_ptr<TcpListener>(
      std::make_unique<LiveListener>(executor, descriptor, bound.port(), std::move(accept)));
}

}  // namespace coracle::net
