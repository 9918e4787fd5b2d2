// ApiWorld: a whole apiserver over a MemoryStore on virtual time, for tests.
//
//   ApiWorld w;                                   // ready, namespace "a" with a service account
//   auto r = w.call("GET", "/api/v1/namespaces/a/pods/x");
//   CHECK(r->status == 404);
#pragma once

#include <memory>
#include <string>

#include "api/hooks/custom_rules.hpp"
#include "apiserver/api_handler.hpp"
#include "apiserver/testing/fake_exchange.hpp"
#include "base/manual_executor.hpp"
#include "client/memory_store.hpp"

namespace coracle::apiserver {

class ApiWorld {
 public:
  ManualExecutor executor{WallTime(std::chrono::seconds(1'790'000'000))};
  client::MemoryStore store{executor};
  client::Store* front = &store;          // what the next restart() is given
  std::shared_ptr<const AuditLog> audit;  // so is this
  AdmissionConfig admission;              // and this
  std::unique_ptr<ApiHandler> handler;

  explicit ApiWorld(BackendPort* backends = nullptr, RemotePort* remote = nullptr)
      : backends_(backends), remote_(remote) {
    RecentTrees::compare_each = true;
    restart();
    make_namespace("a");
  }
  ~ApiWorld() { handler->stop(); }

  // Another apiserver in its place, on the same store.
  void restart() {
    begin_restart();
    CHECK(executor.run_until([&] { return handler->ready(); }));
  }
  // It takes requests, and is not ready yet.
  void begin_restart() {
    ApiHandlerOptions options;
    options.backends = backends_;
    options.remote = remote_;
    options.audit = audit;
    options.custom_rules = api::check_custom_rules;
    options.services = *ServiceRanges::parse("127.96.0.0/12", "30000-32767");
    options.seed = ++seed_;
    options.admission = admission;
    if (handler) handler->stop();
    handler = std::make_unique<ApiHandler>(executor, *front, api::Catalog::builtin(),
                                           api::builtin_hooks(), std::move(options));
    handler->authenticator().add(
        *Authenticator::static_tokens("good,kit,kit,\"dev,system:masters\"\n"));
    handler->start();
  }

  void make_namespace(const std::string& name) {
    CHECK(call("POST", "/api/v1/namespaces", R"({"metadata":{"name":")" + name + "\"}}")->status ==
          201);
    CHECK(call("POST", "/api/v1/namespaces/" + name + "/serviceaccounts",
               R"({"metadata":{"name":"default"}})")
              ->status == 201);
  }

  net::Request request(const std::string& method, const std::string& target, std::string body = {},
                       net::Headers headers = {}) {
    net::Request out;
    out.method = method;
    out.target = target;
    const size_t mark = target.find('?');
    out.path = target.substr(0, mark);
    if (mark != std::string::npos) out.query = net::Query::parse(target.substr(mark + 1));
    out.headers = std::move(headers);
    out.body = std::move(body);
    out.peer.has_cert = out.peer.cert_trusted = true;
    out.peer.cert_cn = "admin";
    out.peer.cert_orgs = {"system:masters"};
    return out;
  }
  std::shared_ptr<FakeExchange> begin(net::Request request) {
    auto exchange = std::make_shared<FakeExchange>();
    handler->handle(std::move(request), exchange);
    return exchange;
  }
  // Until it is answered, or a stream has begun.
  std::shared_ptr<FakeExchange> call(const std::string& method, const std::string& target,
                                     std::string body = {}, net::Headers headers = {}) {
    auto exchange = begin(request(method, target, std::move(body), std::move(headers)));
    CHECK(executor.run_until([&] { return exchange->answered(); }));
    return exchange;
  }
  std::shared_ptr<FakeExchange> patch(const std::string& type, const std::string& target,
                                      std::string body) {
    return call("PATCH", target, std::move(body), {{"Content-Type", "application/" + type}});
  }
  json::value get(const std::string& target) { return tree(call("GET", target)); }
  static json::value tree(const std::shared_ptr<FakeExchange>& exchange) {
    return *parse_json(exchange->body);
  }
  void settle() { executor.advance(std::chrono::milliseconds(20)); }

 private:
  BackendPort* const backends_;
  RemotePort* const remote_;
  std::uint64_t seed_ = 0;
};

inline std::string a_pod(const std::string& name, const std::string& more = "") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + "\"" + more +
         R"(},"spec":{"containers":[{"name":"c","image":"nginx"}]}})";
}
inline std::string a_config_map(const std::string& name, const std::string& data = "{}") {
  return R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name +
         "\"},\"data\":" + data + "}";
}
inline constexpr const char* kPods = "/api/v1/namespaces/a/pods";
inline constexpr const char* kMaps = "/api/v1/namespaces/a/configmaps";

}  // namespace coracle::apiserver
