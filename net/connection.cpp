#include "net/connection.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include "net/raw_stream.hpp"
#include "net/response_head.hpp"

namespace coracle::net {
namespace {

constexpr std::size_t kReadSize = 65536;
constexpr std::size_t kReadAhead = 65536;
constexpr Duration kLingerTime = std::chrono::seconds(1);

char* scratch() {
  static thread_local char buffer[kReadSize];
  return buffer;
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerShared> server, int descriptor, Peer peer)
    : server_(std::move(server)),
      stream_(std::make_unique<Stream>(server_->executor.context(), descriptor)),
      peer_(std::move(peer)) {}

void Connection::start() {
  if (server_->tls) {
    stream_->use_tls_server(server_context_of(*server_->tls));
    set_deadline(server_->options.limits.handshake_timeout);
  } else {
    state_ = State::kIdle;
    set_deadline(server_->options.limits.idle_timeout);
  }
  stream_->wait(Ready::kRead, shared_from_this());
}

void Connection::set_deadline(Duration from_now) { deadline_ = server_->executor.now() + from_now; }

void Connection::on_ready(Ready ready) {
  auto self = shared_from_this();
  if (state_ == State::kHandshake) return handshake();
  if (state_ == State::kClosed) return;
  if (!queue_.empty()) flush();
  if (ready != Ready::kRead) return;
  switch (state_) {
    case State::kIdle:
    case State::kReading:
      return queue_.empty() ? read_requests() : void();
    case State::kHandling:
    case State::kStreaming:
      return watch_peer();
    case State::kLingering:
      return discard_input();
    default:
      return;
  }
}

void Connection::handshake() {
  if (SSL_in_before(stream_->ssl())) {
    char first[3];
    std::size_t seen = stream_->peek(first, sizeof first);
    for (std::string_view method : {"GET", "PUT", "POS", "HEA", "DEL", "PAT", "OPT"}) {
      if (std::string_view(first, seen) == method) return refuse_plain_http();
    }
  }
  Io io = stream_->handshake();
  switch (io.kind) {
    case Io::kWantRead:
      return stream_->wait(Ready::kRead, shared_from_this());
    case Io::kWantWrite:
      return stream_->wait(Ready::kWrite, shared_from_this());
    case Io::kOk:
      break;
    default:
      ++server_->stats.tls_failures;
      return drop();
  }
  describe_client_certificate(stream_->ssl(), server_->executor.wall_now(), &peer_, &cert_expires_);
  state_ = State::kIdle;
  set_deadline(server_->options.limits.idle_timeout);
  resume();
}

void Connection::refuse_plain_http() {
  ++server_->stats.tls_failures;
  static constexpr std::string_view kText =
      "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
  // A fresh socket has room for it; if not, the client learns less.
  (void)!::send(stream_->descriptor(), kText.data(), kText.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  linger();
}

void Connection::read_requests() {
  do {
    Io io = stream_->read(scratch(), kReadSize);
    switch (io.kind) {
      case Io::kOk:
        break;
      case Io::kWantRead:
        return stream_->wait(Ready::kRead, shared_from_this());
      case Io::kWantWrite:
        return stream_->wait(Ready::kWrite, shared_from_this());
      case Io::kEof:
      case Io::kError:
        return drop();
    }
    if (!take_input({scratch(), io.bytes})) return;
  } while (stream_->has_buffered());
  stream_->wait(Ready::kRead, shared_from_this());
}

// False when this connection now waits for something else than more input.
bool Connection::take_input(std::string_view data) {
  if (state_ == State::kIdle) {
    state_ = State::kReading;
    set_deadline(server_->options.limits.request_timeout);
  }
  if (!parser_) {
    const ServerLimits& limits = server_->options.limits;
    parser_.emplace(MessageParser::kRequest, ParserLimits{limits.max_header, limits.max_body});
  }
  if (input_.empty()) {
    input_ = data.substr(parser_->feed(data));
  } else {
    input_ += data;
    input_.erase(0, parser_->feed(input_));
  }
  if (input_.empty()) input_ = {};  // an idle connection keeps no buffer
  switch (parser_->state()) {
    case ParseState::kFailed:
      reject(parser_->error() == ParseError::kBodyTooLarge     ? RequestError::kBodyTooLarge
             : parser_->error() == ParseError::kHeaderTooLarge ? RequestError::kHeaderTooLarge
                                                               : RequestError::kBadRequest);
      return false;
    case ParseState::kMore:
      if (parser_->head_done() && !sent_continue_ && parser_->expects_continue()) {
        sent_continue_ = true;
        queue_.push(std::string("HTTP/1.1 100 Continue\r\n\r\n"));
        flush();
      }
      return state_ == State::kReading;
    case ParseState::kDone:
      break;
  }
  if (parser_->http_11() && !parser_->has_host()) {
    reject(RequestError::kBadRequest);
    return false;
  }
  dispatch();
  return state_ == State::kIdle && queue_.empty() && input_.empty();
}

void Connection::dispatch() {
  ++server_->stats.requests;
  keep_alive_ = parser_->keep_alive() && !server_->stopping;
  chunked_ = parser_->http_11();
  Request request = parser_->take_request();
  parser_.reset();
  sent_continue_ = false;
  head_only_ = request.method == "HEAD";
  if (peer_.cert_trusted && server_->executor.wall_now() > cert_expires_) {
    peer_.cert_trusted = false;
    peer_.cert_error = "x509: certificate has expired or is not yet valid";
  }
  request.peer = peer_;
  state_ = State::kHandling;
  ++exchange_;
  in_handler_ = true;
  auto handler = server_->handler;  // held: it may end the server
  (*handler)(std::move(request), make_exchange(shared_from_this(), exchange_));
  in_handler_ = false;
  if (state_ == State::kHandling || state_ == State::kStreaming) {
    stream_->wait(Ready::kRead, shared_from_this());
  } else if (state_ == State::kIdle && !input_.empty()) {
    resume();
  }
}

void Connection::reject(RequestError error) {
  keep_alive_ = false;
  head_only_ = false;
  parser_.reset();
  input_.clear();
  Response response = server_->options.on_error(error);
  push_head(response.status, response.headers, response.content_length());
  queue_.push(std::move(response.body));
  for (Bytes& chunk : response.chunks) queue_.push(std::move(chunk));
  state_ = State::kClosing;
  set_deadline(server_->options.limits.write_timeout);
  flush();
}

// Reading while a request is being answered: the next one is kept, the end is noticed.
void Connection::watch_peer() {
  Io io = stream_->read(scratch(), kReadSize);
  switch (io.kind) {
    case Io::kOk:
      input_.append(scratch(), io.bytes);
      if (input_.size() >= kReadAhead) return;
      break;
    case Io::kWantRead:
      break;
    case Io::kWantWrite:
      return stream_->wait(Ready::kWrite, shared_from_this());
    case Io::kEof:
      if (state_ == State::kStreaming) return drop();
      // Maybe only its sending side: it still gets its answer.
      peer_ended_ = true;
      keep_alive_ = false;
      return run_close_fns();
    case Io::kError:
      return drop();
  }
  stream_->wait(Ready::kRead, shared_from_this());
}

void Connection::discard_input() {
  for (int i = 0; i < 16; ++i) {
    Io io = stream_->tls() ? Io{Io::kEof} : stream_->read(scratch(), kReadSize);
    if (stream_->tls()) {
      // Records that are thrown away need no decryption.
      ssize_t got = ::recv(stream_->descriptor(), scratch(), kReadSize, 0);
      if (got > 0) io = {Io::kOk};
      if (got < 0 && errno == EAGAIN) io = {Io::kWantRead};
    }
    if (io.kind == Io::kWantRead) break;
    if (io.kind != Io::kOk) return drop();
  }
  stream_->wait(Ready::kRead, shared_from_this());
}

void Connection::push_head(int status, const Headers& headers, std::optional<std::size_t> length) {
  ResponseHead head{status, length, chunked_, keep_alive_, server_->executor.wall_now()};
  queue_.push(head.serialize(headers));
}

void Connection::respond(std::uint64_t exchange, Response response) {
  if (!current(exchange)) return;
  if (response.headers.has_token("Connection", "close")) keep_alive_ = false;
  push_head(response.status, response.headers, response.content_length());
  if (!head_only_ && status_has_body(response.status)) {
    queue_.push(std::move(response.body));
    for (Bytes& chunk : response.chunks) queue_.push(std::move(chunk));
  }
  finish_exchange();
}

void Connection::begin_stream(std::uint64_t exchange, int status, Headers headers) {
  if (!current(exchange)) return;
  if (!chunked_) keep_alive_ = false;
  push_head(status, headers, std::nullopt);
  state_ = State::kStreaming;
  progress_ = server_->executor.now();
  flush();
  if (peer_ended_) drop();
}

void Connection::write(std::uint64_t exchange, Bytes bytes) {
  if (!current(exchange) || state_ != State::kStreaming || head_only_) return;
  if (!bytes || bytes->empty()) return;
  if (queue_.empty()) progress_ = server_->executor.now();
  if (chunked_) queue_.push(fmt::format("{:x}\r\n", bytes->size()));
  queue_.push(std::move(bytes));
  if (chunked_) queue_.push(std::string("\r\n"));
  flush_later();
}

void Connection::end(std::uint64_t exchange) {
  if (!current(exchange) || state_ != State::kStreaming) return;
  if (chunked_ && !head_only_) queue_.push(std::string("0\r\n\r\n"));
  finish_exchange();
}

void Connection::abort(std::uint64_t exchange) {
  if (!current(exchange)) return;
  close_fns_.clear();
  drop();
}

std::shared_ptr<ByteStream> Connection::upgrade(std::uint64_t exchange, int status,
                                                Headers headers) {
  push_head(status, headers, std::nullopt);
  stream_->cancel_waits();
  bool open = current(exchange);
  auto raw = std::make_shared<RawStream>(server_->executor, std::move(stream_), std::move(queue_),
                                         std::move(input_));
  stream_ = nullptr;
  state_ = State::kClosed;
  close_fns_.clear();
  std::erase_if(server_->upgraded, [](const auto& weak) { return weak.expired(); });
  server_->upgraded.push_back(raw);
  server_->remove(shared_from_this());
  if (open) raw->start();
  return raw;
}

void Connection::on_close(std::uint64_t exchange, std::function<void()> fn) {
  if (exchange == exchange_ && current(exchange) && !peer_ended_) {
    close_fns_.push_back(std::move(fn));
  } else if (gone(exchange)) {
    server_->executor.post(std::move(fn));
  }
}

void Connection::on_drain(std::uint64_t exchange, std::function<void()> fn) {
  if (current(exchange)) drain_fn_ = std::move(fn);
}

std::size_t Connection::queued_bytes(std::uint64_t exchange) const {
  return current(exchange) ? queue_.size() : 0;
}

bool Connection::gone(std::uint64_t exchange) const { return !current(exchange) || peer_ended_; }

// The answer is complete and queued.
void Connection::finish_exchange() {
  close_fns_.clear();
  drain_fn_ = nullptr;
  progress_ = server_->executor.now();
  state_ = keep_alive_ ? State::kIdle : State::kClosing;
  set_deadline(keep_alive_ ? server_->options.limits.idle_timeout
                           : server_->options.limits.write_timeout);
  flush();
}

// Goes on reading requests; what was read ahead first.
void Connection::resume() {
  if (state_ != State::kIdle || !queue_.empty() || in_handler_ || resume_posted_) return;
  if (input_.empty() && !stream_->has_buffered()) {
    return stream_->wait(Ready::kRead, shared_from_this());
  }
  // Not here: the handler of the next request must not run inside the answer to this one.
  resume_posted_ = true;
  server_->executor.post([self = shared_from_this()] {
    self->resume_posted_ = false;
    if (self->state_ == State::kIdle && self->queue_.empty()) self->parse_input();
  });
}

void Connection::parse_input() {
  if (!input_.empty()) {
    std::string input = std::exchange(input_, {});
    if (!take_input(input)) return;
  }
  if (stream_->has_buffered()) return read_requests();
  stream_->wait(Ready::kRead, shared_from_this());
}

void Connection::flush_later() {
  if (flush_posted_) return;
  flush_posted_ = true;  // what is written in one turn leaves in one go
  server_->executor.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->state_ != State::kClosed) self->flush();
  });
}

