#include "net/websocket.hpp"

#include "net/test_world.hpp"
#include "net/websocket_frames.hpp"

namespace coracle::net::testing {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

TEST_CASE("websocket frames: what is written is read, in any slices") {
  for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 200000}) {
    for (bool masked : {false, true}) {
      INFO(size << " " << masked);
      std::string payload(size, 'p');
      auto mask = masked ? std::optional<std::uint32_t>(0x12345678) : std::nullopt;
      std::string wire = encode_frame(Opcode::kBinary, payload, mask);
      FrameDecoder decoder(masked, 1 << 20);
      std::optional<FrameDecoder::Message> message;
      for (std::size_t at = 0; at < wire.size(); at += 7001) {
        CHECK_FALSE(message);
        decoder.feed(wire.substr(at, 7001));
        message = decoder.next();
      }
      REQUIRE(message);
      CHECK(message->opcode == Opcode::kBinary);
      CHECK((message->data == payload));
    }
  }
}

TEST_CASE("websocket frames: fragments are joined around control frames") {
  FrameDecoder decoder(false, 100);
  decoder.feed(bytes({0x01, 2, 'a', 'b', 0x89, 1, 'p', 0x00, 0, 0x80, 1, 'c'}));
  auto ping = decoder.next();
  REQUIRE(ping);
  CHECK((ping->opcode == Opcode::kPing && ping->data == "p"));
  auto text = decoder.next();
  REQUIRE(text);
  CHECK((text->opcode == Opcode::kText && text->data == "abc"));
  CHECK_FALSE(decoder.next());
  CHECK(decoder.error() == 0);
}

TEST_CASE("websocket frames: what breaks the rules") {
  struct Row {
    const char* name;
    std::string wire;
    int error;
  };
  for (const Row& row :
       {Row{"reserved bit", bytes({0xc1, 0}), 1002}, Row{"unknown opcode", bytes({0x83, 0}), 1002},
        Row{"masked by a server", bytes({0x81, 0x80, 0, 0, 0, 0}), 1002},
        Row{"fragmented ping", bytes({0x09, 0}), 1002},
        Row{"long ping", bytes({0x89, 126, 0, 200}), 1002},
        Row{"continues nothing", bytes({0x80, 0}), 1002},
        Row{"starts inside another", bytes({0x01, 0, 0x81, 0}), 1002},
        Row{"half a character", bytes({0x81, 1, 0xc3}), 1007},
        Row{"surrogate", bytes({0x81, 3, 0xed, 0xa0, 0x80}), 1007},
        Row{"overlong", bytes({0x81, 2, 0xc0, 0x80}), 1007},
        Row{"too large, said first", bytes({0x82, 126, 1, 0}), 1009},
        Row{"absurd", bytes({0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255}), 1009},
        Row{"good", bytes({0x81, 2, 0xc3, 0xa4}), 0}}) {
    INFO(row.name);
    FrameDecoder decoder(false, 100);
    decoder.feed(row.wire);
    while (decoder.next()) {
    }
    CHECK(decoder.error() == row.error);
  }
}

struct Pair {
  World world;
  std::shared_ptr<WebSocket> server_end, client_end;
  std::unique_ptr<Client> client;
  Status refused;

  explicit Pair(bool tls) {
    world.tls = tls;
    world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
      auto made = accept_websocket(request, *exchange, {"v5.channel.k8s.io", "v4.channel.k8s.io"});
      if (made.ok()) {
        server_end = *made;
      } else {
        exchange->respond(make_response(400, made.status().message(), "text/plain"));
      }
    });
    client = world.client();
  }
  void dial(std::vector<std::string> protocols) {
    auto made = block_on(world.executor, dial_websocket(*client, {.target = "/ws"}, protocols));
    refused = made.status();
    if (made.ok()) client_end = *made;
  }
};

TEST_CASE("websocket: messages both ways, then an orderly close") {
  for (bool tls : {false, true}) {
    Pair pair(tls);
    pair.dial({"v4.channel.k8s.io", "v5.channel.k8s.io"});
    REQUIRE(pair.refused == Status());
    CHECK(pair.client_end->subprotocol() == "v5.channel.k8s.io");
    std::string at_server, at_client, reason;
    int code = 0;
    pair.server_end->on_message([&](std::string_view data, bool binary) {
      CHECK(binary);
      at_server += data;
      pair.server_end->send("echo", false);
    });
    pair.client_end->on_message([&](std::string_view data, bool binary) {
      CHECK_FALSE(binary);
      at_client += data;
    });
    pair.client_end->on_close([&](int c, std::string r) { code = c, reason = r; });
    std::string big(300000, 'b');
    pair.client_end->ping("still there?");
    pair.client_end->send(big, true);
    pair.client_end->send("end", true);
    pair.world.until([&] { return at_client == "echoecho"; });
    CHECK((at_server == big + "end"));
    pair.server_end->send("!", false);
    pair.server_end->close(1001, "going away");
    pair.world.until([&] { return code != 0; });
    CHECK(code == 1001);
    CHECK(reason == "going away");
    CHECK(at_client == "echoecho!");
    CHECK(pair.client_end->closed());
  }
}

TEST_CASE("websocket: a dropped end is seen as broken") {
  Pair pair(false);
  pair.dial({});
  REQUIRE(pair.refused == Status());
  CHECK(pair.client_end->subprotocol().empty());
  int code = 0;
  pair.client_end->on_message([](std::string_view, bool) {});
  pair.client_end->on_close([&](int c, std::string) { code = c; });
  pair.server_end->on_message([&](std::string_view, bool) { pair.server_end = nullptr; });
  pair.client_end->send("x", false);
  pair.world.until([&] { return code != 0; });
  CHECK(code == 1006);
}

TEST_CASE("websocket: handshakes that are refused") {
  Pair pair(false);
  pair.dial({"v1.unknown"});
  CHECK(pair.refused ==
        unavailable("unable to upgrade connection: none of the requested subprotocols is "
                    "supported"));
  auto plain = pair.world.get(*pair.client, "/");
  REQUIRE(plain.ok());
  CHECK(plain->body == "not a WebSocket handshake of version 13");
}

}  // namespace
}  // namespace coracle::net::testing
