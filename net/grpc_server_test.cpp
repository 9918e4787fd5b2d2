// GrpcServer under our own client, and under bytes that are no gRPC. Stock clients: tests/e2e/store
// (etcdctl), store_differential (gRPC's C++ client).
#include "net/grpc_server.hpp"

#include "net/grpc_channel.hpp"
#include "net/grpc_frames.hpp"
#include "net/test_world.hpp"

namespace coracle::net {
namespace {

using namespace std::chrono_literals;
using testing::TestPki;
using testing::World;

constexpr std::size_t kMessageMax = 1000;

// Answers each message with itself, twice; "end" and "fail" end the call.
class Echo final : public GrpcServerStream {
 public:
  Echo(std::shared_ptr<GrpcReply> reply, std::vector<std::string>* said)
      : reply_(std::move(reply)), said_(said) {}
  void on_message(std::string message) override {
    if (message == "end") return reply_->finish({});
    if (message == "fail") return reply_->finish(not_found("ä 100%\n"));
    reply_->send({make_bytes(message), make_bytes(message)});
  }
  void on_sent(std::size_t messages) override { said_->push_back(std::to_string(messages)); }
  void on_gone() override { said_->push_back("gone"); }

 private:
  const std::shared_ptr<GrpcReply> reply_;
  std::vector<std::string>* const said_;
};

struct Fixture {
  World world;
  GrpcServer server{world.executor, kMessageMax};
  std::unique_ptr<GrpcChannel> channel;
  std::vector<std::string> said;  // what streams were told
  std::vector<std::string> troubles;
  std::shared_ptr<GrpcReply> kept;  // of /s.S/Keep, which does not answer

