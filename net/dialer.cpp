#include "net/dialer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

namespace coracle::net {
namespace {

using Resolver =
    boost::asio::ip::basic_resolver<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

bool agreed_on(SSL* ssl, std::string_view alpn) {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &chosen, &size);
  return std::string_view(reinterpret_cast<const char*>(chosen), size) == alpn.substr(1);
}

}  // namespace

Dialer::Dialer(AsioExecutor& executor, Target target, Done done)
    : executor_(executor), target_(std::move(target)), done_(std::move(done)) {}

std::shared_ptr<Dialer> Dialer::dial(AsioExecutor& executor, Target target, Done done) {
  std::shared_ptr<Dialer> dialer(new Dialer(executor, std::move(target), std::move(done)));
  dialer->timer_ = executor.after(dialer->target_.timeout, [dialer] {
    dialer->finish(deadline_exceeded(dialer->in_handshake_ ? "net/http: TLS handshake timeout"
                                                           : dialer->dial_error("i/o timeout")));
  });
  if (auto address = numeric_address(dialer->target_.host, dialer->target_.port)) {
    dialer->addresses_ = {*address};
    dialer->try_next("");
  } else {
    dialer->resolve();
  }
  return dialer;
}

void Dialer::cancel() {
  done_ = nullptr;
  executor_.cancel(timer_);
  stream_.reset();
}

std::string Dialer::dial_error(const std::string& what) const {
  return "dial tcp " +
         join_host_port(address_.size ? address_.host() : target_.host, target_.port) + ": " + what;
}

void Dialer::resolve() {
  auto resolver = std::make_shared<Resolver>(executor_.context().get_executor());
  resolver->async_resolve(
      target_.host, std::to_string(target_.port),
      [self = shared_from_this(), resolver](const boost::system::error_code& error,
                                            const Resolver::results_type& results) {
        if (!self->done_) return;
        if (error || results.empty()) {
          return self->finish(
              unavailable("dial tcp: lookup " + self->target_.host + ": no such host"));
        }
        for (const auto& entry : results) {
          SocketAddress address;
          address.size = static_cast<socklen_t>(entry.endpoint().size());
          std::memcpy(&address.storage, entry.endpoint().data(), address.size);
          self->addresses_.push_back(address);
        }
        self->try_next("");
      });
}

// Dials the next address; with none left, fails with what the last one said.
void Dialer::try_next(const std::string& error) {
  if (addresses_.empty()) return finish(unavailable(dial_error(error)));
  address_ = addresses_.front();
  addresses_.erase(addresses_.begin());
  const int descriptor = ::socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return finish(unavailable(dial_error("socket: " + errno_text(errno))));
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int returned = ::connect(descriptor, address_.get(), address_.size);
  const int connect_errno = errno;
  stream_ = std::make_unique<Stream>(executor_.context(), descriptor);
  if (returned == 0) return connected();
  if (connect_errno != EINPROGRESS) return try_next("connect: " + errno_text(connect_errno));
  stream_->wait(Ready::kWrite, shared_from_this());
}

void Dialer::on_ready(Ready) {
  if (!done_) return;
  if (in_handshake_) return handshake();
  connected();
}

void Dialer::connected() {
  if (const int error = stream_->connect_error()) {
    return try_next("connect: " + errno_text(error));
  }
  in_handshake_ = true;
  if (target_.tls) {
    stream_->use_tls_client(target_.tls, target_.server_name, executor_.wall_now());
    if (!target_.alpn.empty()) {
      SSL_set_alpn_protos(stream_->ssl(),
                          reinterpret_cast<const unsigned char*>(target_.alpn.data()),
                          static_cast<unsigned>(target_.alpn.size()));
    }
  }
  handshake();
}

void Dialer::handshake() {
  const Io io = stream_->handshake();
  switch (io.kind) {
    case Io::kWantRead:
      return stream_->wait(Ready::kRead, shared_from_this());
    case Io::kWantWrite:
      return stream_->wait(Ready::kWrite, shared_from_this());
    case Io::kOk:
      if (target_.tls && !target_.alpn.empty() && !agreed_on(stream_->ssl(), target_.alpn)) {
        return finish(
            unavailable("tls: the server does not speak " + std::string(target_.alpn.substr(1))));
      }
      return finish(Status());
    default:
      return finish(unavailable(io.error));
  }
}

void Dialer::finish(Status status) {
  if (!done_) return;
  executor_.cancel(timer_);
  executor_.post([self = shared_from_this(), status = std::move(status)] {
    if (!self->done_) return;
    const Done done = std::exchange(self->done_, nullptr);
    if (!status.ok()) {
      self->stream_.reset();
      return done(status);
    }
    self->stream_->cancel_waits();
    done(Dialed{std::move(self->stream_), self->address_});
  });
}

}  // namespace coracle::net
