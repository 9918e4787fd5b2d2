#include "net_streams/forward.hpp"

#include "net/tcp.hpp"
#include "net/test_world.hpp"
#include "net/websocket.hpp"

namespace coracle::net::testing {
namespace {

// A backend behind a proxy.
struct Proxied : World {
  std::unique_ptr<Server> front;
  std::function<void(Forwarding&)> change;

  void proxy() {
    auto made = Server::listen(executor, {}, [this](Request request, auto exchange) {
      ClientConfig config;
      config.host = "127.0.0.1";
      config.port = server->port();
      config.tls = false;
      Forwarding f;
      f.client = std::move(Client::create(executor, config)).value();
      f.request.method = request.method;
      f.request.target = request.target;
      f.request.headers = end_to_end(request.headers);
      f.request.body = request.body;
      f.exchange = exchange;
      f.on_failure = [](const Status& s) { return make_response(503, s.message(), "text/plain"); };
      if (change) change(f);
      if (asks_upgrade(request)) {
        keep_upgrade(request.headers, &f.request.headers);
        return forward_upgrade(executor, std::move(f));
      }
      forward(executor, std::move(f));
    });
    REQUIRE(made.ok());
    front = std::move(made).value();
  }
  std::unique_ptr<Client> visitor() {
    return client([this](ClientConfig& config) { config.port = front->port(); });
  }
};

TEST_CASE("forward: method, body, headers and answer pass") {
  Proxied w;
  w.serve([](const Request& request, auto exchange) {
    Response response =
        make_response(201, request.method + " " + request.target + " " + request.body, "text/x");
    response.headers.add("X-Seen", std::string(request.headers.get("X-Mine")));
    response.headers.add("X-Hop", std::string(request.headers.get("Keep-Alive")));
    exchange->respond(std::move(response));
  });
  w.proxy();
  auto visitor = w.visitor();
  const auto got = w.fetch(*visitor, {.method = "PUT",
                                      .target = "/a%20b?c=d",
                                      .headers = {{"X-Mine", "1"}, {"Keep-Alive", "9"}},
                                      .body = "body"});
  REQUIRE(got.ok());
  CHECK(got->status == 201);
  CHECK(got->body == "PUT /a%20b?c=d body");
  CHECK(got->headers.get("X-Seen") == "1");
  CHECK(got->headers.get("X-Hop") == "");
  CHECK(got->headers.get("Content-Type") == "text/x");
}

TEST_CASE("forward: a server that is not there, and one that refuses") {
  Proxied w;
  w.serve([](const Request&, auto exchange) {
    exchange->respond(make_response(404, "no such log\n", "text/plain"));
  });
  w.change = [](Forwarding& f) {
    f.on_refusal = [](Response r) {
      return make_response(r.status, "refused: " + r.body, "text/plain");
    };
  };
  w.proxy();
  auto visitor = w.visitor();
  const auto refused = w.get(*visitor, "/");
  REQUIRE(refused.ok());
  CHECK(refused->status == 404);
  CHECK(refused->body == "refused: no such log\n");
  ClientConfig nobody;
  nobody.host = "127.0.0.1";
  nobody.port = 1;
  nobody.tls = false;
  w.change = [&](Forwarding& f) {
    f.client = std::move(Client::create(w.executor, nobody)).value();
  };
  const auto lost = w.get(*visitor, "/");
  REQUIRE(lost.ok());
  CHECK(lost->status == 503);
  CHECK(lost->body == "dial tcp 127.0.0.1:1: connect: connection refused");
}

TEST_CASE("forward: a long answer waits for a slow reader, and ends with him") {
  Proxied w;
  std::shared_ptr<Exchange> source;
  bool left = false;
  std::size_t written = 0;
  w.serve([&](const Request&, std::shared_ptr<Exchange> exchange) {
    source = exchange;
    exchange->on_close([&] { left = true; });
    exchange->begin_stream(200, {{"Content-Type", "text/plain"}});
    // As fast as the proxy takes it.
    auto more = [&] {
      while (source->queued_bytes() < (1u << 18) && written < (64u << 20)) {
        source->write(make_bytes(std::string(1u << 16, 'x')));
        written += 1u << 16;
      }
    };
    exchange->on_drain(more);
    more();
  });
  w.proxy();
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int small = 4096;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(w.front->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  const std::string ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(::send(fd, ask.data(), ask.size(), 0) > 0);
  std::size_t before = 1;
  // It has come to a standstill when a while brings no more.
  for (int quiet = 0; quiet < 20;) {
    bool over = false;
    w.executor.after(std::chrono::milliseconds(10), [&] { over = true; });
    w.executor.run_until([&] { return over; });
    quiet = written == before ? quiet + 1 : 0;
    before = written;
  }
  CHECK(written > 0);
  CHECK(written < (48u << 20));
  ::close(fd);
  w.until([&] { return left; });
}

TEST_CASE("forward: an upgrade becomes bytes both ways") {
  Proxied w;
  std::shared_ptr<WebSocket> behind;
  int code = 0;
  w.serve([&](const Request& request, std::shared_ptr<Exchange> exchange) {
    auto made = accept_websocket(request, *exchange, {"v4.channel.k8s.io"});
    REQUIRE(made.ok());
    behind = *made;
    behind->on_message([&](std::string_view data, bool) { behind->send(data, true); });
    behind->on_close([&](int given, std::string) { code = given; });
  });
  w.proxy();
  auto visitor = w.visitor();
  auto dialled = block_on(w.executor, dial_websocket(*visitor, {.target = "/x"},
                                                     {"v5.channel.k8s.io", "v4.channel.k8s.io"}));
  REQUIRE(dialled.ok());
  CHECK((*dialled)->subprotocol() == "v4.channel.k8s.io");
  std::string echoed;
  (*dialled)->on_message([&](std::string_view data, bool) { echoed += data; });
  const std::string sent(3u << 20, 'e');
  (*dialled)->send(sent, true);
  w.until([&] { return echoed.size() == sent.size(); });
  (*dialled)->close(1001, "");
  w.until([&] { return code == 1001; });
}

TEST_CASE("forward: what the server says instead of upgrading reaches the client") {
  Proxied w;
  w.serve([](const Request&, auto exchange) {
    exchange->respond(make_response(403, "not you", "text/plain"));
  });
  w.proxy();
  auto visitor = w.visitor();
  auto answer = std::make_shared<Response>();
  auto dialled = block_on(w.executor, dial_websocket(*visitor, {.target = "/x"}, {}, answer));
  CHECK_FALSE(dialled.ok());
  CHECK(answer->status == 403);
  CHECK(answer->body == "not you");
}

TEST_CASE("tcp: each direction ends by itself, a refusal is named") {
  World w;
  std::shared_ptr<TcpSocket> inside;
  std::string heard;
  auto listener = TcpListener::listen(w.executor, "127.0.0.1", 0, [&](auto socket) {
    inside = socket;
    inside->on_data([&](std::string_view data) { heard += data; });
    inside->on_end([&] {
      inside->write(make_bytes("you said " + heard));
      inside->end();
    });
  });
  REQUIRE(listener.ok());
  const std::uint16_t port = (*listener)->port();
  auto dialled = block_on(w.executor, dial_tcp(w.executor, "127.0.0.1", port));
  REQUIRE(dialled.ok());
  std::string answer, error = "none";
  bool ended = false;
  (*dialled)->on_data([&](std::string_view data) { answer += data; });
  (*dialled)->on_end([&] { ended = true; });
  (*dialled)->on_close([&](std::string why) { error = why; });
  (*dialled)->write(make_bytes("hello"));
  (*dialled)->end();
  w.until([&] { return error != "none"; });
  CHECK(answer == "you said hello");
  CHECK(ended);
  CHECK(error == "");
  listener->reset();
  const auto refused = block_on(w.executor, dial_tcp(w.executor, "127.0.0.1", port));
  CHECK(refused.status().message() ==
        "dial tcp 127.0.0.1:" + std::to_string(port) + ": connect: connection refused");
  CHECK_FALSE(block_on(w.executor, dial_tcp(w.executor, "web.example", 80)).ok());
}

}  // namespace
}  // namespace coracle::net::testing
