// For the tests of net only: a server, clients and raw sockets in one executor.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/asio_executor.hpp"
#include "net/client.hpp"
#include "net/pki.hpp"
#include "net/server.hpp"

namespace coracle::net::testing {

// Certificates, made once a process.
struct TestPki {
  KeyPair ca, foreign_ca, server, client, foreign_client, expired_client;

  static const TestPki& get() {
    static const TestPki pki = make();
    return pki;
  }

 private:
  static TestPki make() {
    WallTime now = real_clock().wall_now();
    Validity good = Validity::days(now, 30);
    Validity past{now - std::chrono::hours(48), now - std::chrono::hours(24)};
    TestPki pki;
    pki.ca = make_ca("test-ca", good).value();
    pki.foreign_ca = make_ca("foreign-ca", good).value();
    CertRequest server{.common_name = "server",
                       .dns_names = {"localhost"},
                       .ip_addresses = {"127.0.0.1"},
                       .server = true};
    CertRequest client{
        .common_name = "alice", .organizations = {"system:masters", "dev"}, .client = true};
    pki.server = issue(pki.ca, server, good).value();
    pki.client = issue(pki.ca, client, good).value();
    pki.foreign_client = issue(pki.foreign_ca, client, good).value();
    pki.expired_client = issue(pki.ca, client, past).value();
    return pki;
  }
};

class World {
 public:
  AsioExecutor executor;
  std::unique_ptr<Server> server;

  void serve(Handler handler, std::function<void(Server::Options&)> change = nullptr) {
    Server::Options options;
    if (tls) {
      const TestPki& pki = TestPki::get();
      options.tls = TlsConfig{pki.server.cert_pem, pki.server.key_pem, pki.ca.cert_pem};
    }
    if (change) change(options);
    auto made = Server::listen(executor, std::move(options), std::move(handler));
    REQUIRE(made.status() == Status());
    server = std::move(made).value();
  }
  bool tls = false;  // set before serve()

  std::unique_ptr<Client> client(std::function<void(ClientConfig&)> change = nullptr) {
    ClientConfig config;
    config.host = "127.0.0.1";
    config.port = server->port();
    config.tls = tls;
    config.ca_pem = TestPki::get().ca.cert_pem;
    if (change) change(config);
    auto made = Client::create(executor, config);
    REQUIRE(made.status() == Status());
    return std::move(made).value();
  }

  Result<Response> fetch(Client& client, ClientRequest request) {
    return block_on(executor, client.request(std::move(request)));
  }
  Result<Response> get(Client& client, std::string target) {
    return fetch(client, {.target = std::move(target)});
  }

  // Runs turns until it holds; fails the test after ten seconds.
  void until(const std::function<bool()>& done) {
    bool late = false;
    auto timer = executor.after(std::chrono::seconds(10), [&] { late = true; });
    executor.run_until([&] { return late || done(); });
    executor.cancel(timer);
    REQUIRE_FALSE(late);
  }

  int connect_raw() {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server->port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
  }

  // Takes what has come; false at the end of the connection.
  static bool drain(int fd, std::string* into) {
    char buffer[65536];
    ssize_t got;
    while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
      into->append(buffer, static_cast<std::size_t>(got));
    }
    return got < 0 && errno == EAGAIN;
  }

  // Sends bytes, then reads until the server has closed.
  std::string talk(const std::string& bytes) {
    int fd = connect_raw();
    std::size_t sent = 0;
    std::string answer;
    until([&] {
      ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
      bool open = drain(fd, &answer);
      tick();
      return !open;
    });
    ::close(fd);
    return answer;
  }
  // Raw sockets are not waited for: this makes the executor turn.
  void tick() {
    executor.after(std::chrono::milliseconds(1), [] {});
  }
};

}  // namespace coracle::net::testing
