// A small HTTPS server for suites that use foreign clients (curl, openssl, wrk):
//
//   net_wire_server DIR    writes DIR/ca.crt, client.{crt,key}, foreign.{crt,key},
//   expired.{crt,key},
//                          then DIR/ports: "HTTPS_PORT HTTP_PORT"; runs until SIGTERM
//
// GET /size/N: N bytes. GET /peer: who the client is. GET /events: three chunks, then stays open.
// Anything else: method, path and length of the body.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/strings.hpp"
#include "net/asio_executor.hpp"
#include "net/pki.hpp"
#include "net/server.hpp"

namespace coracle::net {
namespace {

std::string describe(const Peer& peer) {
  if (!peer.has_cert) return "anonymous\n";
  return (peer.cert_trusted ? "trusted " : "untrusted ") + peer.cert_cn + " " +
         join(peer.cert_orgs, ",") + (peer.cert_trusted ? "" : " " + peer.cert_error) + "\n";
}

class WireServer {
 public:
  void operator()(Request request, std::shared_ptr<Exchange> exchange) {
    if (request.path == "/size/1024") return respond_shared(*exchange);
    if (request.path == "/peer") {
      return exchange->respond(make_response(200, describe(request.peer), "text/plain"));
    }
    if (request.path == "/events") {
      exchange->begin_stream(200, {{"Content-Type", "text/plain"}});
      for (const char* text : {"one\n", "two\n", "three\n"}) exchange->write(make_bytes(text));
      std::erase_if(open_, [](const auto& stream) { return stream->closed(); });
      open_.push_back(std::move(exchange));
      return;
    }
    long long size = 0;
    if (request.path.starts_with("/size/") &&
        parse_int(std::string_view(request.path).substr(6), &size)) {
      return exchange->respond(
          make_response(200, std::string(static_cast<std::size_t>(size), 'x'), "text/plain"));
    }
    exchange->respond(make_response(
        200, request.method + " " + request.path + " " + std::to_string(request.body.size()) + "\n",
        "text/plain"));
  }

 private:
  void respond_shared(Exchange& exchange) {
    Response response;
    response.headers.add("Content-Type", "text/plain");
    response.chunks.push_back(kilobyte_);
    exchange.respond(std::move(response));
  }

  Bytes kilobyte_ = make_bytes(std::string(1024, 'x'));
  std::vector<std::shared_ptr<Exchange>> open_;
};

void save(const std::string& path, const std::string& text) {
  Status status = write_private_file(path, text);
  if (!status.ok()) fail_startup(status.message());
}

TlsConfig make_material(const std::string& dir, WallTime now) {
  Validity good = Validity::days(now, 1);
  Validity past{now - std::chrono::hours(48), now - std::chrono::hours(24)};
  KeyPair ca = make_ca("wire-ca", good).value();
  KeyPair foreign_ca = make_ca("foreign-ca", good).value();
  CertRequest user{.common_name = "alice", .organizations = {"dev", "ops"}, .client = true};
  auto save_pair = [&](const std::string& name, const KeyPair& pair) {
    save(dir + "/" + name + ".crt", pair.cert_pem);
    save(dir + "/" + name + ".key", pair.key_pem);
  };
  save_pair("client", issue(ca, user, good).value());
  save_pair("foreign", issue(foreign_ca, user, good).value());
  save_pair("expired", issue(ca, user, past).value());
  save(dir + "/ca.crt", ca.cert_pem);
  CertRequest self{.common_name = "wire",
                   .dns_names = {"localhost"},
                   .ip_addresses = {"127.0.0.1"},
                   .server = true};
  KeyPair server = issue(ca, self, good).value();
  return {server.cert_pem, server.key_pem, ca.cert_pem};
}

int run(const std::string& dir) {
  AsioExecutor executor;
  auto handler = std::make_shared<WireServer>();
  auto serve = [&](std::optional<TlsConfig> tls) {
    Server::Options options;
    options.tls = std::move(tls);
    auto server = Server::listen(executor, std::move(options),
                                 [handler](Request request, std::shared_ptr<Exchange> exchange) {
                                   (*handler)(std::move(request), std::move(exchange));
                                 });
    if (!server.ok()) fail_startup(server.status().message());
    return std::move(server).value();
  };
  auto secure = serve(make_material(dir, executor.wall_now()));
  auto plain = serve(std::nullopt);
  save(dir + "/ports", std::to_string(secure->port()) + " " + std::to_string(plain->port()) + "\n");
  executor.on_signal(SIGTERM, [&] {
    secure->stop(std::chrono::seconds(2),
                 [&] { plain->stop(std::chrono::seconds(2), [&] { executor.stop(); }); });
  });
  executor.run();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto requests = secure->stats().requests + plain->stats().requests;
  std::printf("%llu requests, %ld ms of CPU\n", static_cast<unsigned long long>(requests),
              usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
                  usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000);
  return 0;
}

}  // namespace
}  // namespace coracle::net

int main(int argc, char** argv) {
  if (argc != 2) coracle::fail_startup("usage: net_wire_server DIR");
  return coracle::net::run(argv[1]);
}
