#include "client/https_api.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "client/resource_watch.hpp"
#include "net/asio_executor.hpp"
#include "net/pki.hpp"
#include "net/server.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

struct World {
  World() {
    const auto validity = net::Validity::days(executor.wall_now(), 1);
    ca = *net::make_ca("ca", validity);
    server_pair = *net::issue(
        ca, {.common_name = "kube", .ip_addresses = {"127.0.0.1"}, .server = true}, validity);
    client_pair = *net::issue(ca, {.common_name = "admin", .client = true}, validity);
  }
  std::unique_ptr<net::Server> serve(const std::string& name) {
    net::Server::Options options;
    options.tls = net::TlsConfig{server_pair.cert_pem, server_pair.key_pem, ca.cert_pem};
    auto server = net::Server::listen(
        executor, options, [this, name](net::Request request, std::shared_ptr<net::Exchange> e) {
          seen.push_back(name + " " + request.method + " " + request.target +
                         " cn=" + request.peer.cert_cn +
                         " auth=" + std::string(request.headers.get("Authorization")) +
                         " as=" + std::string(request.headers.get("Impersonate-User")) +
                         " body=" + request.body);
          if (request.query.has("watch")) {
            e->begin_stream(200, {{"Content-Type", "application/json"}});
            e->write(
                net::make_bytes("{\"type\":\"ADDED\",\"object\":{\"from\":\"" + name + "\"}}\n"));
            streams.push_back(e);
            return;
          }
          e->respond(net::make_response(request.method == "DELETE" ? 404 : 200,
                                        "{\"from\":\"" + name + "\"}", "application/json"));
        });
    REQUIRE(server.ok());
    return std::move(*server);
  }
  static std::string url(const net::Server& server) {
    return "https://127.0.0.1:" + std::to_string(server.port());
  }
  std::unique_ptr<Api> api(ClientConfig config) {
    config.ca_pem = ca.cert_pem;
    auto made = make_https_api(executor, {.config = std::move(config)});
    INFO(made.status().to_string());
    REQUIRE(made.ok());
    return std::move(*made);
  }
  std::string from(Api& api, ApiRequest request = {.target = "/x"}) {
    auto answer = net::block_on(executor, api.call(std::move(request)));
    INFO(answer.status().to_string());
    REQUIRE(answer.ok());
    return std::string(get_string(*parse_json(answer->body), "from"));
  }

  net::AsioExecutor executor;
  net::KeyPair ca, server_pair, client_pair;
  Lines seen;
  std::vector<std::shared_ptr<net::Exchange>> streams;
};

TEST_CASE("a call carries credentials and comes back whole, an error answer too") {
  World w;
  auto server = w.serve("s");
  auto api = w.api({.servers = {World::url(*server)},
                    .cert_pem = w.client_pair.cert_pem,
                    .key_pem = w.client_pair.key_pem,
                    .token = "secret",
                    .impersonate_user = "jane"});
  auto answer = net::block_on(
      w.executor, api->call({.method = "DELETE", .target = "/api/v1/pods/a", .body = "{}"}));
  REQUIRE(answer.ok());
  CHECK(answer->status == 404);
  CHECK(answer->body == "{\"from\":\"s\"}");
  CHECK(w.seen == Lines{"s DELETE /api/v1/pods/a cn=admin auth=Bearer secret as=jane body={}"});
  bool typed = false;
  for (const auto& [name, value] : answer->headers) {
    typed |= name == "content-type" && value == "application/json";
  }
  CHECK(typed);
}

TEST_CASE("a server that is gone is left for the next, for any method, and remembered") {
  World w;
  auto first = w.serve("one"), second = w.serve("two");
  auto api = w.api({.servers = {World::url(*first), World::url(*second)}});
  CHECK(w.from(*api) == "one");
  first.reset();
  CHECK(w.from(*api, {.method = "GET", .target = "/x"}) == "two");
  CHECK(w.from(*api, {.method = "POST", .target = "/x", .body = "{}"}) == "two");
  second.reset();
  auto answer = net::block_on(w.executor, api->call({.target = "/x"}));
  CHECK(answer.status().code() == Code::kUnavailable);
}

TEST_CASE("a POST that may have arrived is not sent elsewhere") {
  World w;
  net::Server::Options options;
  options.tls = net::TlsConfig{w.server_pair.cert_pem, w.server_pair.key_pem, ""};
  int posts = 0;
  auto breaking =
      net::Server::listen(w.executor, options, [&](net::Request, std::shared_ptr<net::Exchange> e) {
        ++posts;
        e->abort();
      });
  REQUIRE(breaking.ok());
  auto second = w.serve("two");
  auto api = w.api({.servers = {World::url(**breaking), World::url(*second)}});
  auto answer =
      net::block_on(w.executor, api->call({.method = "POST", .target = "/x", .body = "{}"}));
  CHECK_FALSE(answer.ok());
  CHECK(posts == 1);
  CHECK(w.seen.empty());
  CHECK(w.from(*api) == "two");
}

