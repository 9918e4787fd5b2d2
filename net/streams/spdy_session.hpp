// SpdySession: the streams of one SPDY/3.1 connection, either end. Strand only.
//
// Streams of the peer are accepted with an empty SYN_REPLY. There is no flow control, as in the
// clients that speak it (their WINDOW_UPDATE is ignored): who cannot take more pauses the whole
// connection. What is written queues without bound: look at queued_bytes().
// Bound: kMaxStreams open ones; a further one is refused. A peer that breaks the protocol is told
// (GOAWAY) and closed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/server.hpp"
#include "net_streams/spdy_frames.hpp"

namespace coracle::net {

class SpdySession : public std::enable_shared_from_this<SpdySession> {
 public:
  using StreamId = spdy::StreamId;
  static constexpr std::size_t kMaxStreams = 1000;

  enum class Role { kServer, kClient };

  // All optional. None runs inside a call of the session's own functions but through the transport.
  struct Events {
    std::function<void(StreamId, const Headers&)> on_stream;  // the peer has opened one
    std::function<void(StreamId)> on_reply;                   // the peer has taken ours
    std::function<void(StreamId, std::string_view)> on_data;
    std::function<void(StreamId)> on_fin;    // the peer sends no more on it
    std::function<void(StreamId)> on_reset;  // the peer has given it up
    std::function<void()> on_drain;          // queued_bytes() is 0 again
    std::function<void()> on_gone;           // once: the connection is over; not after close()
  };

  SpdySession(std::shared_ptr<ByteStream> transport, Role role)
      : transport_(std::move(transport)), role_(role) {}

  // Once it is in a shared_ptr. It lives as long as its transport then, until it is closed.
  void start(Events events);

  StreamId open(const Headers& headers, bool fin);
  void write(StreamId id, std::string_view bytes);  // ignored on a stream that is not open
  void fin(StreamId id);
  void reset(StreamId id, std::uint32_t status);
  bool is_open(StreamId id) const { return streams_.contains(id); }
  std::size_t streams() const { return streams_.size(); }
  void pause(bool paused);
  std::size_t queued_bytes() const { return transport_->queued_bytes(); }
  void close();  // GOAWAY, what is queued, then the end
  bool closed() const { return closed_; }

 private:
  struct Stream {
    bool local_open = true, remote_open = true;
  };

  void take(std::string_view bytes);
  void work();
  void handle(const spdy::SynStream& frame);
  void handle(const spdy::SynReply& frame);
  void handle(const spdy::Data& frame);
  void handle(const spdy::RstStream& frame);
  void handle(const spdy::Ping& frame);
  void handle(const spdy::GoAway& frame);
  void handle(const spdy::MoreHeaders& frame);
  void handle(const spdy::Ignored&) {}
  void remote_ended(StreamId id);
  void maybe_forget(StreamId id);
  void send(std::string bytes) { transport_->write(make_bytes(std::move(bytes))); }
  void gone();
  void release();

  const std::shared_ptr<ByteStream> transport_;
  const Role role_;
  Events events_;
  spdy::Decoder decoder_;
  spdy::Encoder encoder_;
  std::map<StreamId, Stream> streams_;
  StreamId last_local_ = 0, last_remote_ = 0;
  bool paused_ = false, working_ = false, closed_ = false;
};

}  // namespace coracle::net
