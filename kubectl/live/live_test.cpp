// exec and port-forward of the client, against servers written here.
#include <catch2/catch.hpp>

#include "live/port_forwarder.hpp"
#include "live/remote_command.hpp"
#include "net/server.hpp"
#include "net_streams/websocket_bytes.hpp"

namespace coracle::kubectl {
namespace {

using Accept = std::function<void(const net::Request&, std::shared_ptr<net::Exchange>)>;

// A server on the link's own executor.
struct World {
  std::unique_ptr<Link> link = std::make_unique<Link>();
  std::unique_ptr<net::Server> server;
  Accept accept;

  World() {
    auto made = net::Server::listen(
        link->executor(), {},
        [this](const net::Request& request, auto exchange) { accept(request, exchange); });
    REQUIRE(made.status() == Status());
    server = std::move(*made);
    client::ClientConfig config;
    config.servers = {"http://127.0.0.1:" + std::to_string(server->port())};
    config.token = "secret";
    REQUIRE(link->use(config) == Status());
  }
  void until(const std::function<bool()>& done) {
    bool late = false;
    const auto timer = link->executor().after(std::chrono::seconds(60), [&] { late = true; });
    link->executor().run_until([&] { return late || done(); });
    link->executor().cancel(timer);
    REQUIRE_FALSE(late);
  }
};

TEST_CASE("remote end: exit codes, messages, success") {
  struct Row {
    const char* text;
    int code;
    const char* failure;
  };
  for (const Row& row :
       {Row{R"({"metadata":{},"status":"Success"})", 0, ""},
        Row{R"({"status":"Failure","reason":"NonZeroExitCode","details":{"causes":)"
            R"([{"reason":"ExitCode","message":"3"}]}})",
            3, ""},
        Row{R"({"status":"Failure","reason":"InternalError","message":"no such thing"})", 0,
            "no such thing"},
        Row{"half", 0, "error stream protocol error: half"}}) {
    CAPTURE(row.text);
    const RemoteEnd end = parse_remote_end(row.text);
    CHECK(end.exit_code == row.code);
    CHECK(end.failure == row.failure);
    CHECK_FALSE(end.refused);
  }
}

TEST_CASE("remote command: streams, the end of input, the exit code") {
  World w;
  std::shared_ptr<net::WebSocket> socket;
  std::string asked, token, heard;
  w.accept = [&](const net::Request& request, const std::shared_ptr<net::Exchange>& exchange) {
    asked = request.target;
    token = request.headers.get("Authorization");
    socket = *net::accept_websocket(request, *exchange, {"v5.channel.k8s.io"});
    socket->on_message([&](std::string_view data, bool) {
      const auto message = net::decode_channel(net::channel_form("v5.channel.k8s.io"), data);
      if (message->channel == 0) heard += message->data;
      if (message->channel != 255) return;
      socket->send("\1out" + heard, true);
      socket->send("\2err", true);
      socket->send("\3" + to_json(net::exit_status(7)), true);
      socket->close(1000, "");
    });
  };
  int pieces = 0;
  const auto input = made_input(w.link->executor(), [&]() -> std::string {
    return ++pieces > 300 ? "" : std::string(4096, 'i');
  });
  std::string out, err;
  RemoteStreams streams;
  streams.out = [&](std::string_view data) { out += data; };
  streams.err = [&](std::string_view data) { err += data; };
  streams.input = input.get();
  const RemoteEnd end = run_remote(*w.link, "/exec?command=x", std::move(streams));
  CHECK(asked == "/exec?command=x");
  CHECK(token == "Bearer secret");
  CHECK(end.exit_code == 7);
  CHECK(out == "out" + std::string(300 * 4096, 'i'));
  CHECK(err == "err");
}

TEST_CASE("remote command: refused, and broken off") {
  World w;
  w.accept = [](const net::Request&, const std::shared_ptr<net::Exchange>& exchange) {
    exchange->respond(net::make_response(
        403,
        R"({"kind":"Status","status":"Failure","reason":"Forbidden","message":"not you",)"
        R"("code":403})",
        "application/json"));
  };
  const RemoteEnd refused = run_remote(*w.link, "/exec", {});
  REQUIRE(refused.refused);
  CHECK(refused.refused->is_forbidden());
  CHECK(refused.refused->message == "not you");
  w.accept = [](const net::Request& request, const std::shared_ptr<net::Exchange>& exchange) {
    (void)*net::accept_websocket(request, *exchange, {"v5.channel.k8s.io"});  // dropped at once
  };
  CHECK(run_remote(*w.link, "/exec", {}).failure ==
        "websocket: close 1006 (abnormal closure): unexpected EOF");
}

// The far end of a port-forward: says what it was told, in the order of the streams.
struct Far {
  std::shared_ptr<net::SpdySession> session;
  std::map<std::uint32_t, std::string> types, heard;
  std::string failure;  // told on each error stream