  Fixture() {
    server.add_unary("/s.S/Reverse", [](std::string request, std::shared_ptr<GrpcReply> reply) {
      std::reverse(request.begin(), request.end());
      reply->send({make_bytes(request + std::string(reply->metadata("x-more")))});
      reply->finish({});
    });
    server.add_unary("/s.S/Refuse", [](const std::string&, std::shared_ptr<GrpcReply> reply) {
      reply->finish(failed_precondition("etcdserver: no"));
    });
    server.add_unary("/s.S/Keep", [this](const std::string&, std::shared_ptr<GrpcReply> reply) {
      kept = std::move(reply);
    });
    server.add_stream("/s.S/Echo", [this](std::shared_ptr<GrpcReply> reply) {
      return std::make_shared<Echo>(std::move(reply), &said);
    });
    server.on_trouble([this](const std::string& why) { troubles.push_back(why); });
  }
  void listen(GrpcServer::Renew renew = nullptr) {
    REQUIRE(server.listen("127.0.0.1", 0, std::move(renew)) == Status());
  }
  void connect(std::function<Result<GrpcTls>()> tls = nullptr) {
    channel = GrpcChannel::create(world.executor, {"127.0.0.1", server.port(), std::move(tls), {}});
    world.until([&] { return channel->ready(); });
  }
  std::pair<GrpcStatus, std::string> call(std::string_view path, std::string_view message) {
    std::optional<std::pair<GrpcStatus, std::string>> answer;
    channel->unary(path, message, 10s, [&](GrpcStatus status, std::string reply) {
      answer.emplace(std::move(status), std::move(reply));
    });
    world.until([&] { return answer.has_value(); });
    return *answer;
  }
};

TEST_CASE("a unary call gets its message or its status") {
  Fixture f;
  f.listen();
  f.connect();
  CHECK(f.call("/s.S/Reverse", "abc").second == "cba");
  CHECK(f.call("/s.S/Reverse", "").second == "");
  CHECK(f.call("/s.S/Reverse", std::string(kMessageMax, 'x')).second ==
        std::string(kMessageMax, 'x'));
  struct Row {
    std::string path, message;
    Code code;
    std::string text;
  };
  const Row row = GENERATE(values<Row>({
      {"/s.S/Refuse", "", Code::kFailedPrecondition, "etcdserver: no"},
      {"/s.S/None", "", Code::kUnimplemented, "unknown method None for service s.S"},
      {"/s.T/None", "", Code::kUnimplemented, "unknown service s.T"},
      {"/none", "", Code::kUnimplemented, "malformed method name: \"/none\""},
      {"/s.S/Reverse", std::string(kMessageMax + 1, 'x'), Code::kResourceExhausted,
       "grpc: received message larger than max (1001 vs. 1000)"},
  }));
  const auto [status, reply] = f.call(row.path, row.message);
  CHECK(status.code == static_cast<int>(row.code));
  CHECK(status.message == row.text);
  CHECK(f.call("/s.S/Reverse", "on").second == "no");  // the connection goes on
}

TEST_CASE("a stream's messages go both ways, and tell when they are on their way") {
  Fixture f;
  f.listen();
  f.connect();
  std::vector<std::string> came;
  std::optional<GrpcStatus> end;
  auto stream = f.channel->stream(
      "/s.S/Echo", {},
      {[&](std::string m) { came.push_back(m); }, [&](GrpcStatus s) { end = std::move(s); }});
  stream->send("a");
  stream->send("");
  const std::string large(kMessageMax, 'l');
  stream->send(large);
  f.world.until([&] { return came.size() == 3; });
  CHECK(came == std::vector<std::string>{"aa", "", large + large});
  int sent = 0;
  for (const std::string& count : f.said) sent += std::stoi(count);
  CHECK(sent == 3);
  f.said.clear();
  SECTION("the server ends it") {
    stream->send("fail");
    f.world.until([&] { return end.has_value(); });
    CHECK(end->code == static_cast<int>(Code::kNotFound));
    CHECK(end->message == "ä 100%\n");
    CHECK(f.said.empty());  // it ended the call itself
  }
  SECTION("the client goes") {
    stream.reset();
    f.world.until([&] { return !f.said.empty(); });
    CHECK(f.said == std::vector<std::string>{"gone"});
  }
  SECTION("the connection goes") {
    f.channel.reset();
    f.world.until([&] { return !f.said.empty(); });
    CHECK(f.said == std::vector<std::string>{"gone"});
  }
}

TEST_CASE("an answer to a client that has gone is dropped") {
  Fixture f;
  f.listen();
  f.connect();
  bool timed_out = false;
  f.channel->unary("/s.S/Keep", "", 1ms, [&](GrpcStatus status, const std::string&) {
    timed_out = status.code == GrpcStatus::kDeadlineExceeded;
  });
  f.world.until([&] {
    f.world.tick();
    return timed_out && f.kept && f.kept->over();
  });
  f.kept->send({make_bytes("late")});
  f.kept->finish({});
  CHECK(f.call("/s.S/Reverse", "ab").second == "ba");
}

TEST_CASE("a stopping server finishes what it has answered, and tells its clients") {
  Fixture f;
  f.listen();
  f.connect();
  std::optional<GrpcStatus> answer;
  f.channel->unary("/s.S/Keep", "", 10s,
                   [&](GrpcStatus status, const std::string&) { answer = std::move(status); });
  f.world.until([&] { return f.kept != nullptr; });
  bool stopped = false;
  f.kept->finish(unavailable("stopping"));
  f.server.stop([&] { stopped = true; });
  f.world.until([&] { return stopped && answer; });
  CHECK(answer->message == "stopping");
  CHECK_FALSE(f.channel->ready());
}

TEST_CASE("with a client CA nobody comes in without its certificate; renewed files are used") {
  const TestPki& pki = TestPki::get();
  Fixture f;
  const KeyPair* serving = &pki.foreign_client;  // not for 127.0.0.1
  const KeyPair* last = nullptr;
  f.listen([&]() -> std::optional<TlsConfig> {
    if (std::exchange(last, serving) == serving) return std::nullopt;
    return TlsConfig{serving->cert_pem, serving->key_pem, pki.ca.cert_pem, {}};
  });
  std::string trouble;
  const KeyPair* mine = &pki.client;
  f.channel = GrpcChannel::create(
      f.world.executor,
      {"127.0.0.1", f.server.port(),
       [&]() -> Result<GrpcTls> { return GrpcTls{pki.ca.cert_pem, mine->cert_pem, mine->key_pem}; },
       [&](const std::string& why) { trouble = why; }});
  f.world.until([&] { return trouble.find("signed by unknown") != trouble.npos; });
  serving = &pki.server;
  f.world.until([&] { return f.channel->ready(); });
  CHECK(f.call("/s.S/Reverse", "abc").second == "cba");
  static const KeyPair kNone;
  mine = GENERATE_REF(&kNone, &pki.foreign_client, &pki.expired_client);
  f.channel.reset();
  f.troubles.clear();
  f.channel = GrpcChannel::create(
      f.world.executor,
      {"127.0.0.1",
       f.server.port(),
       [&]() -> Result<GrpcTls> { return GrpcTls{pki.ca.cert_pem, mine->cert_pem, mine->key_pem}; },
       {}});
  f.world.until([&] { return !f.troubles.empty(); });
  CHECK_FALSE(f.channel->ready());
}

TEST_CASE("bytes that are no HTTP/2 end the connection") {
  Fixture f;
  f.listen();
  const std::string bytes = GENERATE(as<std::string>{}, "GET / HTTP/1.1\r\n\r\n", "\0\0\0\0",
                                     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense, and more of it");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(f.server.port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0);
  if (bytes.empty()) ::shutdown(fd, SHUT_WR);
  std::string answer;
  f.world.until([&] {
    f.world.tick();
    return !World::drain(fd, &answer);
  });
  ::close(fd);
  f.connect();
  CHECK(f.call("/s.S/Reverse", "abc").second == "cba");
}

TEST_CASE("messages in their frames, however they are cut") {
  const auto prefix = grpc_prefix(0x01020304);
  CHECK(std::string(prefix.data(), prefix.size()) == std::string("\0\1\2\3\4", 5));
  const std::string wire("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2de", 20);
  const std::size_t slice = GENERATE(1u, 3u, 20u);
  GrpcReader reader(3);
  std::deque<std::string> out;
  for (std::size_t at = 0; at < wire.size(); at += slice) {
    reader.add(std::string_view(wire).substr(at, slice), &out);
  }
  CHECK(out == std::deque<std::string>{"abc", "", "de"});
  CHECK(reader.between_messages());
  SECTION("too long") {
    reader.add(std::string_view("\0\0\0\0\4abcd", 9), &out);
    CHECK(reader.too_large() == 4);
  }
  SECTION("compressed") {
    reader.add(std::string_view("\1\0\0\0\1a", 6), &out);
    CHECK(reader.compressed());
  }
  CHECK(out.size() == 3);
}

}  // namespace
}  // namespace coracle::net
