#include "net/stream.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cctype>
#include <csignal>
#include <cstring>

namespace coracle::net {
namespace {

constexpr std::size_t kTlsRecord = 16384;

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

}  // namespace

std::string errno_text(int error) {
  std::string text = std::strerror(error);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

void ignore_sigpipe() {
  // OpenSSL writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
}

Stream::Stream(boost::asio::io_context& context, int descriptor)
    : socket_(context.get_executor(), descriptor) {}

Stream::~Stream() { close(); }

void Stream::use_tls_server(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  CHECK(ssl_ != nullptr);
  SSL_set_fd(ssl_.get(), descriptor());
  SSL_set_accept_state(ssl_.get());
}

void Stream::use_tls_client(SSL_CTX* context, const std::string& name, WallTime now) {
  ssl_.reset(SSL_new(context));
  CHECK(ssl_ != nullptr);
  note_ = std::make_unique<VerificationNote>(VerificationNote{name, now, {}});
  SSL_set_app_data(ssl_.get(), note_.get());
  SSL_set_fd(ssl_.get(), descriptor());
  SSL_set_connect_state(ssl_.get());
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
    SSL_set1_host(ssl_.get(), name.c_str());
  }
}

Io Stream::handshake() {
  if (!ssl_) return {Io::kOk};
  ERR_clear_error();
  int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) return {Io::kOk};
  int error = SSL_get_error(ssl_.get(), returned);
  if (error == SSL_ERROR_WANT_READ) return {Io::kWantRead};
  if (error == SSL_ERROR_WANT_WRITE) return {Io::kWantWrite};
  if (error == SSL_ERROR_SSL &&
      ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return {Io::kError, 0, handshake_error(ssl_.get())};
  }
  int system_error = errno;
  ERR_clear_error();
  if (error == SSL_ERROR_SYSCALL && system_error != 0) {
    return {Io::kError, 0, errno_text(system_error)};
  }
  return {Io::kError, 0, "EOF"};
}

Io Stream::ssl_result(int returned) {
  int system_error = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {Io::kWantRead};
    case SSL_ERROR_WANT_WRITE:
      return {Io::kWantWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::kEof};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return {Io::kError, 0, system_error ? errno_text(system_error) : "unexpected EOF"};
    default:
      break;
  }
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return {Io::kError, 0, "unexpected EOF"};
  }
  return {Io::kError, 0, handshake_error(ssl_.get())};
}

Io Stream::read(char* buffer, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    int got = SSL_read(ssl_.get(), buffer, static_cast<int>(size));
    if (got > 0) return {Io::kOk, static_cast<std::size_t>(got)};
    return ssl_result(got);
  }
  for (;;) {
    ssize_t got = ::recv(descriptor(), buffer, size, 0);
    if (got > 0) return {Io::kOk, static_cast<std::size_t>(got)};
    if (got == 0) return {Io::kEof};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return {Io::kWantRead};
    return {Io::kError, 0, errno_text(errno)};
  }
}

Io Stream::write(OutQueue& queue) { return ssl_ ? write_tls(queue) : write_plain(queue); }

Io Stream::write_plain(OutQueue& queue) {
  constexpr int kMaxPieces = 64;
  Io total;
  while (!queue.empty()) {
    iovec vectors[kMaxPieces];
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = static_cast<std::size_t>(queue.gather(vectors, kMaxPieces));
    ssize_t sent = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      total.kind = errno == EAGAIN ? Io::kWantWrite : Io::kError;
      if (total.kind == Io::kError) total.error = errno_text(errno);
      return total;
    }
    queue.consume(static_cast<std::size_t>(sent));
    total.bytes += static_cast<std::size_t>(sent);
  }
  return total;
}

Io Stream::write_tls(OutQueue& queue) {
  static thread_local char scratch[kTlsRecord];
  Io total;
  while (!queue.empty()) {
    std::string_view data = queue.front(scratch, kTlsRecord);
    ERR_clear_error();
    errno = 0;
    int sent = SSL_write(ssl_.get(), data.data(),
                         static_cast<int>(std::min(data.size(), std::size_t{1} << 30)));
    if (sent <= 0) {
      Io failed = ssl_result(sent);
      failed.bytes = total.bytes;
      return failed;
    }
    queue.consume(static_cast<std::size_t>(sent));
    total.bytes += static_cast<std::size_t>(sent);
  }
  return total;
}

std::size_t Stream::peek(char* buffer, std::size_t size) const {
  auto& socket = const_cast<Socket&>(socket_);
  ssize_t got = ::recv(socket.native_handle(), buffer, size, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool Stream::quiet() const {
  if (!open_ || has_buffered()) return false;
  char byte;
  auto& socket = const_cast<Socket&>(socket_);
  ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EINTR);
}

void Stream::wait(Ready ready, std::shared_ptr<Waiter> waiter) {
  if (!open_ || waiting_[static_cast<int>(ready)]) return;
  waiting_[static_cast<int>(ready)] = true;
  auto direction = ready == Ready::kRead ? Socket::wait_read : Socket::wait_write;
  socket_.async_wait(direction, [this, ready, waiter = std::move(waiter), generation = generation_,
                                 stamp = *generation_](const boost::system::error_code&) {
    if (*generation != stamp) return;  // `this` may be gone
    waiting_[static_cast<int>(ready)] = false;
    waiter->on_ready(ready);
  });
}

void Stream::cancel_waits() {
  ++*generation_;
  waiting_[0] = waiting_[1] = false;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::shutdown_write() {
  if (!open_) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(descriptor(), SHUT_WR);
}

void Stream::close() {
  if (!open_) return;
  open_ = false;
  ++*generation_;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // one try at close_notify; nobody waits for the answer
    ERR_clear_error();
  }
  ssl_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

int Stream::connect_error() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace coracle::net