  void start(std::shared_ptr<net::WebSocket> socket) {
    session = std::make_shared<net::SpdySession>(net::bytes_of_websocket(std::move(socket)),
                                                 net::SpdySession::Role::kServer);
    net::SpdySession::Events events;
    events.on_stream = [this](auto id, const net::Headers& headers) {
      types[id] = headers.get("streamtype");
      if (types[id] == "error" && !failure.empty()) {
        session->write(id, failure);
        session->fin(id);
      }
    };
    events.on_data = [this](auto id, std::string_view data) { heard[id] += data; };
    events.on_fin = [this](auto id) {
      if (types[id] != "data") return;
      session->write(id, "got " + heard[id]);
      session->fin(id);
    };
    session->start(std::move(events));
  }
};

TEST_CASE("port-forward: connections side by side, each ends by itself") {
  World w;
  Far far;
  w.accept = [&](const net::Request& request, const std::shared_ptr<net::Exchange>& exchange) {
    far.start(*net::accept_websocket(request, *exchange, {"SPDY/3.1+portforward.k8s.io"}));
  };
  std::vector<std::string> said;
  PortForwarder::Voice voice;
  voice.say = voice.warn = [&](const std::string& line) { said.push_back(line); };
  const auto forwarder = std::make_shared<PortForwarder>(*w.link, voice);
  REQUIRE_FALSE(forwarder->connect("/portforward"));
  REQUIRE(forwarder->listen({"127.0.0.1"}, {{0, 80}}) == Status());
  REQUIRE(said.size() == 1);
  const std::string head = "Forwarding from 127.0.0.1:";
  REQUIRE(said[0].starts_with(head));
  const int port = std::stoi(said[0].substr(head.size()));
  CHECK(said[0] == head + std::to_string(port) + " -> 80");
  std::string answers[2];
  std::shared_ptr<net::TcpSocket> sockets[2];
  for (int i = 0; i < 2; ++i) {
    sockets[i] = *net::block_on(
        w.link->executor(),
        net::dial_tcp(w.link->executor(), "127.0.0.1", static_cast<std::uint16_t>(port)));
    sockets[i]->on_data([&answers, i](std::string_view data) { answers[i] += data; });
    sockets[i]->write(net::make_bytes("hello" + std::to_string(i)));
  }
  sockets[1]->end();
  w.until([&] { return answers[1] == "got hello1"; });
  CHECK(answers[0].empty());
  sockets[0]->end();
  w.until([&] { return answers[0] == "got hello0"; });
  CHECK(said.back() == "Handling connection for " + std::to_string(port));
  CHECK_FALSE(forwarder->lost());
  // A port that is taken.
  const Status taken = forwarder->listen({"127.0.0.1"}, {{static_cast<std::uint16_t>(port), 81}});
  CHECK(taken.message() == "error: unable to listen on any of the requested ports: [{" +
                               std::to_string(port) + " 81}]");
  far.failure = "connection refused";
  const auto last = net::block_on(
      w.link->executor(),
      net::dial_tcp(w.link->executor(), "127.0.0.1", static_cast<std::uint16_t>(port)));
  w.until([&] { return forwarder->lost(); });
  CHECK(said.back() ==
        "an error occurred forwarding " + std::to_string(port) + " -> 80: connection refused");
}

}  // namespace
}  // namespace coracle::kubectl
