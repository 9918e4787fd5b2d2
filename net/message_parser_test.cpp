#include "net/message_parser.hpp"

#include <catch2/catch.hpp>

namespace coracle::net {
namespace {

struct Read {
  ParseState state;
  std::string body;
};

// Fed in two pieces, cut at `at`, then byte by byte.
Read read(MessageParser::Kind kind, const std::string& wire, std::size_t at) {
  MessageParser parser(kind, {});
  std::string held;
  const auto feed = [&](std::string_view more) {
    held += more;
    for (std::size_t used = 1; used > 0 && parser.state() == ParseState::kMore;) {
      used = parser.feed(held);
      held.erase(0, used);
    }
  };
  feed(std::string_view(wire).substr(0, at));
  for (const char c : wire.substr(at)) feed({&c, 1});
  if (parser.state() == ParseState::kMore) parser.feed_end();
  return {parser.state(), parser.state() == ParseState::kDone ? parser.take_body() : ""};
}

TEST_CASE("a message is the same wherever its bytes are cut") {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {head + "0\r\n\r\n", ""},
      {head + "1\r\na\r\n0\r\n\r\n", "a"},
      {head + "3;x=\"y\"\r\nabc\r\n2\r\nde\r\n000\r\nTrailer: t\r\n\r\n", "abcde"},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", "abcd"},
  };
  for (const auto& [wire, body] : cases) {
    for (std::size_t at = 0; at <= wire.size(); ++at) {
      CAPTURE(wire, at);
      const Read got = read(MessageParser::kRequest, wire, at);
      CHECK(got.state == ParseState::kDone);
      CHECK(got.body == body);
    }
  }
}

TEST_CASE("a message that ends too early has failed, also before it began") {
  CHECK(read(MessageParser::kRequest, "", 0).state == ParseState::kFailed);
  CHECK(read(MessageParser::kResponse, "", 0).state == ParseState::kFailed);
  CHECK(read(MessageParser::kRequest, "GET / HT", 8).state == ParseState::kFailed);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* rest : {"0\r\n", "0\r\n\r", "2\r\na", "2\r\nab\r\n", "2\r\nab\r\n0\r\n\r"}) {
    CAPTURE(rest);
    CHECK(read(MessageParser::kResponse, chunked + rest, 0).state == ParseState::kFailed);
  }
  const Read whole = read(MessageParser::kResponse, "HTTP/1.0 200 OK\r\n\r\nto the end", 0);
  CHECK(whole.state == ParseState::kDone);
  CHECK(whole.body == "to the end");
}

}  // namespace
}  // namespace coracle::net
