#include "net/http2_pump.hpp"

#include <utility>

namespace coracle::net {
namespace {

constexpr std::size_t kReadSize = 64 << 10;
constexpr std::size_t kReadsAtOnce = 64;  // then others have their turn
constexpr std::size_t kQueueMax = 1 << 20;

}  // namespace

Http2Pump::Http2Pump(AsioExecutor& executor, std::unique_ptr<Stream> stream,
                     std::unique_ptr<Http2Session> session, Owner& owner)
    : executor_(executor),
      stream_(std::move(stream)),
      session_(std::move(session)),
      owner_(owner),
      heard_(executor.now()) {}

void Http2Pump::start() {
  flush_later();
  stream_->wait(Ready::kRead, shared_from_this());
}

void Http2Pump::on_ready(Ready ready) {
  if (!queue_.empty()) flush();
  if (ready == Ready::kRead && stream_) read();
}

void Http2Pump::read() {
  static thread_local char scratch[kReadSize];
  for (std::size_t i = 0; i < kReadsAtOnce; ++i) {
    const Io io = stream_->read(scratch, sizeof scratch);
    if (io.kind == Io::kWantRead || io.kind == Io::kWantWrite) {
      return stream_->wait(io.kind == Io::kWantRead ? Ready::kRead : Ready::kWrite,
                           shared_from_this());
    }
    if (io.kind == Io::kEof) return broken("the other side closed the connection");
    if (io.kind == Io::kError) return broken(io.error);
    heard_ = executor_.now();
    const Status good = session_->receive({scratch, io.bytes});
    owner_.on_progress();
    if (!stream_) return;
    if (!good.ok()) return broken(good.message());
    flush_later();
    const bool all = io.bytes < sizeof scratch && !stream_->tls();
    if (all) return stream_->wait(Ready::kRead, shared_from_this());
  }
  executor_.post([self = shared_from_this()] {
    if (self->stream_) self->read();
  });
}

void Http2Pump::flush_later() {
  if (std::exchange(flush_posted_, true)) return;
  executor_.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->stream_) self->flush();
  });
}

void Http2Pump::flush() {
  for (bool more = true; more;) {
    std::string out;
    if (queue_.size() < kQueueMax && !session_->produce(&out, kQueueMax)) {
      return broken("http2: nothing can be sent");
    }
    more = out.size() >= kQueueMax;
    queue_.push(std::move(out));
    if (queue_.empty()) break;
    const Io io = stream_->write(queue_);
    if (io.kind == Io::kError || io.kind == Io::kEof) return broken(io.error);
    if (io.kind == Io::kOk) continue;
    stream_->wait(io.kind == Io::kWantWrite ? Ready::kWrite : Ready::kRead, shared_from_this());
    break;
  }
  owner_.on_progress();
  if (stream_ && queue_.empty() && session_->finished()) {
    broken("the other side ended the connection");
  }
}

void Http2Pump::broken(const std::string& why) {
  if (!stream_) return;
  close();
  owner_.on_broken(why);
}

void Http2Pump::close() {
  if (!stream_) return;
  stream_->close();
  stream_.reset();
  queue_.clear();
}

}  // namespace coracle::net
