#include "client/events.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow{10000s};
const WallTime kWall{1767225600s};

EventInput input(const std::string& message, const std::string& pod = "web") {
  EventInput in;
  in.regarding = {{"kind", "Pod"}, {"namespace", "default"}, {"name", pod}, {"uid", "u-" + pod}};
  in.type = "Warning";
  in.reason = "BackOff";
  in.message = message;
  return in;
}

TEST_CASE("the first is an Event, a repetition raises its count") {
  EventCorrelator correlator({"kubelet", "node-1"});
  const auto first = correlator.correlate(input("again"), kNow, kWall);
  REQUIRE(first.has_value());
  CHECK_FALSE(first->is_patch);
  CHECK(first->name == "web.18867251edfa0000");
  CHECK(to_json(correlator.whole_of(*first)) ==
        R"({"kind":"Event","apiVersion":"v1",)"
        R"("metadata":{"name":"web.18867251edfa0000","namespace":"default"},)"
        R"("involvedObject":{"kind":"Pod","namespace":"default","name":"web","uid":"u-web"},)"
        R"("reason":"BackOff","message":"again",)"
        R"("source":{"component":"kubelet","host":"node-1"},)"
        R"("firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z",)"
        R"("count":1,"type":"Warning","eventTime":null,)"
        R"("reportingComponent":"kubelet","reportingInstance":"node-1"})");
  const auto second = correlator.correlate(input("again"), kNow + 5s, kWall + 5s);
  REQUIRE(second.has_value());
  CHECK(second->is_patch);
  CHECK(second->name == first->name);
  CHECK(to_json(EventCorrelator::patch_of(*second)) ==
        R"({"count":2,"lastTimestamp":"2026-01-01T00:00:05Z","message":"again"})");
  const auto other = correlator.correlate(input("again", "db"), kNow, kWall);
  CHECK_FALSE(other->is_patch);
}

TEST_CASE("the tenth different message within ten minutes is combined, and so on") {
  EventCorrelator correlator({"c", ""});
  std::optional<EventWrite> write;
  for (int i = 1; i <= 9; ++i) {
    write = correlator.correlate(input("m" + std::to_string(i)), kNow, kWall);
    REQUIRE(write.has_value());
    CHECK_FALSE(write->is_patch);
  }
  write = correlator.correlate(input("m10"), kNow, kWall);
  CHECK_FALSE(write->is_patch);
  CHECK(write->input.message == "(combined from similar events): m10");
  write = correlator.correlate(input("m11"), kNow, kWall);
  CHECK(write->is_patch);
  CHECK(write->count == 2);
  write = correlator.correlate(input("m12"), kNow + 11min, kWall + 11min);
  CHECK(write->input.message == "m12");
}

TEST_CASE("25 at once for an object, then one each five minutes") {
  EventCorrelator correlator({"c", ""});
  for (int i = 0; i < 25; ++i) REQUIRE(correlator.correlate(input("m"), kNow, kWall).has_value());
  CHECK_FALSE(correlator.correlate(input("m"), kNow, kWall).has_value());
  CHECK(correlator.correlate(input("m", "other"), kNow, kWall).has_value());
  CHECK_FALSE(correlator.correlate(input("m"), kNow + 299s, kWall).has_value());
  CHECK(correlator.correlate(input("m"), kNow + 301s, kWall).has_value());
}

TEST_CASE("of more objects than are remembered the oldest are forgotten, not the newest") {
  EventCorrelator correlator({"kubelet", "node-1"});
  const auto name = [](size_t i) { return "pod-" + std::to_string(i); };
  for (size_t i = 0; i <= kEventCacheMax; ++i) {
    const Duration later = 1us * static_cast<int>(i);
    REQUIRE_FALSE(correlator.correlate(input("m", name(i)), kNow + later, kWall)->is_patch);
  }
  CHECK(correlator.correlate(input("m", name(kEventCacheMax)), kNow + 1s, kWall)->is_patch);
  CHECK(correlator.correlate(input("m", name(kEventCacheMax / 2)), kNow + 1s, kWall)->is_patch);
  CHECK_FALSE(correlator.correlate(input("m", name(0)), kNow + 1s, kWall)->is_patch);
}

