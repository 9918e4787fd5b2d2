#include "podmetrics/pod_metrics_feed.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;

namespace {

constexpr char kTarget[] = "/apis/metrics.k8s.io/v1beta1/pods";
constexpr char kList[] = R"({"kind":"PodMetricsList","items":[
  {"metadata":{"name":"a","namespace":"ns"},"timestamp":"2026-01-01T12:00:00Z","window":"15s",
   "containers":[{"name":"c","usage":{"cpu":"250m","memory":"1Mi"}},{"name":"d","usage":{"cpu":"1"}}]},
  {"metadata":{"name":"b","namespace":"ns"},"timestamp":"never","containers":[]}]})";

}  // namespace

TEST_CASE("the last answer is kept, until the next") {
  ManualExecutor executor;
  client::FakeApi api(executor);
  bool wanted = true;
  PodMetricsFeed feed(executor, api, [&] { return wanted; });
  CHECK_FALSE(feed.answered());
  feed.start();
  executor.run_ready();
  api.expect("GET", kTarget).reply(200, kList);
  executor.run_ready();
  CHECK(feed.answered());
  REQUIRE(feed.pods("ns").ok());
  const PodUsages usages = *feed.pods("ns");
  REQUIRE(usages.size() == 1);
  CHECK(usages.at("a").window == 15s);
  CHECK(usages.at("a").containers.at("c").at("cpu") == 250);
  CHECK(usages.at("a").containers.at("c").at("memory") == 1024LL * 1024 * 1000);
  CHECK(usages.at("a").containers.at("d").at("cpu") == 1000);
  CHECK(feed.pods("other")->empty());

  executor.advance(15s);
  api.expect("GET", kTarget)
      .fail(404, "NotFound", "the server could not find the requested resource");
  executor.run_ready();
  CHECK(feed.pods("ns").status().message() ==
        "the server could not find the requested resource (get pods.metrics.k8s.io)");

  wanted = false;  // nobody asks, so it does not
  executor.advance(60s);
  CHECK(api.idle());
  wanted = true;
  executor.advance(1s);
  auto late = api.expect("GET", kTarget);
  feed.stop();
  late.reply(200, kList);
  executor.advance(60s);
  CHECK(api.idle());
  CHECK_FALSE(feed.pods("ns").ok());
}

TEST_CASE("other metrics are asked for when somebody wants them, and as long as he does") {
  ManualExecutor executor;
  client::FakeApi api(executor);
  PodMetricsFeed feed(executor, api, [] { return true; });
  feed.start();
  executor.run_ready();
  api.expect("GET", kTarget).reply(200, kList);
  const MetricQuery rate{false, "namespaces/ns/pods/*/rate", "rate"};
  CHECK(!feed.values(rate));
  executor.run_ready();
  api.expect("GET", "/apis/custom.metrics.k8s.io")
      .reply(200, R"({"versions":[{"version":"v1beta1"},{"version":"v1beta2"}]})");
  executor.run_ready();
  api.expect("GET", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/rate")
      .reply(200, R"({"items":[{"describedObject":{"name":"a"},"timestamp":"2026-01-01T12:00:00Z",
                      "windowSeconds":30,"value":"250m"},{"value":"nonsense"}]})");
  executor.run_ready();
  REQUIRE(feed.values(rate));
  const MetricValues values = **feed.values(rate);
  REQUIRE(values.size() == 1);
  CHECK(values[0].object == "a");
  CHECK(values[0].milli == 250);
  CHECK(values[0].window == 30s);

  const MetricQuery queue{true, "namespaces/ns/queue", "queue"};
  CHECK(!feed.values(queue));
  executor.run_ready();
  api.expect("GET", "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue")
      .fail(404, "NotFound", "the server could not find the requested resource");
  executor.run_ready();
  CHECK(feed.values(queue)->status().message() ==
        "the server could not find the requested resource (get queue.external.metrics.k8s.io)");

  executor.advance(15s);  // both again
  api.expect("GET", kTarget).reply(200, kList);
  api.expect("GET", "/apis/custom.metrics.k8s.io")
      .fail(404, "NotFound", "the server could not find the requested resource");
  api.expect("GET", "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue")
      .reply(200, R"({"items":[{"metricName":"queue","value":"7"}]})");
  executor.run_ready();
  CHECK(feed.values(rate)->status().message() ==
        "no custom metrics API (custom.metrics.k8s.io) registered");
  CHECK((**feed.values(queue))[0].milli == 7000);
  feed.stop();
}
