// The conformance suite on real stores, and what only a live end can show. Stock etcd comes from
// PATH, our kvstore from CORACLE_KVSTORE; without either there is nothing to run and we say so.
#include "client/etcd_store.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "client_testing/asio_world.hpp"
#include "net/pki.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string find_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string rest = path ? path : "";
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string candidate = rest.substr(0, colon) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return "";
}

// A single-member store in a directory of its own; gone with the object.
class StoreServer {
 public:
  explicit StoreServer(const std::string& binary, bool tls = false)
      : binary_(binary), client_port_(free_port()), peer_port_(free_port()), tls_(tls) {
    std::string pattern = (fs::temp_directory_path() / "coracle-store-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    dir_ = pattern;
    if (tls) {
      make_pair("good");
      make_pair("other");  // of another CA
    }
    start();
  }
  ~StoreServer() {
    kill_now();
    fs::remove_all(dir_);
  }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(client_port_); }
  void kill_now() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // What a client needs; `name` is "good", or "other" for files of a CA the server does not know.
  TlsFiles client_files(const std::string& name) const {
    return {dir_ + "/" + name + ".crt", dir_ + "/" + name + ".key", dir_ + "/" + name + "-ca.crt"};
  }
  void start() {
    const std::string client = (tls_ ? "https://" : "http://") + endpoint();
    const std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
    std::vector<std::string> args{binary_,        "--name",
                                  "m1",           "--data-dir",
                                  dir_ + "/data", "--listen-client-urls",
                                  client,         "--advertise-client-urls",
                                  client,         "--listen-peer-urls",
                                  peer,           "--initial-advertise-peer-urls",
                                  peer,           "--initial-cluster",
                                  "m1=" + peer};
    if (tls_) {
      const TlsFiles files = client_files("good");
      args.insert(args.end(), {"--cert-file", files.cert, "--key-file", files.key,
                               "--trusted-ca-file", files.ca, "--client-cert-auth"});
    }
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    const std::string log = dir_ + "/log";
    if (!freopen(log.c_str(), "a", stderr) || !freopen(log.c_str(), "a", stdout)) _exit(126);
    std::vector<char*> argv;
    for (const auto& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    execv(binary_.c_str(), argv.data());
    _exit(127);
  }

 private:
  void make_pair(const std::string& name) const {
    const auto validity = net::Validity::days(real_clock().wall_now(), 2);
    const auto ca = net::make_ca(name + " CA", validity).value();
    net::CertRequest request;
    request.common_name = name;
    request.ip_addresses = {"127.0.0.1"};
    request.server = request.client = true;
    const auto pair = net::issue(ca, request, validity).value();
    const TlsFiles files = client_files(name);
    REQUIRE(net::write_private_file(files.ca, ca.cert_pem).ok());
    REQUIRE(net::write_private_file(files.cert, pair.cert_pem).ok());
    REQUIRE(net::write_private_file(files.key, pair.key_pem).ok());
  }

  std::string binary_, dir_;
  int client_port_, peer_port_;
  bool tls_;
  pid_t pid_ = 0;
};

class LiveWorld final : public AsioWorld {
 public:
  explicit LiveWorld(std::vector<std::string> endpoints, Duration timeout = 10s,
                     const TlsFiles& tls = {}) {
    open(make_etcd_store(executor,
                         {.endpoints = std::move(endpoints), .timeout = timeout, .tls = tls}));
  }
};

void conforms(const std::string& binary) {
  StoreServer server(binary);
  LiveWorld world({server.endpoint()});
  store_conformance(world);
}

TEST_CASE("stock etcd conforms") {
  const std::string etcd = find_in_path("etcd");
  if (etcd.empty()) {
    WARN("no etcd in PATH: not run");
    return;
  }
  conforms(etcd);
}

TEST_CASE("our kvstore conforms") {
  const char* kvstore = std::getenv("CORACLE_KVSTORE");
  if (!kvstore || access(kvstore, X_OK) != 0) {
    WARN("CORACLE_KVSTORE names no program: not run");
    return;
  }
  conforms(kvstore);
}

TEST_CASE("a dead endpoint is passed over, a lost server ends watches, a new one is found") {
  const std::string etcd = find_in_path("etcd");
  if (etcd.empty()) {
    WARN("no etcd in PATH: not run");
    return;
  }
  StoreServer server(etcd);
  LiveWorld world({"127.0.0.1:" + std::to_string(free_port()), "http://" + server.endpoint()});
  const auto first = world.put("/a", "1", 0);
  for (int i = 0; i < 5; ++i) CHECK(world.range({.key = "/a"}).kvs.size() == 1);
  WatchLog log;
  log.open(world.store(), {.key = "/", .range_end = "0", .start_revision = first.revision});
  REQUIRE(world.run_until([&] { return log.events.size() == 1; }, 10s));
  server.kill_now();
  REQUIRE(world.run_until([&] { return log.ended.has_value(); }, 10s));
  CHECK(log.ended->code() == Code::kUnavailable);
  server.start();
  CHECK(world.range({.key = "/a"}).kvs.at(0).value == "1");
  CHECK(world.put("/a", "2", first.revision).succeeded);
  WatchLog again;
  again.open(world.store(), {.key = "/", .range_end = "0", .start_revision = log.revision + 1});
  REQUIRE(world.run_until([&] { return again.events.size() == 1; }, 10s));
  CHECK(again.events[0].kv.value == "2");
}

TEST_CASE("mutual TLS: who shows a certificate of the right CA is served, others are not") {
  std::string binary = find_in_path("etcd");
  const char* ours = std::getenv("CORACLE_KVSTORE");
  if (ours && access(ours, X_OK) == 0) binary = ours;
  if (binary.empty()) {
    WARN("no etcd in PATH: not run");
    return;
  }
  StoreServer server(binary, true);
  const std::vector<std::string> endpoints = {"https://" + server.endpoint()};
  const TlsFiles good = server.client_files("good"), other = server.client_files("other");
  {
    LiveWorld world(endpoints, 10s, good);
    CHECK(world.put("/a", "1", 0).succeeded);
    CHECK(world.range({.key = "/a"}).kvs.size() == 1);
  }
  struct Row {
    std::string name;
    TlsFiles files;
    std::string scheme;
  };
  const Row rows[] = {{"another CA's certificate", {other.cert, other.key, good.ca}, "https://"},
                      {"no certificate", {"", "", good.ca}, "https://"},
                      {"the server is not trusted", {good.cert, good.key, other.ca}, "https://"},
                      {"plain text", {}, "http://"}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    LiveWorld world({row.scheme + server.endpoint()}, 700ms, row.files);
    auto answer = world.get(world.store().range({.key = "/a"}));
    CHECK(answer.status().code() == Code::kUnavailable);
  }
}

TEST_CASE("more watches than one stream carries all hear of a change") {
  const std::string etcd = find_in_path("etcd");
  if (etcd.empty()) {
    WARN("no etcd in PATH: not run");
    return;
  }
  StoreServer server(etcd);
  LiveWorld world({server.endpoint()});
  const auto start = world.put("/a", "1", 0).revision;
  std::vector<std::unique_ptr<WatchLog>> logs;
  for (int i = 0; i < kWatchesPerStream + 20; ++i) {
    logs.push_back(std::make_unique<WatchLog>());
    logs.back()->open(world.store(), {.key = "/a", .start_revision = start});
  }
  const auto all_heard = [&] {
    for (const auto& log : logs) {
      if (log->events.size() != 1) return false;
    }
    return true;
  };
  CHECK(world.run_until(all_heard, 20s));
}

TEST_CASE("no store: every call says so within its time-out, and closing does not hang") {
  LiveWorld world({"127.0.0.1:" + std::to_string(free_port())}, 300ms);
  const TimePoint start = world.executor.now();
  auto write = world.get(world.store().write({.key = "/a"}));
  CHECK(write.status().code() == Code::kUnavailable);
  CHECK(world.executor.now() - start < 5s);
  WatchLog log;
  log.open(world.store(), {.key = "/a"});
  REQUIRE(world.run_until([&] { return log.ended.has_value(); }, 5s));
  CHECK(log.ended->code() == Code::kUnavailable);
}

TEST_CASE("endpoints that cannot be") {
  net::AsioExecutor executor;
  const auto refused = [&](std::vector<std::string> endpoints) {
    return make_etcd_store(executor, {.endpoints = std::move(endpoints)}).status().message();
  };
  CHECK(refused({}) == "no endpoints of the store are given");
  CHECK(refused({"nonsense"}) == "endpoint \"nonsense\" is not host:port");
  CHECK(refused({"127.0.0.1:99999"}) == "endpoint \"127.0.0.1:99999\" is not host:port");
  CHECK(refused({"https://a"}) == "endpoint \"https://a\" is not host:port");
}

}  // namespace
}  // namespace coracle::client
