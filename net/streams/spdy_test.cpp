#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "net_streams/memory_stream.hpp"
#include "net_streams/spdy_frames.hpp"
#include "net_streams/spdy_session.hpp"

namespace coracle::net {
namespace {

using spdy::Decoder;
using spdy::Encoder;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

std::vector<spdy::Frame> decode(Decoder& decoder, std::string_view wire, std::size_t piece) {
  std::vector<spdy::Frame> out;
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    while (auto frame = decoder.next()) out.push_back(std::move(*frame));
  }
  return out;
}

TEST_CASE("spdy: the dictionary is that of version 3") {
  CHECK(spdy::dictionary().size() == 1423);
  // What zlib puts behind its head: Adler-32 of the dictionary.
  Encoder encoder;
  const std::string frame = encoder.syn_reply(1, {}, false);
  CHECK(frame.substr(12, 6) == bytes({0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2}));
  CHECK(frame.substr(frame.size() - 4) == bytes({0, 0, 0xff, 0xff}));
}

TEST_CASE("spdy: what is encoded is decoded, cut anywhere") {
  for (std::size_t piece : {1, 3, 7, 1000}) {
    CAPTURE(piece);
    Encoder encoder;
    std::string wire = encoder.syn_stream(1, {{"StreamType", "data"}, {"port", "80"}}, false);
    wire += encoder.syn_reply(1, {}, false);
    wire += encoder.syn_stream(3, {{"streamtype", "error"}, {"port", "80"}}, true);
    wire += Encoder::data(1, "hello", false) + Encoder::data(1, "", true);
    wire += Encoder::rst_stream(3, spdy::kCancel) + Encoder::ping(7) + Encoder::go_away(3, 0);
    Decoder decoder;
    const auto frames = decode(decoder, wire, piece);
    CHECK(decoder.error().empty());
    const auto& first = std::get<spdy::SynStream>(frames.at(0));
    CHECK(first.id == 1);
    CHECK(first.headers.get("streamtype") == "data");
    CHECK_FALSE(first.fin);
    CHECK(std::get<spdy::SynReply>(frames.at(1)).id == 1);
    const auto& third = std::get<spdy::SynStream>(frames.at(2));
    CHECK(third.headers.get("streamtype") == "error");
    CHECK(third.fin);
    std::string data;
    bool fin = false;
    std::size_t at = 3;
    for (; at < frames.size(); ++at) {
      const auto* part = std::get_if<spdy::Data>(&frames[at]);
      if (!part) break;
      CHECK_FALSE(fin);
      data += part->bytes;
      fin = part->fin;
    }
    CHECK(data == "hello");
    CHECK(fin);
    CHECK(std::get<spdy::RstStream>(frames.at(at)).status == spdy::kCancel);
    CHECK(std::get<spdy::Ping>(frames.at(at + 1)).id == 7);
    CHECK(std::get<spdy::GoAway>(frames.at(at + 2)).last == 3);
    CHECK(frames.size() == at + 3);
  }
}

TEST_CASE("spdy: several values of a header, and long data, come through") {
  Encoder encoder;
  Decoder decoder;
  const auto head =
      decode(decoder, encoder.syn_reply(5, {{"a", std::string("x\0y", 3)}}, true), 99);
  const auto& reply = std::get<spdy::SynReply>(head.at(0));
  CHECK(reply.fin);
  CHECK(reply.headers.values("a") == std::vector<std::string_view>{"x", "y"});
  std::string got;
  for (const auto& frame :
       decode(decoder, Encoder::data(5, std::string(200000, 'z'), true), 4096)) {
    got += std::get<spdy::Data>(frame).bytes;
  }
  CHECK(got == std::string(200000, 'z'));
}

TEST_CASE("spdy: what breaks the rules") {
  struct Row {
    const char* name;
    std::string wire;
  };
  Encoder encoder;
  std::string bad_block = encoder.syn_stream(1, {{"a", "b"}}, false);
  bad_block[20] ^= 0x55;
  for (const Row& row :
       {Row{"version 2", bytes({0x80, 2, 0, 1, 0, 0, 0, 0})},
        Row{"too large", bytes({0x80, 3, 0, 1, 0, 1, 0, 1})},
        Row{"short SYN_STREAM", bytes({0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1})},
        Row{"short PING", bytes({0x80, 3, 0, 6, 0, 0, 0, 0})}, Row{"broken block", bad_block}}) {
    CAPTURE(row.name);
    Decoder decoder;
    CHECK(decode(decoder, row.wire, 5).empty());
    CHECK_FALSE(decoder.error().empty());
  }
}

TEST_CASE("spdy: a header block that would be huge is refused") {
  Encoder encoder;
  Decoder decoder;
  decode(decoder, encoder.syn_reply(1, {{"a", std::string(200000, 'x')}}, false), 65536);
  CHECK(decoder.error() == "bad header block");
}

struct Pair {
  std::shared_ptr<testing::MemoryStream> a, b;
  std::shared_ptr<SpdySession> client, server;
  std::vector<std::string> log;  // of the server

