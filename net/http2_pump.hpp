// Internal to net: carries the bytes of an HTTP/2 session over its connection, both ways. What is
// asked of the session in one turn of the strand leaves in one write.
//
// Thread: the strand. Lives while somebody holds it or it waits; close() first.
#pragma once

#include <memory>
#include <string>

#include "net/asio_executor.hpp"
#include "net/http2.hpp"
#include "net/stream.hpp"

namespace coracle::net {

class Http2Pump final : public Waiter, public std::enable_shared_from_this<Http2Pump> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Bytes went in or out: the session's streams may have written something down. May close.
    virtual void on_progress() = 0;
    // The connection is of no use any more. Once; not after close(). Never inside a call to us.
    virtual void on_broken(const std::string& why) = 0;
  };

  // `owner` lives until close().
  Http2Pump(AsioExecutor& executor, std::unique_ptr<Stream> stream,
            std::unique_ptr<Http2Session> session, Owner& owner);

  void start();
  void flush_later();  // after each call to the session that makes it say something
  void close();
  bool open() const { return stream_ != nullptr; }
  Http2Session& session() { return *session_; }
  TimePoint heard() const { return heard_; }  // when bytes came last
  // What the session has said and the kernel has not taken.
  std::size_t queued_bytes() const { return queue_.size(); }

  void on_ready(Ready ready) override;

 private:
  void read();
  void flush();
  void broken(const std::string& why);

  AsioExecutor& executor_;
  std::unique_ptr<Stream> stream_;  // null: closed
  const std::unique_ptr<Http2Session> session_;
  Owner& owner_;
  OutQueue queue_;
  TimePoint heard_;
  bool flush_posted_ = false;
};

}  // namespace coracle::net
