#include "net/tls.hpp"

#include "net/test_world.hpp"

namespace coracle::net::testing {
namespace {

TEST_CASE("tls: the handler learns who the client is; nobody is turned away for it") {
  const TestPki& pki = TestPki::get();
  World world;
  world.tls = true;
  Peer peer;
  world.serve([&](Request request, std::shared_ptr<Exchange> exchange) {
    peer = request.peer;
    exchange->respond({});
  });
  struct Row {
    const char* name;
    const KeyPair* pair;
    bool has, trusted;
    std::string error;
  };
  const std::vector<std::string> groups{"system:masters", "dev"};
  KeyPair none;
  // A server certificate is no client certificate.
  for (const Row& row :
       {Row{"none", &none, false, false, ""}, Row{"trusted", &pki.client, true, true, ""},
        Row{"foreign", &pki.foreign_client, true, false,
            "x509: certificate signed by unknown authority"},
        Row{"expired", &pki.expired_client, true, false,
            "x509: certificate has expired or is not yet valid"},
        Row{"server's", &pki.server, true, false,
            "x509: certificate specifies an incompatible key usage"}}) {
    INFO(row.name);
    auto client = world.client([&](ClientConfig& config) {
      config.cert_pem = row.pair->cert_pem;
      config.key_pem = row.pair->key_pem;
    });
    auto answer = world.get(*client, "/");
    REQUIRE(answer.status() == Status());
    CHECK(peer.tls);
    CHECK(peer.has_cert == row.has);
    CHECK(peer.cert_trusted == row.trusted);
    CHECK(peer.cert_error.substr(0, row.error.size()) == row.error);
    CHECK(peer.cert_error.empty() == row.error.empty());
    if (row.pair == &pki.client) {
      CHECK(peer.cert_cn == "alice");
      CHECK(peer.cert_orgs == groups);
    }
  }
}

TEST_CASE("tls: how a client refuses a server") {
  const TestPki& pki = TestPki::get();
  World world;
  world.tls = true;
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); });
  auto outcome = [&](std::function<void(ClientConfig&)> change) {
    auto client = world.client(change);
    return world.get(*client, "/").status();
  };
  const std::string prefix = "tls: failed to verify certificate: x509: ";
  CHECK(outcome(nullptr) == Status());
  CHECK(outcome([&](auto& c) { c.ca_pem = pki.foreign_ca.cert_pem; }) ==
        unavailable(prefix + "certificate signed by unknown authority"));
  CHECK(outcome([&](auto& c) { c.server_name = "other"; }) ==
        unavailable(prefix + "certificate is valid for localhost, not other"));
  CHECK(outcome([&](auto& c) { c.server_name = "10.0.0.1"; }) ==
        unavailable(prefix + "certificate is valid for 127.0.0.1, not 10.0.0.1"));
  CHECK(outcome([&](auto& c) { c.host = "localhost"; }) == Status());
  CHECK(outcome([&](auto& c) {
          c.ca_pem = pki.foreign_ca.cert_pem;
          c.insecure_skip_verify = true;
        }) == Status());
}

TEST_CASE("tls: a plain client and a plain server") {
  World world;
  world.tls = true;
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); });
  CHECK(world.talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n") ==
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  CHECK(world.talk("\x01\x02garbage garbage").find("HTTP") == std::string::npos);
  CHECK(world.server->stats().tls_failures == 2);

  World plain;
  plain.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); });
  auto client = plain.client([](ClientConfig& config) { config.tls = true; });
  CHECK(plain.get(*client, "/").status() ==
        unavailable("http: server gave HTTP response to HTTPS client"));
}

TEST_CASE("tls: bad material is refused with its reason") {
  const TestPki& pki = TestPki::get();
  World world;
  auto listen = [&](TlsConfig tls) {
    Server::Options options;
    options.tls = std::move(tls);
    return Server::listen(world.executor, options, [](Request, auto) {}).status();
  };
  CHECK(listen({"", "", ""}) ==
        invalid_argument("failed to find any PEM data in certificate input"));
  CHECK(listen({pki.server.cert_pem, "", ""}) ==
        invalid_argument("failed to find any PEM data in key input"));
  CHECK(listen({pki.server.cert_pem, pki.client.key_pem, ""}) ==
        invalid_argument("tls: private key does not match public key"));
  CHECK(listen({pki.server.cert_pem, pki.server.key_pem, "junk"}) ==
        invalid_argument("client CA: failed to find any PEM data in certificate input"));
}

