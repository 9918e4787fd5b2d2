#include "net/server.hpp"

#include "base/strings.hpp"
#include "net/test_world.hpp"

namespace coracle::net::testing {
namespace {

void echo(Request request, std::shared_ptr<Exchange> exchange) {
  exchange->respond(
      make_response(200, request.method + " " + request.path + " " + request.body, "text/plain"));
}

int count(const std::string& text, std::string_view what) {
  int n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; ++at) ++n;
  return n;
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_CASE("server: what comes over the wire") {
  World world;
  world.serve(echo, [](Server::Options& options) {
    options.limits.max_body = 1000;
    options.limits.max_header = 4096;
  });
  struct Row {
    const char* name;
    std::string sent, first_line, body;
  };
  std::string close = "Host: x\r\nConnection: close\r\n";
  const Row rows[] = {
      {"get", "GET /a?b=c HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK", "GET /a "},
      {"http 1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "GET / "},
      {"head", "HEAD /a HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK", ""},
      {"absolute form", "GET http://x/p?q HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK",
       "GET /p "},
      {"body", "POST / HTTP/1.1\r\n" + close + "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK",
       "POST / abc"},
      {"chunked body",
       "PUT / HTTP/1.1\r\n" + close +
           "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: t\r\n\r\n",
       "HTTP/1.1 200 OK", "PUT / abcd"},
      {"garbage", "\x16\x03\x01 this is not HTTP\r\n\r\n", "HTTP/1.1 400 Bad Request",
       "400 Bad Request"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "400 Bad Request"},
      {"two lengths",
       "POST / HTTP/1.1\r\n" + close + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
       "HTTP/1.1 400 Bad Request", "400 Bad Request"},
      {"length and chunked",
       "POST / HTTP/1.1\r\n" + close +
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400 Bad Request", "400 Bad Request"},
      {"bad chunk", "PUT / HTTP/1.1\r\n" + close + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       "HTTP/1.1 400 Bad Request", "400 Bad Request"},
      {"huge header", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(10000, 'a'),
       "HTTP/1.1 431 Request Header Fields Too Large", "431 Request Header Fields Too Large"},
      {"long body",
       "POST / HTTP/1.1\r\n" + close + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
       "HTTP/1.1 413 Request Entity Too Large", "413 Request Entity Too Large"},
      {"long chunked body",
       "POST / HTTP/1.1\r\n" + close + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" +
           std::string(2000, 'x') + "\r\n0\r\n\r\n",
       "HTTP/1.1 413 Request Entity Too Large", "413 Request Entity Too Large"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    std::string answer = world.talk(row.sent);
    CHECK(answer.substr(0, answer.find("\r\n")) == row.first_line);
    CHECK(body_of(answer) == row.body);
  }
}

TEST_CASE("server: one connection, many requests, also sent at once") {
  World world;
  world.serve(echo);
  std::string one = "POST /n HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
  std::string last = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  std::string answer = world.talk(one + one + one + last);
  CHECK(count(answer, "POST /n hi") == 3);
  CHECK(answer.ends_with("GET /last "));
  CHECK(world.server->stats().accepted == 1);
  CHECK(world.server->stats().requests == 4);
}

TEST_CASE("server: a pipelined request waits for a late answer") {
  World world;
  std::vector<std::shared_ptr<Exchange>> open;
  world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/late") {
      open.push_back(exchange);
      world.executor.after(std::chrono::milliseconds(20), [&] {
        CHECK(world.server->stats().requests == 1);
        open[0]->respond(make_response(200, "late\n", "text/plain"));
      });
    } else {
      exchange->respond(make_response(200, "soon\n", "text/plain"));
    }
  });
  std::string answer = world.talk(
      "GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /soon HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("late\n") < answer.find("soon\n"));
  CHECK(answer.find("soon\n") != answer.npos);
}

TEST_CASE("server: 100-continue is sent before the body, not for a body over the limit") {
  World world;
  world.serve(echo, [](Server::Options& options) { options.limits.max_body = 10; });
  int fd = world.connect_raw();
  std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  ::send(fd, head.data(), head.size(), 0);
  std::string answer;
  world.until([&] {
    World::drain(fd, &answer);
    world.tick();
    return answer.ends_with("\r\n\r\n");
  });
  CHECK(answer == "HTTP/1.1 100 Continue\r\n\r\n");
  ::send(fd, "body", 4, 0);
  world.until([&] {
    World::drain(fd, &answer);
    world.tick();
    return answer.ends_with("POST / body");
  });
  ::close(fd);
  std::string refused = world.talk(
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n");
  CHECK(refused.starts_with("HTTP/1.1 413 "));
}

TEST_CASE("server: a stream's head leaves at once, a client that goes away is noticed") {
  World world;
  std::shared_ptr<Exchange> stream;
  int closes = 0;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) {
    stream = exchange;
    exchange->begin_stream(200, {{"Content-Type", "application/json"}});
    exchange->on_close([&] { ++closes; });
  });
  int fd = world.connect_raw();
  std::string ask = "GET /watch HTTP/1.1\r\nHost: x\r\n\r\n", answer;
  ::send(fd, ask.data(), ask.size(), 0);
  world.until([&] {
    World::drain(fd, &answer);
    world.tick();
    return answer.ends_with("\r\n\r\n");
  });
  CHECK(answer.find("Transfer-Encoding: chunked") != answer.npos);
  answer.clear();
  stream->write(make_bytes("one"));
  stream->write(make_bytes("event two"));
  world.until([&] {
    World::drain(fd, &answer);
    world.tick();
    return answer.size() >= 22;
  });
  CHECK(answer == "3\r\none\r\n9\r\nevent two\r\n");
  CHECK_FALSE(stream->closed());
  ::close(fd);
  world.until([&] { return closes == 1; });
  CHECK(stream->closed());
  stream->write(make_bytes("to nobody"));
  CHECK(stream->queued_bytes() == 0);
  world.until([&] { return world.server->stats().connections == 0; });
}

TEST_CASE("server: queued_bytes shows a slow reader, on_drain that it caught up") {
  World world;
  std::shared_ptr<Exchange> stream;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) {
    stream = exchange;
    exchange->begin_stream(200, {});
  });
  int fd = world.connect_raw();
  std::string ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ::send(fd, ask.data(), ask.size(), 0);
  world.until([&] { return stream != nullptr; });
  int drains = 0;
  stream->on_drain([&] { ++drains; });
  Bytes block = make_bytes(std::string(1 << 20, 'x'));
  for (int i = 0; i < 32; ++i) stream->write(block);
  bool turned = false;
  world.executor.after(std::chrono::milliseconds(20), [&] { turned = true; });
  world.until([&] { return turned; });
  CHECK(stream->queued_bytes() > (16u << 20));
  CHECK(drains == 0);
  std::string answer;
  world.until([&] {
    World::drain(fd, &answer);
    world.tick();
    return drains == 1;
  });
  CHECK(stream->queued_bytes() == 0);
  stream->abort();
  ::close(fd);
}

