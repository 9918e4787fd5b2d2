// Forwarders with raw sockets on both sides, in one executor.
#include <catch2/catch.hpp>

#include "net/listener.hpp"
#include "net/tcp_forwarder.hpp"
#include "net/test_world.hpp"
#include "net/udp_forwarder.hpp"
#include "net/udp_socket.hpp"

namespace coracle::net {
namespace {

using testing::World;

// A socket of the test, non-blocking, that the executor knows nothing of.
class Plain {
 public:
  explicit Plain(int descriptor) : descriptor_(descriptor) {
    ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  }
  Plain(Plain&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Plain& operator=(Plain&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Plain() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  static Plain dial(std::uint16_t port, const char* host = "127.0.0.1") {
    const auto address = numeric_address(host, port);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::connect(descriptor, address->get(), address->size) == 0);
    return Plain(descriptor);
  }

  int fd() const { return descriptor_; }
  void write(const std::string& text) const {
    REQUIRE(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  // What has come so far.
  const std::string& read() {
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(descriptor_, buffer, sizeof buffer, 0);
      if (got > 0) {
        text_.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      ended_ = ended_ || got == 0;
      reset_ = reset_ || (got < 0 && errno == ECONNRESET);
      return text_;
    }
  }
  bool ended() { return read(), ended_; }
  bool was_reset() { return read(), reset_; }

 private:
  int descriptor_ = -1;
  std::string text_;
  bool ended_ = false, reset_ = false;
};

// Listens and keeps what it accepts.
struct Target {
  explicit Target(World& world) {
    auto opened = Listener::open(
        world.executor, "127.0.0.1", 0,
        [this](int descriptor, const SocketAddress&) { accepted.emplace_back(descriptor); });
    REQUIRE(opened.ok());
    listener = *opened;
    listener->start();
  }
  ~Target() { listener->close(); }
  std::uint16_t port() const { return listener->port(); }

  std::shared_ptr<Listener> listener;
  std::vector<Plain> accepted;
};

// Sockets of the test are looked at, not waited for.
void until(World& world, const std::function<bool()>& done) {
  world.until([&] {
    world.tick();
    return done();
  });
}

std::uint16_t closed_port() {
  const auto address = numeric_address("127.0.0.1", 0);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::bind(descriptor, address->get(), address->size) == 0);
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  ::getsockname(descriptor, bound.get(), &bound.size);
  ::close(descriptor);
  return bound.port();
}

std::unique_ptr<TcpForwarder> forward(World& world, TcpForwarder::Choose choose,
                                      TcpForwarder::Options options = {.address = "127.0.0.1"}) {
  auto opened = TcpForwarder::listen(world.executor, std::move(options), std::move(choose));
  REQUIRE(opened.ok());
  return std::move(*opened);
}

TEST_CASE("bytes and half closes go both ways") {
  World world;
  Target target(world);
  auto forwarder =
      forward(world, [&](const auto&) { return HostPort{"127.0.0.1", target.port()}; });
  Plain client = Plain::dial(forwarder->port());
  client.write("ask");
  until(world, [&] { return !target.accepted.empty(); });
  Plain& server = target.accepted[0];
  until(world, [&] { return server.read() == "ask"; });
  ::shutdown(client.fd(), SHUT_WR);
  until(world, [&] { return server.ended(); });
  server.write("answer");
  until(world, [&] { return client.read() == "answer"; });
  CHECK(forwarder->connections() == 1);
  ::shutdown(server.fd(), SHUT_WR);
  until(world, [&] { return client.ended(); });
  until(world, [&] { return forwarder->connections() == 0; });
}

TEST_CASE("a refused target is replaced, and told of") {
  World world;
  Target target(world);
  const std::uint16_t dead = closed_port();
  std::vector<HostPort> refused;
  auto forwarder = forward(world, [&](const TcpForwarder::Arrival& arrival) {
    refused = arrival.refused;
    return HostPort{"127.0.0.1", refused.empty() ? dead : target.port()};
  });
  Plain client = Plain::dial(forwarder->port());
  client.write("x");
  until(world, [&] { return !target.accepted.empty(); });
  CHECK(refused == std::vector<HostPort>{{"127.0.0.1", dead}});
}

TEST_CASE("where nobody answers, the client is reset") {
  World world;
  const std::uint16_t dead = closed_port();
  int asked = 0;
  auto forwarder = forward(world, [&](const auto&) {
    ++asked;
    return HostPort{"127.0.0.1", dead};
  });
  Plain client = Plain::dial(forwarder->port());
  until(world, [&] { return client.was_reset(); });
  CHECK(asked == 3);
  CHECK(forwarder->connections() == 0);
}

TEST_CASE("a reader that does not read stops the writer; nothing is lost") {
  World world;
  Target target(world);
  auto forwarder =
      forward(world, [&](const auto&) { return HostPort{"127.0.0.1", target.port()}; });
  Plain client = Plain::dial(forwarder->port());
  until(world, [&] { return !target.accepted.empty(); });
  const std::string block(64u << 10, 'b');
  std::size_t sent = 0;
  bool full = false;
  while (!full) {
    for (int turn = 0; turn < 50; ++turn) {
      const ssize_t wrote = ::send(client.fd(), block.data(), block.size(), MSG_NOSIGNAL);
      if (wrote > 0) sent += static_cast<std::size_t>(wrote);
      int turns = 0;
      world.executor.post([] {});
      until(world, [&] { return ++turns > 2; });
      full = wrote < 0;
    }
    REQUIRE(sent < (64u << 20));  // else the forwarder takes without end
  }
  Plain& server = target.accepted[0];
  until(world, [&] { return server.read().size() == sent; });
}

TEST_CASE("every address of the loopback device, and which one was meant") {
  World world;
  Target target(world);
  std::string local;
  auto forwarder = forward(world,
                           [&](const TcpForwarder::Arrival& arrival) {
                             local = arrival.local.host;
                             return HostPort{"127.0.0.1", target.port()};
                           },
                           {.address = ""});
  Plain client = Plain::dial(forwarder->port(), "127.32.0.7");
  until(world, [&] { return !target.accepted.empty(); });
  CHECK(local == "127.32.0.7");
}

TEST_CASE("a taken port is told in Go's words") {
  World world;
  Target target(world);
  const auto second = TcpForwarder::listen(world.executor, {"127.0.0.1", target.port()},
                                           [](const auto&) { return std::nullopt; });
  REQUIRE(!second.ok());
  CHECK(second.status().message() ==
        "listen tcp 127.0.0.1:" + std::to_string(target.port()) + ": bind: address already in use");
}

TEST_CASE("datagrams go to one target and come back") {
  World world;
  std::vector<std::string> seen;
  std::unique_ptr<UdpSocket> echo;
  echo = UdpSocket::bind(world.executor, "127.0.0.1", 0,
                         [&](std::string_view data, const HostPort& from) {
                           seen.emplace_back(data);
                           echo->send_to("re: " + std::string(data), from);
                         })
             .value();
  int chosen = 0;
  auto forwarder =
      UdpForwarder::listen(world.executor, {.address = "127.0.0.1"}, [&](const HostPort&) {
        ++chosen;
        return HostPort{"127.0.0.1", echo->port()};
      }).value();
  std::string answer;
  auto client = UdpSocket::connect(
                    world.executor, {"127.0.0.1", forwarder->port()},
                    [&](std::string_view data, const HostPort&) { answer = data; }, nullptr)
                    .value();
  client->send("one");
  until(world, [&] { return answer == "re: one"; });
  client->send("two");
  until(world, [&] { return answer == "re: two"; });
  CHECK(chosen == 1);
  CHECK(forwarder->flows() == 1);
  forwarder->forget([](const HostPort&) { return true; });
  client->send("three");
  until(world, [&] { return answer == "re: three"; });
  CHECK(chosen == 2);
}

TEST_CASE("a target that refuses datagrams is chosen anew") {
  World world;
  int chosen = 0;
  auto forwarder =
      UdpForwarder::listen(world.executor, {.address = "127.0.0.1"}, [&](const HostPort&) {
        ++chosen;
        return HostPort{"127.0.0.1", closed_port()};
      }).value();
  auto client = UdpSocket::connect(
                    world.executor, {"127.0.0.1", forwarder->port()},
                    [](std::string_view, const HostPort&) {}, nullptr)
                    .value();
  client->send("one");
  until(world, [&] { return chosen == 1 && forwarder->flows() == 0; });
  client->send("two");
  until(world, [&] { return chosen == 2; });
}

}  // namespace
}  // namespace coracle::net