TEST_CASE("tls: the certificate of the name that is asked for") {
  const TestPki& pki = TestPki::get();
  const auto pair = [&](const std::string& name) {
    const Validity validity = Validity::days(real_clock().wall_now(), 1);
    auto made = issue(pki.ca, {.common_name = "x", .dns_names = {name}, .server = true}, validity);
    REQUIRE(made.ok());
    return NamedPair{{name}, made->cert_pem, made->key_pem};
  };
  World world;
  world.tls = true;
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); },
              [&](Server::Options& options) {
                options.tls->by_name = {pair("shop.example.com"), pair("*.example.com")};
              });
  const auto reaches = [&](const std::string& name) {
    auto client = world.client([&](ClientConfig& config) { config.server_name = name; });
    return world.get(*client, "/").ok();
  };
  CHECK(reaches("shop.example.com"));
  CHECK(reaches("blog.example.com"));
  CHECK(reaches("localhost"));  // of the certificate for the others
  CHECK_FALSE(reaches("a.b.example.com"));
  CHECK_FALSE(reaches("example.com"));
}

TEST_CASE("tls: new certificates serve new connections") {
  const TestPki& pki = TestPki::get();
  World world;
  world.tls = true;
  world.serve([](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); });
  Validity validity = Validity::days(world.executor.wall_now(), 1);
  auto other =
      issue(pki.ca, {.common_name = "new", .dns_names = {"renewed"}, .server = true}, validity);
  REQUIRE(other.ok());
  CHECK_FALSE(world.server->reload_tls({"", "", ""}).ok());
  CHECK(world.server->reload_tls({other->cert_pem, other->key_pem, ""}) == Status());
  auto client = world.client([](ClientConfig& config) { config.server_name = "renewed"; });
  CHECK(world.get(*client, "/").status() == Status());
}

TEST_CASE("tls: servers that share an identity change their certificate together") {
  const TestPki& pki = TestPki::get();
  World world;
  const auto make_pair = [&](const char* name) {
    auto made = issue(pki.ca, {.common_name = name, .dns_names = {name}, .server = true},
                      Validity::days(world.executor.wall_now(), 1));
    REQUIRE(made.ok());
    return *made;
  };
  const KeyPair first = make_pair("first"), second = make_pair("second");
  auto identity = TlsIdentity::make({first.cert_pem, first.key_pem, "", {}});
  REQUIRE(identity.ok());
  const auto use = [&](Server::Options& options) {
    options.tls.reset();
    options.identity = *identity;
  };
  const auto answer = [](Request, std::shared_ptr<Exchange> exchange) { exchange->respond({}); };
  Server::Options options;
  use(options);
  auto other = Server::listen(world.executor, options, answer);
  REQUIRE(other.ok());
  world.tls = true;
  world.serve(answer, use);
  const auto reaches = [&](std::uint16_t port, const std::string& name) {
    auto client = world.client([&](ClientConfig& config) {
      config.port = port;
      config.server_name = name;
    });
    return world.get(*client, "/").ok();
  };
  for (const std::uint16_t port : {world.server->port(), (*other)->port()}) {
    CHECK(reaches(port, "first"));
    CHECK_FALSE(reaches(port, "second"));
  }
  CHECK_FALSE((*identity)->reload({first.cert_pem, second.key_pem, "", {}}).ok());
  CHECK((*identity)->reload({second.cert_pem, second.key_pem, "", {}}) == Status());
  for (const std::uint16_t port : {world.server->port(), (*other)->port()}) {
    CHECK(reaches(port, "second"));
    CHECK_FALSE(reaches(port, "first"));
  }
}

}  // namespace
}  // namespace coracle::net::testing
