// HTTP/1 messages cut anywhere: the same message whole and in pieces, heads and bodies within their
// limits; queries and continue tokens that came with one read as they print.
#include "apiserver/registry/list_options.hpp"
#include "base/check.hpp"
#include "input.hpp"
#include "net/message_parser.hpp"

namespace {

using namespace coracle;

constexpr net::ParserLimits kLimits{.max_header = 1024, .max_body = 2048};

struct Seen {
  net::ParseState state = net::ParseState::kMore;
  net::ParseError error = net::ParseError::kNone;
  std::string text;
};

void check_request(const net::Request& request) {
  const net::Query again = net::Query::parse(request.query.encode());
  CHECK(again.encode() == request.query.encode());
  CHECK(request.target.find(request.path) != std::string::npos);
  for (const bool watch : {false, true}) {
    const auto options = apiserver::parse_list_options(request.query, watch);
    if (!options.ok()) CHECK(options.error().http_code / 100 == 4);
  }
}

Seen read(net::MessageParser::Kind kind, std::string_view wire, std::size_t piece) {
  net::MessageParser parser(kind, kLimits);
  Seen seen;
  std::string held;  // what was not consumed comes again with more behind it
  while (parser.state() == net::ParseState::kMore && !wire.empty()) {
    held += wire.substr(0, piece);
    wire.remove_prefix(std::min(piece, wire.size()));
    for (std::size_t used = 1; used > 0 && parser.state() == net::ParseState::kMore;) {
      used = parser.feed(held);
      CHECK(used <= held.size());
      held.erase(0, used);
    }
    CHECK(parser.body_size() <= kLimits.max_body + piece);
    CHECK(held.size() <= kLimits.max_header + piece);
  }
  if (parser.state() == net::ParseState::kMore) parser.feed_end();
  seen.state = parser.state();
  seen.error = parser.error();
  if (seen.state != net::ParseState::kDone) return seen;
  seen.text = parser.take_body();
  if (kind == net::MessageParser::kRequest) {
    const net::Request request = parser.take_request();
    check_request(request);
    for (const auto& [name, value] : request.headers) seen.text += name + ":" + value + "\n";
    seen.text += request.method + " " + request.target;
  } else {
    for (const auto& [name, value] : parser.take_head().headers) seen.text += name + ":" + value;
  }
  return seen;
}

void token(std::string_view text) {
  const auto decoded = apiserver::ContinueToken::decode(text);
  if (!decoded.ok()) {
    CHECK(decoded.error().http_code == 400);
    return;
  }
  CHECK(decoded->start.find("..") == std::string::npos || decoded->start.size() > 2);
  const auto again = apiserver::ContinueToken::decode(decoded->encode());
  CHECK(again.ok());
  CHECK(again->start == decoded->start && again->revision == decoded->revision);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const std::string_view wire = input.rest();
  if (way % 3 == 2) {
    token(wire);
    return 0;
  }
  const auto kind = way % 3 == 0 ? net::MessageParser::kRequest : net::MessageParser::kResponse;
  const Seen all = read(kind, wire, wire.size() + 1), cut = read(kind, wire, way / 3 + 1);
  CHECK_MSG(all.state == cut.state, int(all.error) << " whole, in pieces " << int(cut.error));
  CHECK_MSG(all.text == cut.text, all.text << "\nin pieces:\n" << cut.text);
  return 0;
}
