#include "runner/runner.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

using namespace coracle;
using namespace coracle::controllers;
using namespace std::chrono_literals;

namespace {

// Wants two pods for each ConfigMap.
class TwoPods final : public Controller {
 public:
  std::string_view name() const override { return "two-pods"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kConfigMaps, gvr::kPods}; }
  void touched(const World&, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override {
    if (gvr == gvr::kConfigMaps) return enqueue(client::object_key(after ? *after : *before));
    enqueue("ns/c");
  }
  Plan reconcile(const World& world, const std::string& key, Instant) const override {
    Plan plan;
    const auto [ns, name] = split_key(key);
    const auto map = world.get(gvr::kConfigMaps, ns, name);
    if (!map) return plan;
    plan.about = map;
    for (size_t i = world.of(gvr::kPods).size(); i < 2; ++i) {
      json::value pod = *parse_json(
          R"({"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"p-","namespace":"ns"}})");
      Write& write = plan.create(gvr::kPods, std::move(pod));
      write.done_reason = "Made";
      write.done_message = "Made {name}";
      write.failed_reason = "NotMade";
      write.failed_message = "Error: ";
    }
    plan.if_failed = [map](const Write& failed, const std::string& why) {
      json::value changed = *map;
      set_path(changed, "status.why", json::value(failed.gvr.plural + ": " + why));
      return std::optional(Plan().update_status(gvr::kConfigMaps, std::move(changed)));
    };
    return plan;
  }
};

json::value object(const std::string& kind, const std::string& name, int version) {
  json::value v = json::object();
  set_path(v, "apiVersion", json::value("v1"));
  set_path(v, "kind", json::value(kind));
  set_path(v, "metadata.name", json::value(name));
  set_path(v, "metadata.namespace", json::value("ns"));
  set_path(v, "metadata.uid", json::value("u-" + name));
  set_path(v, "metadata.resourceVersion", json::value(std::to_string(version)));
  return v;
}

struct Bench {
  Bench() {
    runner =
        std::make_unique<Runner>(executor, api, informers, std::make_unique<TwoPods>(), metrics);
    for (const auto& gvr : runner->controller().watched()) informers.get(gvr);
    informers.start();
    executor.run_ready();
    for (const auto& stream : api.open_streams()) {
      const bool pods = stream->request.target.find("/pods") != std::string::npos;
      api.head(*stream);
      if (!pods) api.event(*stream, "ADDED", object("ConfigMap", "c", 5));
      json::value mark = object(pods ? "Pod" : "ConfigMap", "", 10);
      make_object(mark, "metadata.annotations")["k8s.io/initial-events-end"] = "true";
      api.event(*stream, "BOOKMARK", mark);
      if (pods) pod_stream = stream;
    }
    executor.run_ready();
    REQUIRE(informers.has_synced());
    runner->start();
    executor.run_ready();
  }
  // A task whose answer never comes would never end: answer what is left.
  ~Bench() {
    runner->stop();
    for (const auto& call : taken) call.fail(500, "InternalError");
    for (executor.run_ready(); !api.idle(); executor.run_ready()) {
      api.next_call().fail(500, "InternalError");
    }
  }
  // The waiting calls that are not about events.
  std::vector<client::FakeApi::Call> writes() {
    std::vector<client::FakeApi::Call> calls;
    executor.run_ready();
    while (!api.idle()) {
      client::FakeApi::Call call = api.next_call();
      if (call.request.target.find("/events") != std::string::npos) {
        told.emplace_back(get_string(call.body(), "message"));
        call.reply(201, call.body());
        executor.run_ready();
      } else {
        calls.push_back(std::move(call));
      }
    }
    return calls;
  }

  ManualExecutor executor;
  client::FakeApi api{executor};
  Metrics metrics;
  SharedInformers informers{executor, api, Rng(1)};
  std::unique_ptr<Runner> runner;
  std::shared_ptr<client::FakeApi::Stream> pod_stream;
  std::vector<std::string> told;
  std::vector<client::FakeApi::Call> taken;  // by writes(), and not answered
};

}  // namespace

TEST_CASE("a key rests until its own writes are visible") {
  Bench b;
  auto calls = b.writes();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].request.target == "/api/v1/namespaces/ns/pods");
  calls[0].reply(201, object("Pod", "p-1", 11));
  calls[1].reply(201, object("Pod", "p-2", 12));
  CHECK(b.writes().empty());
  CHECK(b.told == std::vector<std::string>{"Made p-1", "Made p-2"});

  // The cache shows one of them: an impatient controller would make a third.
  b.api.event(*b.pod_stream, "ADDED", object("Pod", "p-1", 11));
  CHECK(b.writes().empty());
  b.executor.advance(5s);
  CHECK(b.writes().empty());
  b.api.event(*b.pod_stream, "ADDED", object("Pod", "p-2", 12));
  CHECK(b.writes().empty());
  // One goes: now another is made.
  b.api.event(*b.pod_stream, "DELETED", object("Pod", "p-2", 13));
  b.taken = b.writes();
  CHECK(b.taken.size() == 1);
}

TEST_CASE("a failed write is told and tried again") {
  Bench b;
  auto calls = b.writes();
  REQUIRE(calls.size() == 2);
  calls[0].reply(201, object("Pod", "p-1", 11));
  calls[1].fail(403, "Forbidden", "quota");
  auto answer = b.writes();
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].request.target == "/api/v1/namespaces/ns/configmaps/c/status");
  CHECK(answer[0].request.body.find("pods: quota") != std::string::npos);
  answer[0].reply(200, object("ConfigMap", "c", 5));
  CHECK(b.writes().empty());
  CHECK(b.told == std::vector<std::string>{"Made p-1", "Error: quota"});
  b.executor.advance(1s);  // tried again, but the first one is not visible yet
  CHECK(b.writes().empty());
  b.api.event(*b.pod_stream, "ADDED", object("Pod", "p-1", 11));
  b.taken = b.writes();
  CHECK(b.taken.size() == 1);
}

TEST_CASE("after stop() nothing is written") {
  Bench b;
  auto calls = b.writes();
  b.runner->stop();
  calls[0].reply(201, object("Pod", "p-1", 11));
  calls[1].fail(500, "InternalError");
  b.executor.advance(60s);
  CHECK(b.writes().empty());
}
