#include "net/client_connection.hpp"

namespace coracle::net {
namespace {

constexpr std::size_t kReadSize = 65536;

}  // namespace

ClientConnection::ClientConnection(AsioExecutor& executor, Target target, Hooks hooks)
    : executor_(executor), target_(std::move(target)), hooks_(std::move(hooks)) {}

void ClientConnection::dial() {
  Dialer::Target to{target_.host, target_.server_name,    target_.port, target_.tls,
                    {},           target_.connect_timeout};
  dialer_ = Dialer::dial(executor_, std::move(to), [self = shared_from_this()](auto dialed) {
    self->dialer_.reset();
    if (!dialed.ok()) return self->fail(dialed.status());
    self->stream_ = std::move(dialed->stream);
    self->address_ = dialed->address;
    self->connected();
  });
}

void ClientConnection::connected() {
  state_ = State::kIdle;
  idle_since_ = executor_.now();
  if (request_) return start_exchange();
  stream_->wait(Ready::kRead, shared_from_this());
  tell_idle();
}

void ClientConnection::send(Bytes head_and_body, bool head_only,
                            std::shared_ptr<ExchangeOwner> owner) {
  CHECK(!owner_);
  request_ = std::move(head_and_body);
  head_only_ = head_only;
  owner_ = std::move(owner);
  if (state_ == State::kIdle) start_exchange();
}

void ClientConnection::start_exchange() {
  state_ = State::kBusy;
  answered_ = head_given_ = paused_ = false;
  parser_.reset();
  queue_.push(std::exchange(request_, nullptr));
  stream_->wait(Ready::kRead, shared_from_this());
  flush();
}

void ClientConnection::on_ready(Ready ready) {
  auto self = shared_from_this();
  switch (state_) {
    case State::kIdle:
      // Nothing is expected: it has closed, or breaks the rules.
      if (!stream_->quiet())
        close();
      else
        stream_->wait(Ready::kRead, self);
      return;
    case State::kBusy:
      if (!queue_.empty()) flush();
      if (ready == Ready::kRead && state_ == State::kBusy && !paused_) read();
      return;
    default:
      return;
  }
}

void ClientConnection::flush() {
  Io io = stream_->write(queue_);
  if (io.kind == Io::kWantWrite) stream_->wait(Ready::kWrite, shared_from_this());
  if (io.kind == Io::kWantRead) stream_->wait(Ready::kRead, shared_from_this());
  // After a write error the answer may still be there to read: a 413, or an alert.
  if (io.kind == Io::kError) queue_.clear();
}

void ClientConnection::read() {
  static thread_local char scratch[kReadSize];
  do {
    Io io = stream_->read(scratch, sizeof scratch);
    switch (io.kind) {
      case Io::kOk:
        break;
      case Io::kWantRead:
        return stream_->wait(Ready::kRead, shared_from_this());
      case Io::kWantWrite:
        return stream_->wait(Ready::kWrite, shared_from_this());
      case Io::kEof:
        return peer_ended();
      case Io::kError: {
        bool reset = io.error == "connection reset by peer" || io.error == "broken pipe";
        return fail(unavailable(reset
                                    ? "read tcp " + join_host_port(address_.host(), target_.port) +
                                          ": read: " + io.error
                                : io.error == "unexpected EOF" && !answered_ ? "EOF"
                                                                             : io.error));
      }
    }
    if (!take_input({scratch, io.bytes}) || paused_) return;
  } while (stream_->has_buffered());
  stream_->wait(Ready::kRead, shared_from_this());
}

void ClientConnection::pause(bool paused) {
  if (std::exchange(paused_, paused) == paused || paused || state_ != State::kBusy) return;
  executor_.post([self = shared_from_this()] {
    if (self->state_ == State::kBusy && !self->paused_) self->read();
  });
}

// False when this exchange wants no more input.
bool ClientConnection::take_input(std::string_view data) {
  answered_ = true;
  std::string joined;
  if (!input_.empty()) {
    joined = std::exchange(input_, {}).append(data);
    data = joined;
  }
  for (;;) {
    if (!parser_) {
      constexpr std::size_t kMaxHead = 1u << 20;
      parser_.emplace(MessageParser::kResponse, ParserLimits{kMaxHead, std::size_t{1} << 60});
      if (head_only_) parser_->skip_body();
    }
    data.remove_prefix(parser_->feed(data));
    // 100 Continue and its kin come before the answer itself.
    if (parser_->state() != ParseState::kDone || parser_->status() >= 200 ||
        parser_->status() == 101) {
      break;
    }
    parser_.reset();
    if (data.empty()) return true;
  }
  input_ = data;
  return take_answer();
}

bool ClientConnection::take_answer() {
  auto self = shared_from_this();
  auto owner = owner_;
  ParseState parsed = parser_->state();
  if (parser_->head_done() && !head_given_) {
    head_given_ = true;
    if (parser_->status() == 101) {
      owner_ = nullptr;
      owner->on_upgrade(self, parser_->take_head());
      return false;
    }
    owner->on_head(parser_->take_head());
    if (owner_ != owner) return false;
  }
  if (parser_->body_size() > 0) {
    owner->on_data(parser_->take_body());
    if (owner_ != owner) return false;
  }
  if (parsed == ParseState::kDone) {
    finish();
    return false;
  }
  if (parsed == ParseState::kFailed) {
    fail(unavailable("net/http: HTTP/1.x transport connection broken: malformed HTTP response"));
    return false;
  }
  return true;
}

void ClientConnection::finish() {
  auto self = shared_from_this();
  auto owner = std::exchange(owner_, nullptr);
  // Unsent request bytes, or bytes behind the answer, would shift the next exchange.
  bool again = parser_->keep_alive() && queue_.empty() && input_.empty() && stream_->open();
  parser_.reset();
  if (!again) {
    close();
    return owner->on_finish({}, false);
  }
  state_ = State::kIdle;
  reused_ = true;
  idle_since_ = executor_.now();
  stream_->wait(Ready::kRead, self);
  owner->on_finish({}, false);
  if (state_ == State::kIdle) tell_idle();
}

void ClientConnection::tell_idle() {
  auto idle = hooks_.idle;  // it may close this connection, and with it the hooks
  if (idle) idle(shared_from_this());
}

void ClientConnection::peer_ended() {
  if (!answered_) return fail(unavailable("EOF"));
  if (parser_) {
    parser_->feed_end();
    if (parser_->state() == ParseState::kDone) {
      stream_->close();
      return finish();
    }
  }
  fail(unavailable("unexpected EOF"));
}

void ClientConnection::fail(Status status) {
  auto self = shared_from_this();
  auto owner = std::exchange(owner_, nullptr);
  bool untouched = reused_ && !answered_;
  close();
  if (owner) owner->on_finish(std::move(status), untouched);
}

void ClientConnection::abandon() {
  owner_ = nullptr;
  close();
}

void ClientConnection::close() {
  if (state_ == State::kClosed) return;
  auto self = shared_from_this();
  state_ = State::kClosed;
  if (dialer_) std::exchange(dialer_, nullptr)->cancel();
  if (stream_) stream_->close();
  queue_.clear();
  Hooks hooks = std::exchange(hooks_, {});
  if (hooks.closed) hooks.closed(self);
}

bool ClientConnection::usable() const { return state_ == State::kIdle && stream_->quiet(); }

std::unique_ptr<Stream> ClientConnection::take_stream(std::string* early) {
  auto self = shared_from_this();
  *early = std::move(input_);
  stream_->cancel_waits();
  auto stream = std::move(stream_);
  state_ = State::kClosed;
  Hooks hooks = std::exchange(hooks_, {});
  if (hooks.closed) hooks.closed(self);
  return stream;
}

}  // namespace coracle::net
