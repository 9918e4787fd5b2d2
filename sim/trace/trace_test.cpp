#include <catch2/catch.hpp>
#include <sstream>

#include "trace/trace_file.hpp"

using namespace coracle;
using namespace coracle::sim;

namespace {

constexpr const char* kHeader = R"({"format":"coracle-trace/v1","name":"t"})"
                                "\n";
constexpr const char* kNode =
    R"({"kind":"node","at":0,"name":"n1","allocatable":{"cpu":"4","memory":"8Gi"}})"
    "\n";

std::string error_of(const std::string& text) {
  std::istringstream in(text);
  const Result<Trace> trace = read_trace(in, "t.jsonl");
  return trace.ok() ? "" : trace.status().message();
}

std::string pod(const std::string& rest) {
  return R"({"kind":"pod","at":10,"name":"p","requests":{"cpu":"1"})" + rest + "}\n";
}

}  // namespace

TEST_CASE("a trace is written and read again as it was") {
  Trace trace;
  trace.name = "day \"one\"";
  trace.source = "made";
  trace.begin = *parse_time("2026-11-21T06:00:00.5Z");
  TraceNode node;
  node.name = "n1";
  node.allocatable = {{"cpu", "64"}, {"lab.coracle.dev/gpu", "2"}};
  node.labels = {{"zone", "a"}};
  node.taints = {json::object{{"key", "a"}, {"effect", "NoSchedule"}}};
  TracePod pod;
  pod.at = std::chrono::microseconds(1'500'001);
  pod.ns = "team";
  pod.name = "p";
  pod.requests = {{"cpu", "500m"}};
  pod.annotations = {{"a", "b"}};
  pod.spec = {{"priority", 3}};
  pod.lifetime = std::chrono::seconds(86'400);
  pod.fails = true;
  pod.until = std::chrono::hours(24 * 149);
  pod.usage = {{"cpu", "100m"}};
  pod.placed_on = "n1";
  pod.placed_at = std::chrono::seconds(2);
  const TraceNodeEvent event{
      std::chrono::seconds(3), "n1", TraceNodeEvent::Kind::kResize, {{"cpu", "1"}}};
  const TraceUsage usage{std::chrono::seconds(4), "team/p", {{"cpu", "2"}}};
  trace.events = {node, pod, event, usage};
  REQUIRE(check_trace(trace).ok());

  std::stringstream text;
  write_trace(trace, text);
  const std::string first = text.str();
  const Result<Trace> again = read_trace(text, "t");
  REQUIRE(again.status() == Status());
  CHECK(again->counts() == TraceCounts{1, 1, 1, 1});
  CHECK(again->begin == trace.begin);
  std::stringstream second;
  write_trace(*again, second);
  CHECK(second.str() == first);
  CHECK(first.find(R"("at":1.500001,"namespace":"team")") != std::string::npos);
}

TEST_CASE("what is wrong with a trace is named with file, line and field") {
  struct Case {
    const char* name;
    std::string text, error;
  };
  const std::string usage = R"({"kind":"usage","at":12,"pod":"default/p","usage":{"cpu":"2"}})"
                            "\n";
  const auto c = GENERATE_COPY(values<Case>({
      {"empty", "", "t.jsonl: is empty; the first line is the header"},
      {"not JSON", "{\n", "t.jsonl:1: "},
      {"another format", R"({"format":"x/v2","name":"t"})",
       "t.jsonl:1: header: format: \"x/v2\"; this is a reader of coracle-trace/v1"},
      {"no name", R"({"format":"coracle-trace/v1"})", "t.jsonl:1: header: name: is missing"},
      {"no kind", std::string(kHeader) + R"({"at":1})", "t.jsonl:2: kind: is missing"},
      {"unknown kind", std::string(kHeader) + R"({"kind":"job","at":1})",
       "t.jsonl:2: kind: \"job\" is none of node, nodeEvent, pod, usage"},
      {"unknown field", kHeader + pod(R"(,"life":3)"),
       "t.jsonl:2: pod: life: there is no such field; there are kind, at, namespace, name, "
       "requests"},
      {"twice", kHeader + pod(R"(,"name":"q")"), "t.jsonl:2: name: is there twice"},
      {"missing", std::string(kHeader) + R"({"kind":"pod","at":1,"name":"p"})",
       "t.jsonl:2: pod: requests: is missing"},
      {"type", kHeader + pod(R"(,"lifetime":"3s")"),
       "t.jsonl:2: pod: lifetime: want seconds, as a number"},
      {"negative", kHeader + pod(R"(,"lifetime":-3)"), "t.jsonl:2: pod: lifetime: -3 is no time"},
      {"quantity", kHeader + pod(R"(,"usage":{"cpu":"x"})"),
       "t.jsonl:2: pod: usage.cpu: \"x\" is no quantity"},
      {"more cores than can be counted", kHeader + pod(R"(,"usage":{"cpu":"9223372036854775808"})"),
       "t.jsonl:2: pod: usage.cpu: \"9223372036854775808\" is too much: at most 1000000"},
      {"more memory than can be counted", kHeader + pod(R"(,"usage":{"memory":"1Ei"})"),
       "t.jsonl:2: pod: usage.memory: \"1Ei\" is too much: at most 1000000000000000"},
      {"negative quantity", kHeader + pod(R"(,"usage":{"cpu":"-1"})"),
       "t.jsonl:2: pod: usage.cpu: an amount is not negative"},
      {"until before at", kHeader + pod(R"(,"until":3)"),
       "t.jsonl:2: pod: until: 3 is before the pod arrives, at 10"},
      {"order", kHeader + pod("") + kNode,
       "t.jsonl:3: node: at: 0 is before 10, the time of the event before it"},
      {"node twice", std::string(kHeader) + kNode + kNode,
       "t.jsonl:3: node: name: node \"n1\" is there already"},
      {"no such node",
       std::string(kHeader) + R"({"kind":"nodeEvent","at":1,"node":"x","event":"fail"})",
       "t.jsonl:2: nodeEvent: node: there is no node \"x\" at 1"},
      {"event",
       std::string(kHeader) + kNode + R"({"kind":"nodeEvent","at":1,"node":"n1","event":"melt"})",
       "t.jsonl:3: nodeEvent: event: \"melt\" is none of remove, fail, recover, cordon, uncordon, "
       "resize"},
      {"well",
       std::string(kHeader) + kNode +
           R"({"kind":"nodeEvent","at":1,"node":"n1","event":"recover"})",
       "t.jsonl:3: nodeEvent: event: node \"n1\" is well already"},
      {"for ever", kHeader + pod("") + pod(""),
       "t.jsonl:3: pod: name: pod \"default/p\" is there already, and has no \"until\""},
      {"overlap", kHeader + pod(R"(,"until":11)") + pod(""),
       "t.jsonl:3: pod: name: pod \"default/p\" overlaps the one before it, which is there until "
       "11"},
      {"usage of nobody", kHeader + usage,
       "t.jsonl:2: usage: pod: there is no pod \"default/p\" at 12"},
      {"usage afterwards", kHeader + pod(R"(,"until":11)") + usage,
       "t.jsonl:3: usage: at: pod \"default/p\" has been gone since 11"},
      {"counts",
       std::string(R"({"format":"coracle-trace/v1","name":"t","counts":{"nodes":2}})") + "\n" +
           kNode,
       "t.jsonl:1: header: counts: 2 nodes, 0 nodeEvents, 0 pods, 0 usages; the file has 1 nodes"},
  }));
  CAPTURE(c.name);
  const std::string error = error_of(c.text);
  CAPTURE(error);
  CHECK(error.substr(0, c.error.size()) == c.error);
}

TEST_CASE("a name may be used again when the pod before it is gone, and a node may come back") {
  CHECK(error_of(kHeader + pod(R"(,"until":10)") + pod("")).empty());
  CHECK(error_of(std::string(kHeader) + kNode +
                 R"({"kind":"nodeEvent","at":0,"node":"n1","event":"remove"})"
                 "\n" +
                 kNode)
            .empty());
}

TEST_CASE("nodes and pods become objects of the API") {
  TraceNode node;
  node.name = "n1";
  node.allocatable = {{"cpu", "4"}};
  const json::value object = node_object(node);
  CHECK(get_string(object, "status.allocatable.pods") == "110");
  TracePod pod;
  pod.name = "p";
  pod.requests = {{"cpu", "1"}, {"lab.coracle.dev/gpu", "2"}};
  pod.lifetime = std::chrono::seconds(1);
  const json::value made = pod_object(pod);
  CHECK(get_string(made, "spec.restartPolicy") == "Never");
  const json::value& container = get_array(made, "spec.containers").at(0);
  CHECK(get_object(container, "resources.requests").size() == 2);
  CHECK(get_object(container, "resources.limits").size() == 1);
}
