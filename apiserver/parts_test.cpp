// The smaller parts by themselves: paths, compaction, tokens, logs, records.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string told(const std::string& method, const std::string& target) {
  net::Request request;
  request.method = method;
  request.path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) {
    request.query = net::Query::parse(target.substr(target.find('?') + 1));
  }
  const RequestInfo info = parse_request_info(request);
  if (!info.is_resource) return info.verb + " path " + info.path;
  return info.verb + " " + info.group + "/" + info.version + " " + info.ns + ":" + info.resource +
         "/" + info.name + "/" + info.subresource + info.rest;
}

TEST_CASE("paths are read as upstream reads them") {
  struct Case {
    std::string method, target, want;
  };
  const auto c = GENERATE(values<Case>({
      {"GET", "/api/v1/pods", "list /v1 :pods//"},
      {"GET", "/api/v1/pods/", "list /v1 :pods//"},
      {"GET", "/api/v1/namespaces/a/pods/x", "get /v1 a:pods/x/"},
      {"GET", "/api/v1/namespaces/a/pods?watch=True", "watch /v1 a:pods//"},
      {"GET", "/api/v1/namespaces/a/pods?watch=0", "list /v1 a:pods//"},
      {"GET", "/api/v1/watch/namespaces/a/pods/x", "watch /v1 a:pods/x/"},
      {"DELETE", "/apis/apps/v1/namespaces/a/deployments",
       "deletecollection apps/v1 a:deployments//"},
      {"PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale",
       "patch apps/v1 a:deployments/d/scale"},
      {"GET", "/api/v1/namespaces/a", "get /v1 a:namespaces/a/"},
      {"PUT", "/api/v1/namespaces/a/finalize", "update /v1 a:namespaces/a/finalize"},
      {"POST", "/api/v1/namespaces", "create /v1 :namespaces//"},
      {"GET", "/api/v1/nodes/n%2D1/proxy/a/b", "get /v1 :nodes/n-1/proxy/a/b"},
      {"GET", "/api/v1", "get path /api/v1"},
      {"GET", "/api//v1/pods", "get path /api//v1/pods"},
      {"GET", "/healthz", "get path /healthz"},
  }));
  CAPTURE(c.target);
  CHECK(told(c.method, c.target) == c.want);
}

TEST_CASE("the store is compacted to where it stood an interval ago") {
  ManualExecutor executor;
  client::MemoryStore store(executor);
  Compactor one(executor, store), other(executor, store);
  one.start();
  other.start();
  const auto readable = [&](std::int64_t revision) {
    std::optional<bool> ok;
    client::RangeRequest request;
    request.key = "k";
    request.revision = revision;
    spawn(store.range(request), std::function<void(Result<client::RangeResult>)>(
                                    [&](Result<client::RangeResult> r) { ok = r.ok(); }));
    CHECK(executor.run_until([&] { return ok.has_value(); }));
    return *ok;
  };
  const auto write = [&](int i) {
    client::GuardedWrite put;
    put.key = "key" + std::to_string(i);
    spawn(store.write(put), std::function<void(Result<client::GuardedResult>)>([](auto) {}));
    executor.run_ready();
  };
  for (int i = 0; i < 5; ++i) write(i);
  CHECK(readable(2));
  executor.advance(minutes(6));
  CHECK(readable(2));  // the first round only agrees on a mark
  executor.advance(minutes(10));
  CHECK_FALSE(readable(2));
}

TEST_CASE("an address whose service was never written is free again after a minute") {
  ApiWorld w;
  const std::string services = "/api/v1/namespaces/a/services";
  client::GuardedWrite left;
  left.key = "/registry/ranges/serviceips/127.96.1.1";
  left.value =
      R"({"namespace":"a","name":"lost","time":")" + format_time(w.executor.wall_now()) + "\"}";
  spawn(w.store.write(left), std::function<void(Result<client::GuardedResult>)>([](auto) {}));
  w.settle();
  const std::string body =
      R"({"metadata":{"name":"s"},"spec":{"clusterIP":"127.96.1.1","ports":[{"port":80}]}})";
  CHECK(w.call("POST", services, body)->status == 422);
  w.executor.advance(minutes(2));
  CHECK(w.call("POST", services, body)->status == 201);
}

}  // namespace
}  // namespace coracle::apiserver
