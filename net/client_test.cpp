#include "net/client.hpp"

#include "base/strings.hpp"
#include "net/test_world.hpp"

namespace coracle::net::testing {
namespace {

TEST_CASE("client: requests share a kept connection, with and without TLS") {
  for (bool tls : {false, true}) {
    INFO("tls " << tls);
    World world;
    world.tls = tls;
    Request seen;
    world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
      seen = request;
      Response response = make_response(201, "", "application/json");
      response.chunks = {make_bytes("[1,"), make_bytes("2]")};
      exchange->respond(response);
    });
    auto client = world.client([](ClientConfig& config) { config.bearer_token = "secret"; });
    for (int i = 0; i < 3; ++i) {
      auto answer = world.fetch(*client, {.method = "POST",
                                          .target = "/a%2Fb?x=1&x=%20y",
                                          .headers = {{"X-Test", "v"}},
                                          .body = "hello"});
      REQUIRE(answer.status() == Status());
      CHECK(answer->status == 201);
      CHECK(answer->body == "[1,2]");
      CHECK(answer->headers.get("content-type") == "application/json");
    }
    CHECK(seen.method == "POST");
    CHECK(seen.path == "/a%2Fb");
    CHECK(seen.query.all("x") == std::vector<std::string>{"1", " y"});
    CHECK(seen.headers.get("x-test") == "v");
    CHECK(seen.headers.get("Authorization") == "Bearer secret");
    CHECK(seen.body == "hello");
    CHECK(seen.peer.address == "127.0.0.1");
    CHECK(seen.peer.tls == tls);
    CHECK(world.server->stats().accepted == 1);
  }
}

TEST_CASE("client: large bodies both ways, and answers without one") {
  for (bool tls : {false, true}) {
    World world;
    world.tls = tls;
    std::string big(2'500'000, 'x');
    for (std::size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>('a' + i % 26);
    world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
      if (request.path == "/none") return exchange->respond({.status = 204});
      CHECK((request.method == "HEAD" || request.body == big));
      Response response;
      for (std::size_t at = 0; at < big.size(); at += 1700) {
        response.chunks.push_back(make_bytes(big.substr(at, 1700)));
      }
      exchange->respond(response);
    });
    auto client = world.client();
    auto answer = world.fetch(*client, {.method = "PUT", .target = "/", .body = big});
    REQUIRE(answer.ok());
    CHECK((answer->body == big));
    auto head = world.fetch(*client, {.method = "HEAD", .target = "/"});
    REQUIRE(head.ok());
    CHECK(head->body.empty());
    CHECK(head->headers.get("Content-Length") == "2500000");
    CHECK(world.get(*client, "/none")->status == 204);
    CHECK(world.server->stats().accepted == 1);
  }
}

TEST_CASE("client: the pool is bounded, the rest waits in line") {
  World world;
  std::vector<std::shared_ptr<Exchange>> open;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) { open.push_back(exchange); });
  auto client = world.client([](ClientConfig& config) {
    config.max_connections = 2;
    config.max_waiting = 3;
  });
  int done = 0;
  Status refused;
  for (int i = 0; i < 6; ++i) {
    client->request({.target = "/"}, [&](Result<Response> answer) {
      ++done;
      if (!answer.ok()) refused = answer.status();
    });
  }
  world.until([&] { return open.size() == 2 && done == 1; });
  CHECK(refused.code() == Code::kResourceExhausted);
  std::size_t answered = 0;
  world.until([&] {
    for (; answered < open.size(); ++answered) open[answered]->respond({});
    return done == 6;
  });
  CHECK(world.server->stats().accepted == 2);
}

TEST_CASE("client: a request on a connection the server has closed goes out again") {
  World world;
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); });
  auto client = world.client();
  REQUIRE(world.get(*client, "/").ok());
  std::uint16_t port = world.server->port();
  world.server = nullptr;  // closes the kept connection
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); },
              [&](Server::Options& options) { options.port = port; });
  CHECK(world.get(*client, "/").status() == Status());
}