void Connection::flush() {
  if (queue_.empty()) return flushed();
  Io io = stream_->write(queue_);
  if (io.bytes > 0) progress_ = server_->executor.now();
  switch (io.kind) {
    case Io::kOk:
      return flushed();
    case Io::kWantWrite:
      return stream_->wait(Ready::kWrite, shared_from_this());
    case Io::kWantRead:
      return stream_->wait(Ready::kRead, shared_from_this());
    case Io::kEof:
    case Io::kError:
      return drop();
  }
}

void Connection::flushed() {
  if (state_ == State::kClosing) return linger();
  if (state_ == State::kIdle) return resume();
  if (state_ == State::kStreaming && drain_fn_) server_->executor.post(drain_fn_);
}

// Closing with unread input would reset the connection and lose the answer on its way.
void Connection::linger() {
  state_ = State::kLingering;
  set_deadline(kLingerTime);
  stream_->shutdown_write();
  if (peer_ended_) return drop();
  stream_->wait(Ready::kRead, shared_from_this());
}

void Connection::run_close_fns() {
  for (auto& fn : std::exchange(close_fns_, {})) server_->executor.post(std::move(fn));
}

void Connection::stop() {
  switch (state_) {
    case State::kHandshake:
    case State::kIdle:
      if (queue_.empty()) return drop();
      state_ = State::kClosing;
      return;
    case State::kHandling:
      keep_alive_ = false;
      return;
    case State::kStreaming:
      run_close_fns();
      keep_alive_ = false;
      return end(exchange_);
    default:
      return;
  }
}

void Connection::drop() {
  if (state_ == State::kClosed) return;
  run_close_fns();
  forget();
}

void Connection::forget() {
  if (state_ == State::kClosed) return;
  auto self = shared_from_this();
  state_ = State::kClosed;
  close_fns_.clear();
  drain_fn_ = nullptr;
  queue_.clear();
  input_ = {};
  parser_.reset();
  stream_->close();
  server_->remove(self);
}

void Connection::check_deadline(TimePoint now) {
  const ServerLimits& limits = server_->options.limits;
  if (!queue_.empty() && now > progress_ + limits.write_timeout) return drop();
  switch (state_) {
    case State::kReading:
      if (now > deadline_) reject(RequestError::kRequestTimeout);
      return;
    case State::kIdle:
      if (queue_.empty() && now > deadline_) drop();
      return;
    case State::kHandshake:
    case State::kClosing:
    case State::kLingering:
      if (now > deadline_) drop();
      return;
    default:
      return;
  }
}

void ServerShared::remove(const std::shared_ptr<Connection>& connection) {
  connections.erase(connection);
  stats.connections = connections.size();
  if (connections.empty() && on_empty) executor.post(std::exchange(on_empty, nullptr));
}

}  // namespace coracle::net
