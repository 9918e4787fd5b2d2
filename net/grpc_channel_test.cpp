// What a channel does with servers that are none, or bad ones. Good ones: client_etcd_test.
#include "net/grpc_channel.hpp"

#include "net/grpc_call.hpp"
#include "net/test_world.hpp"

namespace coracle::net {
namespace {

using namespace std::chrono_literals;
using testing::World;

// A socket that listens, and does to each connection what the test says.
class RawServer {
 public:
  RawServer() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    socklen_t size = sizeof at;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
  }
  ~RawServer() {
    hang_up();
    ::close(fd_);
  }
  // Takes a connection if one waits, and says `greeting` on it.
  void turn(std::string_view greeting) {
    const int fd = ::accept(fd_, nullptr, nullptr);
    if (fd < 0) return;
    ++accepted;
    connections_.push_back(fd);
    (void)!::send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
  }
  void say(std::string_view bytes) {
    (void)!::send(connections_.back(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void hang_up() {
    for (const int fd : std::exchange(connections_, {})) ::close(fd);
  }
  std::uint16_t port = 0;
  int accepted = 0;

 private:
  int fd_;
  std::vector<int> connections_;
};

constexpr std::string_view kSettings("\0\0\0\4\0\0\0\0\0", 9);

struct Fixture {
  World world;
  RawServer server;
  std::vector<std::string> troubles;
  std::unique_ptr<GrpcChannel> channel = GrpcChannel::create(
      world.executor, {"127.0.0.1", server.port, nullptr,
                       [this](const std::string& why) { troubles.push_back(why); }});

  void until(std::string_view greeting, const std::function<bool()>& done) {
    world.until([&] {
      server.turn(greeting);
      world.tick();
      return done();
    });
  }
  std::optional<GrpcStatus> answer;
  void call(Duration timeout) {
    channel->unary("/s/M", "body", timeout, [this](GrpcStatus status, const std::string&) {
      CHECK_FALSE(answer);
      answer = std::move(status);
    });
    CHECK_FALSE(answer);  // never inside the call
  }
};

TEST_CASE("a call on a channel that is not connected ends at once") {
  Fixture f;
  f.call(10s);
  f.until(kSettings, [&] { return f.answer.has_value(); });
  CHECK(f.answer->code == GrpcStatus::kUnavailable);
}

TEST_CASE("a silent server: the call ends in time, the connection stays") {
  Fixture f;
  f.until(kSettings, [&] { return f.channel->ready(); });
  f.call(30ms);
  f.until(kSettings, [&] { return f.answer.has_value(); });
  CHECK(f.answer->code == GrpcStatus::kDeadlineExceeded);
  CHECK(f.channel->ready());
  CHECK(f.troubles.empty());
}

TEST_CASE("a lost connection ends calls and streams, and is made again") {
  Fixture f;
  f.until(kSettings, [&] { return f.channel->ready(); });
  f.call(10s);
  std::optional<GrpcStatus> ended;
  const auto stream = f.channel->stream("/s/W", {}, {nullptr, [&](GrpcStatus status) {
                                                       CHECK_FALSE(ended);
                                                       ended = std::move(status);
                                                     }});
  stream->send("hello");
  f.server.hang_up();
  f.until(kSettings, [&] { return f.answer && ended; });
  CHECK(f.answer->code == GrpcStatus::kUnavailable);
  CHECK(ended->code == GrpcStatus::kUnavailable);
  f.until(kSettings, [&] { return f.channel->ready(); });
  CHECK(f.server.accepted >= 2);
  stream->send("into the void");
}

TEST_CASE("a server that speaks something else is left and dialled again") {
  Fixture f;
  const auto text = GENERATE(as<std::string>{}, "HTTP/1.1 400 Bad Request\r\n\r\n",
                             std::string(100, '\xff'), std::string(100, '\0'));
  f.until(text, [&] { return f.server.accepted >= 3; });
  CHECK_FALSE(f.channel->ready());
  REQUIRE_FALSE(f.troubles.empty());
}

TEST_CASE("a server that goes away: calls may end, streams do, then it is dialled again") {
  Fixture f;
  f.until(kSettings, [&] { return f.channel->ready(); });
  bool ended = false;
  const auto stream =
      f.channel->stream("/s/W", {}, {nullptr, [&](GrpcStatus status) {
                                       CHECK(status.code == GrpcStatus::kUnavailable);
                                       ended = true;
                                     }});
  f.call(60s);
  f.server.say(std::string_view("\0\0\x08\7\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 17));
  f.until({}, [&] { return !f.channel->ready(); });
  CHECK_FALSE(f.answer);
  CHECK_FALSE(ended);
  f.server.say(std::string_view("\0\0\4\3\0\0\0\0\3\0\0\0\x08", 13));  // resets the call
  f.until(kSettings, [&] { return f.answer && ended; });
  CHECK(f.answer->code == GrpcStatus::kUnavailable);
  f.until(kSettings, [&] { return f.channel->ready(); });
  CHECK(f.server.accepted >= 2);
}

TEST_CASE("closing tells calls, and streams no more") {
  Fixture f;
  f.until(kSettings, [&] { return f.channel->ready(); });
  f.call(10s);
  bool told = false;
  const auto stream = f.channel->stream("/s/W", {}, {nullptr, [&](GrpcStatus) { told = true; }});
  f.channel.reset();
  f.until({}, [&] { return f.answer.has_value(); });
  CHECK(f.answer->code == GrpcStatus::kCancelled);
  CHECK_FALSE(told);
}

TEST_CASE("messages of a call, however they are cut") {
  const std::string wire("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2de", 20);
  const std::size_t slice = GENERATE(1u, 3u, 20u);
  std::vector<std::int32_t> touched;
  GrpcCall call(false);
  call.report(&touched, 7);
  for (std::size_t at = 0; at < wire.size(); at += slice) {
    call.on_data(std::string_view(wire).substr(at, slice));
  }
  CHECK(call.take_messages() == std::deque<std::string>{"abc", "", "de"});
  CHECK_FALSE(touched.empty());
}

TEST_CASE("the status of a call") {
  struct Row {
    const char* name;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string data;
    int code;
    std::string message;
  };
  const std::string one("\0\0\0\0\1x", 6);
  const Row row = GENERATE_COPY(values<Row>(
      {{"good", {{":status", "200"}, {"grpc-status", "0"}}, one, 0, ""},
       {"an error", {{"grpc-status", "5"}, {"grpc-message", "no%20such"}}, "", 5, "no such"},
       {"no status", {{":status", "200"}}, "", 14, "the call ended without a status"},
       {"a proxy", {{":status", "502"}}, "", 14, "the server answered with HTTP status 502"},
       {"no message", {{"grpc-status", "0"}}, "", 13, "an answer without a message"},
       {"half a message",
        {{"grpc-status", "0"}},
        one.substr(0, 5),
        13,
        "an answer without a message"},
       {"no number", {{"grpc-status", "x"}}, one, 2, ""},
       {"too large", {{"grpc-status", "0"}}, "\1\xff\xff\xff\xff", 8, "a message is too large"}}));
  CAPTURE(row.name);
  std::vector<std::int32_t> touched;
  GrpcCall call(true);
  call.report(&touched, 1);
  for (const auto& [name, value] : row.fields) call.on_header(name, value);
  call.on_data(row.data);
  call.on_closed(0);
  CHECK(call.status().code == row.code);
  CHECK(call.status().message == row.message);
}

}  // namespace
}  // namespace coracle::net
