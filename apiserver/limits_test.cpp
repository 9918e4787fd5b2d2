// How long a request may take, health pages, and the way down.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::seconds;

TEST_CASE("a request that takes too long is answered 504, once") {
  ApiWorld w;
  w.store.set_reachable(false, seconds(200));
  struct Case {
    std::string name, query;
    int after_seconds;
  };
  const auto c = GENERATE(values<Case>({
      {"as the client wants", "?timeout=5s", 5},
      {"without a wish", "", 60},
      {"no longer than the server's", "?timeout=10m", 60},
      {"zero is no wish", "?timeout=0s", 60},
  }));
  CAPTURE(c.name);
  const auto answer = w.begin(w.request("POST", kMaps + c.query, a_config_map("x")));
  w.executor.advance(seconds(c.after_seconds - 1));
  CHECK_FALSE(answer->answered());
  w.executor.advance(seconds(2));
  REQUIRE(answer->status == 504);
  const json::value status = w.tree(answer);
  CHECK(get_string(status, "reason") == "Timeout");
  CHECK(get_string(status, "message") ==
        "Timeout: request did not complete within the allotted timeout");
  w.executor.advance(seconds(300));  // what comes of it later is dropped
}

TEST_CASE("a timeout that is none") {
  struct Case {
    std::string value, want;
  };
  const auto c = GENERATE(values<Case>({
      {"abc", "invalid timeout specified in the request URL - time: invalid duration \"abc\""},
      {"5", "invalid timeout specified in the request URL - time: missing unit in duration \"5\""},
  }));
  ApiWorld w;
  const auto answer = w.call("GET", "/api/v1/namespaces?timeout=" + c.value);
  CHECK(answer->status == 400);
  CHECK(get_string(w.tree(answer), "message") == c.want);
  // A watch has its own parameter.
  CHECK(w.call("GET", "/api/v1/namespaces?watch=1&timeout=" + c.value)->status == 200);
}

TEST_CASE("watches outlive the time of requests") {
  ApiWorld w;
  const auto watch = w.call("GET", "/api/v1/namespaces?watch=1&timeoutSeconds=600");
  w.executor.advance(seconds(500));
  CHECK_FALSE(watch->ended);
}

TEST_CASE("health pages") {
  ApiWorld w;
  CHECK(w.call("GET", "/readyz")->body == "ok");
  CHECK(w.call("GET", "/livez/ping")->body == "ok");
  CHECK(w.call("GET", "/readyz/informer-sync")->status == 200);
  CHECK(w.call("GET", "/livez/informer-sync")->status == 404);
  CHECK(w.call("GET", "/healthz/poststarthook/rbac/bootstrap-roles")->body == "ok");
  CHECK(w.call("GET", "/livez?verbose")->body ==
        "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]poststarthook/rbac/bootstrap-roles ok\n"
        "[+]poststarthook/scheduling/bootstrap-system-priority-classes ok\n"
        "[+]poststarthook/priority-and-fairness-config-producer ok\nlivez check passed\n");
  CHECK_THAT(w.call("GET", "/readyz?verbose&exclude=etcd&exclude=nonsense")->body,
             Catch::Contains("[+]etcd excluded: ok\n") &&
                 Catch::Contains("warn: some health checks cannot be excluded: no matches for "
                                 "\"nonsense\"\nreadyz check passed\n"));
  CHECK(w.call("GET", "/readyzx")->status == 404);
}

TEST_CASE("without a store it is neither alive nor ready, and says so in time") {
  ApiWorld w;
  w.store.set_reachable(false, seconds(200));
  const auto answer = w.begin(w.request("GET", "/livez"));
  w.executor.advance(seconds(3));
  REQUIRE(answer->status == 500);
  CHECK_THAT(answer->body,
             Catch::StartsWith("[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n") &&
                 Catch::EndsWith("livez check failed\n"));
  const auto one = w.begin(w.request("GET", "/livez/etcd"));
  w.executor.advance(seconds(3));
  CHECK(one->body == "internal server error: the store does not answer\n");
  CHECK(w.begin(w.request("GET", "/livez/ping"))->body == "ok");
  CHECK(w.begin(w.request("GET", "/livez?exclude=etcd"))->status == 200);
}

TEST_CASE("on the way down it says so first, then watches end in order") {
  ApiWorld w;
  const auto watch = w.call("GET", "/api/v1/namespaces?watch=1");
  w.handler->begin_shutdown();
  const auto ready = w.call("GET", "/readyz");
  CHECK(ready->status == 500);
  CHECK_THAT(ready->body, Catch::Contains("[-]shutdown failed: reason withheld\n"));
  CHECK(w.call("GET", "/livez")->status == 200);
  CHECK(w.call("POST", kMaps, a_config_map("x"))->status == 201);
  CHECK_FALSE(watch->ended);
  w.handler->stop();
  CHECK(watch->ended);
  CHECK_FALSE(watch->aborted);
}

TEST_CASE("deadlines come in their order, and not for those that are done") {
  ManualExecutor executor;
  std::string seen;
  {
    Deadlines deadlines(executor);
    const auto at = [&](int s) { return executor.now() + seconds(s); };
    auto c = deadlines.watch(at(3), [&] { seen += 'c'; });
    auto a = deadlines.watch(at(1), [&] { seen += 'a'; });
    auto b = deadlines.watch(at(2), [&] { seen += 'b'; });
    auto moved = std::move(a);
    b.release();
    executor.advance(seconds(2));
    CHECK(seen == "a");
    auto d = deadlines.watch(at(5), [&] { seen += 'd'; });
    executor.advance(seconds(2));
    CHECK(seen == "ac");
  }
  executor.advance(seconds(10));
  CHECK(seen == "ac");
  CHECK(executor.pending_timers() == 0);
}

}  // namespace
}  // namespace coracle::apiserver
