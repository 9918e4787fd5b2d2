// Plain TCP with half-close, for forwarded ports: a dialled or accepted connection of bytes, and a
// listener. Strand only. What is written queues without bound: look at queued_bytes().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "base/task.hpp"
#include "net/http.hpp"

namespace coracle::net {

class AsioExecutor;

class TcpSocket {
 public:
  virtual ~TcpSocket() = default;  // breaks the connection
  // What arrives, from the next turn on.
  virtual void on_data(std::function<void(std::string_view)> fn) = 0;
  // Once: the peer sends no more, but may read on.
  virtual void on_end(std::function<void()> fn) = 0;
  // Once, last: both directions have ended ("") or the connection broke ("connection reset by
  // peer"). Not after our own close().
  virtual void on_close(std::function<void(std::string error)> fn) = 0;
  virtual void on_drain(std::function<void()> fn) = 0;
  virtual void write(Bytes bytes) = 0;  // ignored when closed
  virtual void end() = 0;               // sends what is queued, then no more
  virtual void pause(bool paused) = 0;  // reads nothing while paused
  virtual std::size_t queued_bytes() const = 0;
  virtual void close() = 0;  // at once
};

// `host` is a numeric address or localhost. Unavailable: "dial tcp 127.0.0.1:80: connect:
// connection refused"; DeadlineExceeded after ten seconds.
Task<Result<std::shared_ptr<TcpSocket>>> dial_tcp(AsioExecutor& executor, std::string host,
                                                  std::uint16_t port);

class TcpListener {
 public:
  using Accept = std::function<void(std::shared_ptr<TcpSocket>)>;
  // Port 0: a free one. Unavailable: "listen tcp4 127.0.0.1:80: bind: address already in use".
  static Result<std::unique_ptr<TcpListener>> listen(AsioExecutor& executor,
                                                     const std::string& host, std::uint16_t port,
                                                     Accept accept);
  virtual ~TcpListener() = default;
  virtual std::uint16_t port() const = 0;
};

}  // namespace coracle::net