TEST_CASE("a long message is cut at a character") {
  EventCorrelator correlator({"c", ""});
  std::string text(1023, 'x');
  const auto write = correlator.correlate(input(text + "\xc3\xa9"), kNow, kWall);
  CHECK(write->input.message == text);
}

json::value pod_object() {
  return *parse_json(R"({"kind":"Pod","apiVersion":"v1",)"
                     R"("metadata":{"name":"web","namespace":"shop","uid":"u1"}})");
}

TEST_CASE("the recorder sends one at a time; an Event that expired is told anew") {
  ManualExecutor executor;
  FakeApi api(executor);
  EventRecorder recorder(executor, api, {"scheduler", ""});
  recorder.normal(pod_object(), "Scheduled", "to node-1");
  recorder.normal(pod_object(), "Scheduled", "to node-1");
  auto post = api.expect("POST", "/api/v1/namespaces/shop/events");
  CHECK(get_string(post.body(), "involvedObject.uid") == "u1");
  CHECK(api.idle());
  const std::string name(get_string(post.body(), "metadata.name"));
  post.reply(201, post.request.body);
  executor.run_ready();
  auto patch = api.expect("PATCH", "/api/v1/namespaces/shop/events/" + name);
  CHECK(get_int(patch.body(), "count") == 2);
  patch.fail(404, "NotFound");
  executor.run_ready();
  auto again = api.expect("POST", "/api/v1/namespaces/shop/events");
  CHECK(get_int(again.body(), "count") == 2);
  again.reply(201, again.request.body);
  executor.run_ready();
  CHECK(recorder.waiting() == 0);
  CHECK(recorder.dropped() == 0);
}

TEST_CASE("several are under way at a time, but never two of one Event") {
  ManualExecutor executor;
  FakeApi api(executor);
  Metrics metrics;
  Counter& dropped = metrics.counter("dropped_total", "");
  EventRecorder recorder(executor, api, {"scheduler", ""},
                         {.waiting_max = 3, .in_flight_max = 2, .dropped = &dropped});
  recorder.record(input("m", "a"));
  executor.run_ready();
  auto first = api.expect("POST", "/api/v1/namespaces/default/events");
  recorder.record(input("m", "a"));
  recorder.record(input("m", "b"));
  executor.run_ready();
  CHECK(api.idle());  // the repetition waits for the first, and "b" behind it
  CHECK(recorder.waiting() == 2);
  first.reply(201, first.body());
  executor.run_ready();
  auto patch = api.next_call();
  CHECK(patch.request.method == "PATCH");
  auto other = api.next_call();
  CHECK(get_string(other.body(), "involvedObject.name") == "b");
  for (const char* pod : {"c", "d", "e", "f"}) recorder.record(input("m", pod));
  executor.run_ready();
  CHECK(api.idle());
  CHECK(recorder.waiting() == 3);
  CHECK(dropped.value() == 1);
  patch.reply(200, "{}");
  other.reply(201, other.body());
  for (executor.run_ready(); !api.idle(); executor.run_ready()) api.next_call().reply(201, "{}");
  CHECK(recorder.waiting() == 0);
}

TEST_CASE("no answer is tried again later, a refusal is not; the queue drops its oldest") {
  ManualExecutor executor;
  FakeApi api(executor);
  EventRecorder recorder(executor, api, {"scheduler", ""});
  recorder.record(input("first"));
  api.expect("POST", "/api/v1/namespaces/default/events").lose(unavailable("EOF"));
  executor.run_ready();
  CHECK(api.idle());
  executor.advance(10s);
  api.expect("POST", "/api/v1/namespaces/default/events").fail(403, "Forbidden");
  executor.run_ready();
  executor.advance(1min);
  CHECK(api.idle());
  CHECK(recorder.dropped() == 1);
  for (size_t i = 0; i < kEventQueueMax + 6; ++i) {
    recorder.record(input("m", "pod-" + std::to_string(i)));
  }
  CHECK(recorder.waiting() == kEventQueueMax);
  CHECK(recorder.dropped() == 7);
  auto oldest = api.next_call();
  CHECK(get_string(oldest.body(), "involvedObject.name") == "pod-6");
  // A task whose answer never comes would never end: answer them all.
  oldest.reply(201, oldest.body());
  for (executor.run_ready(); !api.idle(); executor.run_ready()) api.next_call().reply(201, "{}");
  CHECK(recorder.waiting() == 0);
}

}  // namespace
}  // namespace coracle::client
