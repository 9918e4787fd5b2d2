#include "net_streams/spdy_session.hpp"

#include "base/check.hpp"

namespace coracle::net {

void SpdySession::start(Events events) {
  events_ = std::move(events);
  auto self = shared_from_this();
  transport_->on_data([self](std::string_view bytes) { self->take(bytes); });
  transport_->on_close([self] { self->gone(); });
  transport_->on_drain([self] {
    auto fn = self->events_.on_drain;
    if (fn) fn();
  });
}

SpdySession::StreamId SpdySession::open(const Headers& headers, bool fin) {
  const StreamId id = last_local_ == 0 ? (role_ == Role::kClient ? 1 : 2) : last_local_ + 2;
  last_local_ = id;
  if (closed_) return id;
  streams_[id].local_open = !fin;
  send(encoder_.syn_stream(id, headers, fin));
  return id;
}

void SpdySession::write(StreamId id, std::string_view bytes) {
  const auto found = streams_.find(id);
  if (closed_ || bytes.empty() || found == streams_.end() || !found->second.local_open) return;
  send(spdy::Encoder::data(id, bytes, false));
}

void SpdySession::fin(StreamId id) {
  const auto found = streams_.find(id);
  if (closed_ || found == streams_.end() || !found->second.local_open) return;
  found->second.local_open = false;
  send(spdy::Encoder::data(id, "", true));
  maybe_forget(id);
}

void SpdySession::reset(StreamId id, std::uint32_t status) {
  if (closed_ || streams_.erase(id) == 0) return;
  send(spdy::Encoder::rst_stream(id, status));
}

void SpdySession::pause(bool paused) {
  if (std::exchange(paused_, paused) == paused || closed_) return;
  if (paused) return transport_->pause(true);
  auto self = shared_from_this();
  work();
  if (!closed_ && !paused_) transport_->pause(false);
}

void SpdySession::close() {
  if (closed_) return;
  send(spdy::Encoder::go_away(last_remote_, 0));
  closed_ = true;
  transport_->close();
  release();
}

void SpdySession::release() {
  streams_.clear();
  events_ = {};  // each is copied before it is called: it may be what runs
}

void SpdySession::gone() {
  if (closed_) return;
  auto self = shared_from_this();
  closed_ = true;
  auto fn = std::move(events_.on_gone);
  release();
  if (fn) fn();
}

void SpdySession::take(std::string_view bytes) {
  auto self = shared_from_this();
  decoder_.feed(bytes);
  work();
}

void SpdySession::work() {
  if (std::exchange(working_, true)) return;
  while (!closed_ && !paused_) {
    const auto frame = decoder_.next();
    if (!frame) break;
    std::visit([this](const auto& one) { handle(one); }, *frame);
  }
  working_ = false;
  if (closed_ || decoder_.error().empty()) return;
  send(spdy::Encoder::go_away(last_remote_, spdy::kProtocolError));
  transport_->close();
  gone();
}

void SpdySession::handle(const spdy::SynStream& frame) {
  const bool of_peer = frame.id % 2 == (role_ == Role::kServer ? 1u : 0u);
  if (!of_peer || frame.id <= last_remote_) {
    return send(spdy::Encoder::rst_stream(frame.id, spdy::kProtocolError));
  }
  last_remote_ = frame.id;
  if (streams_.size() >= kMaxStreams) {
    return send(spdy::Encoder::rst_stream(frame.id, spdy::kRefusedStream));
  }
  streams_[frame.id];
  send(encoder_.syn_reply(frame.id, {}, false));
  auto fn = events_.on_stream;
  if (fn) fn(frame.id, frame.headers);
  if (frame.fin) remote_ended(frame.id);
}

void SpdySession::handle(const spdy::SynReply& frame) {
  if (!streams_.contains(frame.id)) return;
  auto fn = events_.on_reply;
  if (fn) fn(frame.id);
  if (frame.fin) remote_ended(frame.id);
}

void SpdySession::handle(const spdy::Data& frame) {
  const auto found = streams_.find(frame.id);
  if (found == streams_.end() || !found->second.remote_open) {
    const bool ours = frame.id % 2 == (role_ == Role::kServer ? 0u : 1u);
    // One that is over already is on its way out at the peer too.
    if (frame.id > (ours ? last_local_ : last_remote_)) {
      send(spdy::Encoder::rst_stream(frame.id, spdy::kInvalidStream));
    }
    return;
  }
  auto fn = events_.on_data;
  if (!frame.bytes.empty() && fn) fn(frame.id, frame.bytes);
  if (frame.fin) remote_ended(frame.id);
}

void SpdySession::handle(const spdy::MoreHeaders& frame) {
  if (frame.fin) remote_ended(frame.id);
}

void SpdySession::handle(const spdy::RstStream& frame) {
  if (streams_.erase(frame.id) == 0) return;
  auto fn = events_.on_reset;
  if (fn) fn(frame.id);
}

void SpdySession::handle(const spdy::Ping& frame) {
  const bool of_peer = frame.id % 2 == (role_ == Role::kServer ? 1u : 0u);
  if (of_peer) send(spdy::Encoder::ping(frame.id));
}

// The peer opens no more; what is open goes on until the peer closes.
void SpdySession::handle(const spdy::GoAway&) {}

void SpdySession::remote_ended(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.remote_open) return;
  found->second.remote_open = false;
  auto fn = events_.on_fin;
  if (fn) fn(id);
  maybe_forget(id);
}

void SpdySession::maybe_forget(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  if (!found->second.local_open && !found->second.remote_open) streams_.erase(found);
}

}  // namespace coracle::net
