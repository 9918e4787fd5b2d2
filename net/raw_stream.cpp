#include "net/raw_stream.hpp"

namespace coracle::net {
namespace {

constexpr Duration kLingerTime = std::chrono::seconds(1);
constexpr Duration kCloseTime = std::chrono::seconds(10);

}  // namespace

RawStream::RawStream(AsioExecutor& executor, std::unique_ptr<Stream> stream, OutQueue unsent,
                     std::string early)
    : executor_(executor),
      stream_(std::move(stream)),
      queue_(std::move(unsent)),
      early_(std::move(early)) {}

void RawStream::start() { flush(); }

void RawStream::on_data(std::function<void(std::string_view)> fn) {
  bool first = !data_fn_;
  data_fn_ = std::move(fn);
  if (!first || state_ != State::kOpen) return;
  executor_.post([self = shared_from_this()] { self->deliver_early(); });
}

void RawStream::deliver_early() {
  if (state_ == State::kClosed || paused_) return;
  std::string early = std::exchange(early_, {});
  auto fn = data_fn_;
  if (!early.empty() && fn) fn(early);
  if (state_ == State::kOpen && !paused_) read();
}

void RawStream::pause(bool paused) {
  if (std::exchange(paused_, paused) == paused || paused) return;
  if (state_ != State::kOpen || !data_fn_) return;
  executor_.post([self = shared_from_this()] { self->deliver_early(); });
}

void RawStream::write(Bytes bytes) {
  if (state_ != State::kOpen) return;
  bool idle = queue_.empty();
  queue_.push(std::move(bytes));
  if (idle && !queue_.empty()) {
    // Writes of one turn leave together.
    executor_.post([self = shared_from_this()] { self->flush(); });
  }
}

void RawStream::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  release();
  drop_after(kCloseTime);
  flush();
}

// Closing with unread input would reset the connection and lose what is on its way.
void RawStream::linger() {
  state_ = State::kLingering;
  stream_->shutdown_write();
  drop_after(kLingerTime);
  read();
}

void RawStream::drop_after(Duration delay) {
  executor_.after(delay, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->drop();
  });
}

void RawStream::release() {
  data_fn_ = nullptr;
  close_fn_ = drain_fn_ = nullptr;
}

void RawStream::drop() {
  state_ = State::kClosed;
  release();
  queue_.clear();
  stream_->close();
}

void RawStream::on_ready(Ready ready) {
  if (state_ == State::kClosed) return;
  if (!queue_.empty()) flush();
  if (ready != Ready::kRead) return;
  if (reading() && (state_ == State::kLingering || data_fn_)) read();
}

void RawStream::read() {
  static thread_local char scratch[65536];
  auto self = shared_from_this();
  do {
    Io io = stream_->read(scratch, sizeof scratch);
    if (io.kind == Io::kEof || io.kind == Io::kError) return peer_gone();
    if (io.kind == Io::kWantWrite) stream_->wait(Ready::kWrite, self);
    if (io.kind == Io::kOk && data_fn_) {
      auto fn = data_fn_;  // it may be replaced or dropped by what it does
      fn(std::string_view(scratch, io.bytes));
    }
    if (io.kind == Io::kWantRead || io.kind == Io::kWantWrite) break;
  } while (reading() && stream_->has_buffered());
  if (reading()) stream_->wait(Ready::kRead, self);
}

void RawStream::flush() {
  if (state_ == State::kClosed) return;
  bool had = !queue_.empty();
  Io io = stream_->write(queue_);
  switch (io.kind) {
    case Io::kOk:
      if (state_ == State::kClosing) return linger();
      if (had && drain_fn_) executor_.post(drain_fn_);
      return;
    case Io::kWantWrite:
      return stream_->wait(Ready::kWrite, shared_from_this());
    case Io::kWantRead:
      return stream_->wait(Ready::kRead, shared_from_this());
    case Io::kEof:
    case Io::kError:
      return peer_gone();
  }
}

void RawStream::peer_gone() {
  auto fn = state_ == State::kOpen ? std::move(close_fn_) : nullptr;
  drop();
  if (fn) executor_.post(std::move(fn));
}

}  // namespace coracle::net
