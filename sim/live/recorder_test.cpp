#include <catch2/catch.hpp>

#include <sstream>

#include "live_sim/recorder.hpp"
#include "trace/trace_file.hpp"

namespace coracle::sim {
namespace {

using std::chrono::seconds;

json::value node(const std::string& ready, bool cordoned = false) {
  return *parse_json(R"({"metadata":{"name":"n1","labels":{"zone":"a"}},"spec":{"unschedulable":)" +
                     std::string(cordoned ? "true" : "false") +
                     R"(,"taints":[{"key":"gpu","effect":"NoSchedule"},{"key":)" +
                     R"("node.kubernetes.io/unreachable","effect":"NoExecute"}]},"status":)" +
                     R"({"allocatable":{"cpu":"4","pods":"110"},"conditions":[{"type":"Ready",)" +
                     R"("status":")" + ready + R"("}]}})");
}

json::value pod(const std::string& uid, const std::string& on, const std::string& status) {
  return *parse_json(R"({"metadata":{"name":"web","namespace":"team","uid":")" + uid +
                     R"(","labels":{"app":"web"}},"spec":{"nodeName":")" + on +
                     R"(","priority":10,"containers":[{"name":"c","image":"x","command":["a"],)" +
                     R"("resources":{"requests":{"cpu":"500m"}}}],"tolerations":[{"key":)" +
                     R"("node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",)" +
                     R"("tolerationSeconds":300}],"serviceAccountName":"default"},"status":)" +
                     status + "}");
}

std::string text_of(const Recorder& recorder) {
  std::ostringstream out;
  write_trace(recorder.finish("t", "", WallTime(seconds(1))), out);
  return out.str();
}

// What is written can be read: the rules between lines hold.
Trace read_back(const Recorder& recorder) {
  std::istringstream in(text_of(recorder));
  auto trace = read_trace(in, "t.jsonl");
  REQUIRE(trace.status().message() == "");
  return std::move(*trace);
}

TEST_CASE("a pod's life becomes one line") {
  Recorder recorder;
  const json::value ready = node("True");
  recorder.node(seconds(0), nullptr, &ready);
  const json::value waiting = pod("1", "", R"({"phase":"Pending"})");
  const json::value bound = pod("1", "n1", R"({"phase":"Pending"})");
  const json::value done = pod("1", "n1",
                               R"({"phase":"Failed","containerStatuses":[{"state":)"
                               R"({"terminated":{"startedAt":"2026-01-01T00:00:10Z",)"
                               R"("finishedAt":"2026-01-01T00:01:00Z"}}}]})");
  recorder.pod(seconds(2), nullptr, &waiting);
  recorder.pod(seconds(3), &waiting, &bound);
  recorder.pod(seconds(60), &bound, &done);
  recorder.pod(seconds(70), &done, nullptr);
  REQUIRE(text_of(recorder).find(
              R"({"kind":"pod","at":2,"namespace":"team","name":"web","requests":{"cpu":"500m"},)"
              R"("labels":{"app":"web"},"spec":{"priority":10},"lifetime":50,"fails":true,)"
              R"("until":70,"placedOn":"n1","placedAt":3})") != std::string::npos);
  read_back(recorder);
}

TEST_CASE("of what ran before the recording only the part in it counts") {
  Recorder recorder;
  const json::value runs = pod("1", "n1", R"({"phase":"Running"})");
  const json::value done = pod("1", "n1",
                               R"({"phase":"Succeeded","containerStatuses":[{"state":)"
                               R"({"terminated":{"startedAt":"2026-01-01T00:00:10Z",)"
                               R"("finishedAt":"2026-01-01T09:00:00Z"}}}]})");
  recorder.pod(seconds(0), nullptr, &runs);
  recorder.pod(seconds(30), &runs, &done);
  REQUIRE(std::get<TracePod>(read_back(recorder).events.at(0)).lifetime == seconds(30));
  Recorder late;
  late.pod(seconds(0), nullptr, &done);  // it was over
  late.pod(seconds(9), &done, nullptr);
  REQUIRE(late.pods() == 0);
}

TEST_CASE("a pod leaves when that is asked for, not when it is gone") {
  Recorder recorder;
  const json::value runs = pod("1", "n1", R"({"phase":"Running"})");
  json::value leaving = runs, ended = runs;
  set_path(leaving, "metadata.deletionTimestamp", json::value("2026-01-01T00:00:30Z"));
  ended = leaving;
  set_path(ended, "status.phase", json::value("Succeeded"));
  recorder.pod(seconds(5), nullptr, &runs);
  recorder.pod(seconds(40), &runs, &leaving);
  recorder.pod(seconds(60), &leaving, &ended);
  recorder.pod(seconds(70), &ended, nullptr);
  const Trace trace = read_back(recorder);
  const TracePod& row = std::get<TracePod>(trace.events.at(0));
  REQUIRE(row.until == seconds(40));
  REQUIRE_FALSE(row.lifetime);
}

TEST_CASE("a name used again is another pod") {
  Recorder recorder;
  const json::value first = pod("1", "", "{}"), second = pod("2", "", "{}");
  recorder.pod(seconds(1), nullptr, &first);
  recorder.pod(seconds(5), &first, &second);  // the deletion between them was missed
  const Trace trace = read_back(recorder);
  REQUIRE(trace.counts().pods == 2);
  REQUIRE(std::get<TracePod>(trace.events[0]).until == seconds(5));
}

TEST_CASE("what befalls nodes is told, what their controller does about it is not") {
  Recorder recorder;
  const json::value ready = node("True"), silent = node("Unknown"), cordoned = node("True", true);
  recorder.node(seconds(0), nullptr, &ready);
  recorder.node(seconds(10), &ready, &silent);
  recorder.node(seconds(11), &silent, &silent);
  recorder.node(seconds(20), &silent, &cordoned);
  recorder.node(seconds(30), &cordoned, nullptr);
  const Trace trace = read_back(recorder);
  REQUIRE(trace.events.size() == 5);
  REQUIRE(std::get<TraceNode>(trace.events[0]).taints.size() == 1);
  using Kind = TraceNodeEvent::Kind;
  const Kind kinds[] = {Kind::kFail, Kind::kRecover, Kind::kCordon, Kind::kRemove};
  for (size_t i = 0; i < 4; ++i) {
    REQUIRE(std::get<TraceNodeEvent>(trace.events[i + 1]).kind == kinds[i]);
  }
}

}  // namespace
}  // namespace coracle::sim