TEST_CASE("client: failures in the words of Go") {
  World world;
  int mode = 0;
  std::vector<std::shared_ptr<Exchange>> held;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) {
    if (mode == 0) return exchange->abort();
    if (mode == 1) return held.push_back(exchange);
    exchange->begin_stream(200, {});
    exchange->write(make_bytes("part"));
    if (mode == 2) held.push_back(exchange);
  });
  auto client = world.client();
  CHECK(world.get(*client, "/").status() == unavailable("EOF"));
  mode = 1;
  auto slow = world.fetch(*client, {.target = "/", .timeout = std::chrono::milliseconds(20)});
  CHECK(slow.status() ==
        deadline_exceeded(
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
  mode = 2;
  slow = world.fetch(*client, {.target = "/", .timeout = std::chrono::milliseconds(50)});
  CHECK(slow.status() == deadline_exceeded("context deadline exceeded (Client.Timeout or context "
                                           "cancellation while reading body)"));
  mode = 3;
  CHECK(world.get(*client, "/").status() == unavailable("unexpected EOF"));
  CHECK(world.get(*client, "no slash").status().code() == Code::kInvalidArgument);

  std::uint16_t port = world.server->port();
  world.server = nullptr;
  CHECK(
      world.get(*client, "/").status() ==
      unavailable("dial tcp 127.0.0.1:" + std::to_string(port) + ": connect: connection refused"));
}

TEST_CASE("client: a stream delivers as it comes, and can be cancelled inside a callback") {
  for (bool tls : {false, true}) {
    World world;
    world.tls = tls;
    std::shared_ptr<Exchange> stream;
    bool gone = false;
    world.serve([&](Request, std::shared_ptr<Exchange> exchange) {
      stream = exchange;
      exchange->begin_stream(200, {{"X-Kind", "watch"}});
      exchange->on_close([&] { gone = true; });
    });
    auto client = world.client();
    Response head;
    std::string data;
    int ends = 0;
    StreamSink sink;
    sink.on_headers = [&](Response h) { head = std::move(h); };
    sink.on_data = [&](std::string_view d) { data += d; };
    sink.on_end = [&](Status status) {
      CHECK(status == Status());
      ++ends;
    };
    auto handle = client->start_stream({.target = "/"}, sink);
    world.until([&] { return head.headers.get("x-kind") == "watch"; });
    stream->write(make_bytes("one "));
    world.until([&] { return data == "one "; });
    stream->write(make_bytes("two"));
    stream->end();
    world.until([&] { return ends == 1; });
    CHECK(data == "one two");
    CHECK_FALSE(gone);

    StreamSink cancelling;
    std::unique_ptr<StreamHandle> second;
    cancelling.on_headers = [&](Response) { stream->write(make_bytes("x")); };
    cancelling.on_data = [&](std::string_view) { second = nullptr; };
    cancelling.on_end = [&](Status) { FAIL("cancelled"); };
    second = client->start_stream({.target = "/"}, cancelling);
    world.until([&] { return gone; });
    CHECK(second == nullptr);
  }
}

TEST_CASE("client: what is under way when the client goes is told") {
  World world;
  std::vector<std::shared_ptr<Exchange>> held;
  world.serve([&](Request, std::shared_ptr<Exchange> exchange) { held.push_back(exchange); });
  auto client = world.client();
  Result<Response> answer = internal_error("not yet");
  Status end;
  client->request({.target = "/"}, [&](Result<Response> r) { answer = std::move(r); });
  auto handle = client->start_stream({.target = "/"}, {.on_end = [&](Status s) { end = s; }});
  world.until([&] { return held.size() == 2; });
  client = nullptr;
  world.until([&] { return !end.ok() && answer.status().code() == Code::kCancelled; });
  CHECK(end.code() == Code::kCancelled);
}

TEST_CASE("client: upgrade gives bytes both ways, a refusal its answer") {
  World world;
  std::shared_ptr<ByteStream> server_end;
  std::string at_server, at_client;
  world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/no") return exchange->respond(make_response(403, "no", "text/plain"));
    server_end = exchange->upgrade(101, {{"Connection", "Upgrade"}, {"Upgrade", "raw"}});
    server_end->on_data([&](std::string_view data) { at_server += data; });
    server_end->write(make_bytes("early"));
  });
  auto client = world.client();
  ClientRequest ask{.target = "/", .headers = {{"Connection", "Upgrade"}, {"Upgrade", "raw"}}};
  auto made = block_on(world.executor, client->upgrade(ask));
  REQUIRE(made.ok());
  auto stream = *made;
  bool closed = false;
  stream->on_data([&](std::string_view data) { at_client += data; });
  stream->on_close([&] { closed = true; });
  stream->write(make_bytes("ping"));
  world.until([&] { return at_server == "ping" && at_client == "early"; });
  server_end->write(make_bytes(std::string(100000, 'z')));
  server_end->close();
  world.until([&] { return closed; });
  CHECK(at_client.size() == 100005);

  ask.target = "/no";
  auto refusal = std::make_shared<Response>();
  auto refused = block_on(world.executor, client->upgrade(ask, refusal));
  CHECK_FALSE(refused.ok());
  CHECK(refusal->status == 403);
  CHECK(refusal->body == "no");
}

TEST_CASE("client: URLs") {
  struct Row {
    const char *url, *back;
  };
  for (const Row& row : {Row{"https://127.0.0.1:6443", "https://127.0.0.1:6443"},
                         Row{"http://localhost", "http://localhost:80"},
                         Row{"https://[::1]:1/a/b/", "https://[::1]:1/a/b"},
                         Row{"example.org", "https://example.org:443"}}) {
    CHECK(ClientConfig::from_url(row.url)->url() == row.back);
  }
  for (const char* bad : {"", "ftp://x", "https://", "https://x:0", "https://x:99999",
                          "https://x:a", "https://u@x", "https://x/?q"}) {
    INFO(bad);
    CHECK(ClientConfig::from_url(bad).status().code() == Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace coracle::net::testing
