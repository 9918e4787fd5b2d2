// A RemotePort without a network: what is called is written down, and answered by what the test put
// there for the host.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "apiserver/remote/remote.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

class FakeRemote final : public RemotePort {
 public:
  // nullopt: it never answers by itself; the call waits in `waiting` for its timeout.
  using Answer = std::function<std::optional<Result<net::Response>>(const net::ClientRequest&)>;
  struct Call {
    RemoteServer server;
    net::ClientRequest request;
    json::value body() const { return *parse_json(request.body); }
  };
  std::map<std::string, Answer> servers;  // by host
  std::vector<Call> calls;

  explicit FakeRemote(std::function<Executor*()> executor) : executor_(std::move(executor)) {}

  Task<Result<net::Response>> call(RemoteServer server, net::ClientRequest request) override {
    calls.push_back({server, request});
    const auto known = servers.find(server.host);
    if (known == servers.end()) {
      co_return unavailable("dial tcp " + server.host + ":" + std::to_string(server.port) +
                            ": connect: connection refused");
    }
    auto answer = known->second(request);
    if (answer) co_return *std::move(answer);
    co_await sleep_on(*executor_(), request.timeout);
    co_return deadline_exceeded("context deadline exceeded (Client.Timeout exceeded)");
  }
  void pipe(RemoteServer server, net::ClientRequest request,
            std::shared_ptr<net::Exchange> exchange, Failed failed) override {
    calls.push_back({server, request});
    const auto known = servers.find(server.host);
    auto answer = known == servers.end() ? std::nullopt : known->second(request);
    exchange->respond(answer && answer->ok() ? **answer : failed(unavailable("refused")));
  }

 private:
  const std::function<Executor*()> executor_;
};

}  // namespace coracle::apiserver