TEST_CASE("server: what a handler forgets") {
  World world;
  world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/stream") exchange->begin_stream(200, {});
  });
  std::string head = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  CHECK(world.talk("GET /" + head).starts_with("HTTP/1.1 500 Internal Server Error"));
  // Without the closing chunk the client knows that something is missing.
  CHECK(world.talk("GET /stream" + head).ends_with("\r\n\r\n"));
}

TEST_CASE("server: deadlines") {
  World world;
  world.serve(echo, [](Server::Options& options) {
    options.limits.idle_timeout = std::chrono::milliseconds(30);
    options.limits.request_timeout = std::chrono::milliseconds(30);
  });
  CHECK(world.talk("").empty());
  CHECK(world.talk("GET / HTTP/1.1\r\nHos").starts_with("HTTP/1.1 408 Request Timeout"));
  CHECK(world.talk("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
            .starts_with("HTTP/1.1 408 Request Timeout"));
  std::string served = world.talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(body_of(served) == "GET / ");  // and closed when idle
}

TEST_CASE("server: connections over the limit are closed, a taken port is named") {
  World world;
  world.serve(echo, [](Server::Options& options) { options.limits.max_connections = 1; });
  int first = world.connect_raw();
  world.until([&] { return world.server->stats().connections == 1; });
  CHECK(world.talk("").empty());
  ::close(first);
  Server::Options taken;
  taken.port = world.server->port();
  auto second = Server::listen(world.executor, taken, echo);
  CHECK(second.status() == unavailable("listen tcp 127.0.0.1:" + std::to_string(taken.port) +
                                       ": bind: address already in use"));
}

TEST_CASE("server: stop ends streams, lets requests finish, closes idle connections") {
  World world;
  std::shared_ptr<Exchange> stream, slow;
  bool told = false, stopped = false;
  world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/slow") {
      slow = exchange;
    } else {
      stream = exchange;
      exchange->begin_stream(200, {});
      exchange->on_close([&] { told = true; });
    }
  });
  auto client = world.client();
  Status end = internal_error("not yet");
  auto handle = client->start_stream({.target = "/watch"}, {.on_end = [&](Status s) { end = s; }});
  Result<Response> answer = internal_error("not yet");
  client->request({.target = "/slow"}, [&](Result<Response> r) { answer = std::move(r); });
  int idle = world.connect_raw();
  world.until([&] { return stream && slow && world.server->stats().connections == 3; });
  world.server->stop(std::chrono::seconds(5), [&] { stopped = true; });
  world.until([&] { return told && end == Status(); });
  CHECK_FALSE(stopped);
  slow->respond(make_response(200, "done", "text/plain"));
  world.until([&] { return stopped && answer.ok(); });
  CHECK(answer->body == "done");
  CHECK(answer->headers.get("Connection") == "close");
  std::string rest;
  CHECK_FALSE(World::drain(idle, &rest));
  ::close(idle);
}

TEST_CASE("server: stop does not wait longer than its grace; a server may just go") {
  World world;
  std::shared_ptr<Exchange> held;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) { held = exchange; });
  auto client = world.client();
  Result<Response> answer = internal_error("not yet");
  auto ask = [&] {
    held = nullptr;
    answer = internal_error("not yet");
    client->request({.target = "/"}, [&](Result<Response> r) { answer = std::move(r); });
    world.until([&] { return held != nullptr; });
  };
  ask();
  bool stopped = false;
  world.server->stop(std::chrono::milliseconds(10), [&] { stopped = true; });
  world.until([&] { return stopped; });
  CHECK(held->closed());
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) { held = exchange; });
  client = world.client();
  ask();
  world.server = nullptr;
  world.until([&] { return answer.status() == unavailable("EOF"); });
  held->respond(make_response(200, "too late", "text/plain"));
}

TEST_CASE("server: may be ended by its own handler, whatever that holds") {
  World world;
  auto kept = std::make_shared<std::vector<std::shared_ptr<Exchange>>>();
  std::weak_ptr<void> watched = kept;
  world.serve([&world, kept](Request, std::shared_ptr<Exchange> exchange) {
    kept->push_back(exchange);
    world.server = nullptr;
  });
  auto client = world.client();
  kept = nullptr;
  CHECK(world.get(*client, "/").status() == unavailable("EOF"));
  CHECK(watched.expired());
}

}  // namespace
}  // namespace coracle::net::testing
