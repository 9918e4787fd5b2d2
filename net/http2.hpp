// Internal to net: one side of one HTTP/2 connection (RFC 9113): bytes in, bytes out, no I/O. Over
// nghttp2, which only http2.cpp includes.
//
// Not thread-safe. What a stream is told comes inside receive() or produce(), where nothing of the
// session may be called; its owner writes it down and acts later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.hpp"

namespace coracle::net {

using Http2Fields = std::vector<std::pair<std::string_view, std::string_view>>;

// One request and its answer. "Body": what this side sends.
class Http2Stream {
 public:
  virtual ~Http2Stream() = default;
  virtual void on_header(std::string_view name, std::string_view value) = 0;  // trailers too
  virtual void on_data(std::string_view bytes) = 0;
  // Last. `error`: an HTTP/2 error code; 0 is the orderly end, 7 (REFUSED_STREAM) means that the
  // server has done nothing.
  virtual void on_closed(std::uint32_t error) = 0;
  // Up to `size` bytes of the body into `buffer`; sets *end with the last ones. 0 without *end:
  // none for now, until wake().
  virtual std::size_t take_body(char* buffer, std::size_t size, bool* end) = 0;

  // At a server: the head of the request is complete; its body is, too.
  virtual void on_head() {}
  virtual void on_request_end() {}
  // At a server: what follows the body; asked once, after *end.
  virtual Http2Fields trailers() const { return {}; }
};

class Http2Session {
 public:
  // The stream of a new request; it lives until on_closed() or forget(). Null: refused.
  using Accept = std::function<Http2Stream*(std::int32_t id)>;
  // Of a server: requests at a time. More are refused.
  static constexpr std::uint32_t kRequestsMax = 10'000;

  Http2Session();                        // a client's
  explicit Http2Session(Accept accept);  // a server's: the fields of a request are not checked
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // The stream's number, or -1 when this connection takes no more requests. `stream` lives until
  // on_closed() or forget().
  std::int32_t request(const Http2Fields& fields, Http2Stream* stream);
  // The head of the answer; without a body that is all of it. Once a stream.
  void respond(std::int32_t id, const Http2Fields& fields, bool with_body);
  void wake(std::int32_t id);    // there is more body
  void forget(std::int32_t id);  // resets it; it hears nothing more
  void ping();
  // No more requests are taken; those there are go on.
  void say_goodbye();

  // What the other side sent. An error: it breaks the rules, the connection is of no use any more.
  Status receive(std::string_view bytes);
  // Appends what is to be sent, until about `limit` bytes are there. False: broken.
  bool produce(std::string* out, std::size_t limit);

  bool settled() const;     // the other side's SETTINGS have come
  bool going_away() const;  // it has said that it takes no more requests
  bool finished() const;    // nothing will come or go any more

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace coracle::net
