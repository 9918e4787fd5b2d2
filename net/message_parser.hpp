// Internal to net: Beast's HTTP/1 parser, fed by hand. One object parses one message; it holds no
// input, the caller keeps what was not consumed and feeds it again with more behind it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace coracle::net {

struct ParserLimits {
  std::size_t max_header = 1u << 20;
  std::size_t max_body = 3u << 20;
};

enum class ParseState { kMore, kDone, kFailed };
enum class ParseError { kNone, kMalformed, kHeaderTooLarge, kBodyTooLarge };

class MessageParser {
 public:
  enum Kind { kRequest, kResponse };
  MessageParser(Kind kind, const ParserLimits& limits);
  ~MessageParser();
  MessageParser(MessageParser&&) noexcept;
  MessageParser& operator=(MessageParser&&) noexcept;

  // Takes what it can use from the front of `data`; returns how much.
  std::size_t feed(std::string_view data);
  // The peer has ended: completes a body that is delimited by that, else kFailed.
  void feed_end();
  void skip_body();  // responses to HEAD; before the first feed()

  ParseState state() const;
  ParseError error() const;
  bool started() const;  // has seen a byte of the message
  bool head_done() const;
  bool keep_alive() const;  // once the head is done
  bool http_11() const;
  bool has_host() const;
  bool expects_continue() const;
  // The body is empty in these until the state is kDone; take each once.
  Request take_request();
  Response take_head();           // status and headers
  std::string take_body();        // what has arrived since the last take
  std::size_t body_size() const;  // untaken
  int status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coracle::net