  Pair() {
    std::tie(a, b) = testing::MemoryStream::pair();
    client = std::make_shared<SpdySession>(a, SpdySession::Role::kClient);
    server = std::make_shared<SpdySession>(b, SpdySession::Role::kServer);
    SpdySession::Events events;
    const auto note = [this](const char* what, auto id) {
      log.push_back(what + std::to_string(id));
    };
    events.on_stream = [this](auto id, const Headers& headers) {
      log.push_back("open" + std::to_string(id) + std::string(headers.get("streamtype")));
    };
    events.on_data = [this](auto id, std::string_view data) {
      log.push_back("data" + std::to_string(id) + std::string(data));
    };
    events.on_fin = [note](auto id) { note("fin", id); };
    events.on_reset = [note](auto id) { note("reset", id); };
    events.on_gone = [this] { log.push_back("gone"); };
    server->start(std::move(events));
  }
  void deliver() { testing::MemoryStream::deliver(a, b, 11); }
};

TEST_CASE("spdy session: streams open, carry data both ways and end") {
  Pair pair;
  std::string answer;
  std::vector<std::uint32_t> replies;
  bool ended = false;
  SpdySession::Events events;
  events.on_data = [&](auto, std::string_view data) { answer += data; };
  events.on_reply = [&](auto id) { replies.push_back(id); };
  events.on_fin = [&](auto) { ended = true; };
  pair.client->start(std::move(events));
  const auto id = pair.client->open({{"streamtype", "data"}}, false);
  pair.client->write(id, "hi");
  pair.client->fin(id);
  pair.deliver();
  CHECK(pair.log == std::vector<std::string>{"open1data", "data1hi", "fin1"});
  CHECK(replies == std::vector<std::uint32_t>{1});
  pair.server->write(id, "there");
  pair.server->fin(id);
  pair.deliver();
  CHECK(answer == "there");
  CHECK(ended);
  CHECK(pair.server->streams() == 0);
  CHECK(pair.client->streams() == 0);
  pair.client->close();
  pair.deliver();
  CHECK(pair.log.back() == "gone");
  CHECK(pair.server->closed());
}

TEST_CASE("spdy session: paused, nothing comes; then all of it in order") {
  Pair pair;
  pair.client->start({});
  const auto id = pair.client->open({{"streamtype", "data"}}, false);
  pair.deliver();
  pair.server->pause(true);
  for (int i = 0; i < 5; ++i) pair.client->write(id, std::to_string(i));
  pair.deliver();
  CHECK(pair.log.size() == 1);
  pair.server->pause(false);
  pair.deliver();
  CHECK(pair.log ==
        std::vector<std::string>{"open1data", "data10", "data11", "data12", "data13", "data14"});
}

TEST_CASE("spdy session: a reset ends a stream, a broken peer the connection") {
  Pair pair;
  pair.client->start({});
  const auto id = pair.client->open({}, false);
  pair.client->reset(id, spdy::kCancel);
  pair.client->write(id, "late");
  pair.deliver();
  CHECK(pair.log == std::vector<std::string>{"open1", "reset1"});
  pair.a->write(make_bytes(bytes({0x80, 9, 0, 1, 0, 0, 0, 0})));
  pair.deliver();
  CHECK(pair.log.back() == "gone");
  CHECK(pair.server->closed());
}

TEST_CASE("spdy session: pings are echoed, streams beyond the bound refused") {
  auto [a, b] = testing::MemoryStream::pair();
  auto server = std::make_shared<SpdySession>(b, SpdySession::Role::kServer);
  server->start({});
  Decoder decoder;
  std::vector<spdy::Frame> frames;
  a->on_data([&](std::string_view data) {
    decoder.feed(data);
    while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
  });
  a->write(make_bytes(Encoder::ping(5) + Encoder::ping(6)));
  testing::MemoryStream::deliver(a, b, 100);
  REQUIRE(frames.size() == 1);
  CHECK(std::get<spdy::Ping>(frames[0]).id == 5);
  Encoder encoder;
  for (std::size_t i = 0; i <= SpdySession::kMaxStreams; ++i) {
    a->write(make_bytes(encoder.syn_stream(static_cast<spdy::StreamId>(2 * i + 1), {}, false)));
  }
  testing::MemoryStream::deliver(a, b, 4096);
  CHECK(server->streams() == SpdySession::kMaxStreams);
  CHECK(std::get<spdy::RstStream>(frames.back()).status == spdy::kRefusedStream);
}

}  // namespace
}  // namespace coracle::net