TEST_CASE("a watch streams, moves on when its server dies, and dropping it closes it") {
  World w;
  auto first = w.serve("one"), second = w.serve("two");
  auto api = w.api({.servers = {World::url(*first), World::url(*second)}});
  const ResourceClient pods(*api, {"", "v1", "pods"});
  Lines events;
  int ended = 0;
  ResourceWatchSink sink;
  sink.on_event = [&](ResourceEvent event) {
    events.emplace_back(get_string(*event.object, "from"));
  };
  sink.on_end = [&](std::optional<ApiError> error) {
    ++ended;
    CHECK(error.has_value());
  };
  auto watch = std::make_unique<ResourceWatch>(pods, ResourceWatchOptions{}, sink);
  w.executor.run_until([&] { return events.size() == 1; });
  first.reset();
  w.executor.run_until([&] { return ended == 1; });
  watch = std::make_unique<ResourceWatch>(pods, ResourceWatchOptions{}, sink);
  w.executor.run_until([&] { return events.size() == 2; });
  CHECK(events == Lines{"one", "two"});
  bool closed = false;
  w.streams.back()->on_close([&] { closed = true; });
  watch.reset();
  w.executor.run_until([&] { return closed; });
  CHECK(ended == 1);
}

TEST_CASE("a token file is read again after a minute at most, and wins over the token") {
  World w;
  const auto path = std::filesystem::temp_directory_path() /
                    ("coracle-token-" + std::to_string(reinterpret_cast<std::uintptr_t>(&w)));
  std::ofstream(path) << "from-file\n";
  auto server = w.serve("s");
  auto api =
      w.api({.servers = {World::url(*server)}, .token = "given", .token_file = path.string()});
  w.from(*api);
  std::filesystem::remove(path);
  REQUIRE(w.seen.size() == 1);
  CHECK(w.seen[0] == "s GET /x cn= auth=Bearer from-file as= body=");
}

TEST_CASE("an unknown authority is refused; what cannot be a server is said at once") {
  World w;
  auto server = w.serve("s");
  const auto other = *net::make_ca("other", net::Validity::days(w.executor.wall_now(), 1));
  auto made = make_https_api(
      w.executor, {.config = {.servers = {World::url(*server)}, .ca_pem = other.cert_pem}});
  REQUIRE(made.ok());
  auto answer = net::block_on(w.executor, (*made)->call({.target = "/x"}));
  CHECK(answer.status().code() == Code::kUnavailable);
  CHECK(answer.status().message().find("certificate signed by unknown authority") !=
        std::string::npos);
  CHECK_FALSE(make_https_api(w.executor, {.config = {.servers = {"ftp://x"}}}).ok());
  CHECK(make_https_api(w.executor, {}).status().message() == "no server is given");
}

TEST_CASE("another certificate: later requests show it, streams end and may begin again") {
  World world;
  const auto server = world.serve("one");
  ClientConfig config{.servers = {World::url(*server)}};
  config.ca_pem = world.ca.cert_pem;
  config.cert_pem = world.client_pair.cert_pem;
  config.key_pem = world.client_pair.key_pem;
  auto api = *make_https_api(world.executor, {.config = config});
  CHECK(net::block_on(world.executor, api->call({.target = "/x"})).ok());
  bool began = false, ended = false;
  auto stream =
      api->stream({.target = "/x?watch=1"}, {.on_head = [&](const ApiResponse&) { began = true; },
                                             .on_data = [](std::string_view) {},
                                             .on_end = [&](const Status&) { ended = true; }});
  world.executor.run_until([&] { return began; });
  CHECK_FALSE(api->change_certificate("no", "certificate").ok());
  const auto other = *net::issue(world.ca, {.common_name = "renewed", .client = true},
                                 net::Validity::days(world.executor.wall_now(), 1));
  REQUIRE(api->change_certificate(other.cert_pem, other.key_pem).ok());
  world.executor.run_until([&] { return ended; });
  CHECK(net::block_on(world.executor, api->call({.target = "/y"})).ok());
  CHECK(world.seen.front().find("cn=admin") != std::string::npos);
  CHECK(world.seen.back().find("cn=renewed") != std::string::npos);
}

}  // namespace
}  // namespace coracle::client
