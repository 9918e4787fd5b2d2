// Pods whose containers are processes: wishes out, what was seen in.
#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "kubelet/pod_machine.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

const ImageCatalog& catalog() {
  static const ImageCatalog images = ImageCatalog::builtin();
  return images;
}

Instant at(Duration t) { return {TimePoint(1h + t), WallTime(Duration(1'700'000'000s) + t)}; }

json::value pod(const std::string& spec) {
  return *parse_yaml_one("metadata: {name: p, namespace: ns, uid: u}\nspec:\n" + spec);
}

std::string name_of(const Wish& wish) {
  switch (wish.kind) {
    case Wish::Kind::kPrepare:
      return "prepare";
    case Wish::Kind::kPull:
      return "pull " + wish.container;
    case Wish::Kind::kStart:
      return "start " + wish.container;
    case Wish::Kind::kTerminate:
      return "terminate " + wish.container;
    case Wish::Kind::kKill:
      return "kill " + wish.container;
    case Wish::Kind::kProbe:
      return ProbeMachine::title(wish.probe) + " " + wish.container;
    case Wish::Kind::kHook:
      return (wish.hook == HookKind::kPostStart ? "postStart " : "preStop ") + wish.container;
  }
  return "";
}

struct Run {
  explicit Run(const json::value& p, bool prepare = false)
      : machine(p, {"127.32.0.1", "127.128.0.1"}, catalog(), at(0s),
                {.prepare = prepare,
                 .kind_of = [](const json::value&) { return ContainerKind::kReal; }}) {
    to(0s);
  }
  void to(Duration t) {
    PodStep step = machine.step(at(now));
    take(step);
    while (step.next && *step.next <= at(t).now) {
      now = std::max(now, Duration(*step.next - at(0s).now));
      step = machine.step(at(now));
      take(step);
    }
    now = t;
    take(machine.step(at(t)));
  }
  void take(const PodStep& step) {
    for (const auto& e : step.events) events.push_back(e.reason + ": " + e.message);
    for (const auto& w : step.wishes) {
      wishes.push_back(name_of(w));
      last = w;
    }
    finished = step.finished;
  }
  // Answers the last wish for the container.
  void see(Seen seen) {
    seen.container = last.container;
    seen.run = last.run;
    seen.probe = last.probe;
    seen.hook = last.hook;
    PodStep step;
    machine.see(seen, at(now), &step);
    take(step);
    to(now);
  }
  std::vector<std::string> taken_wishes() { return std::exchange(wishes, {}); }
  json::value status() const { return machine.status(at(now)); }
  std::string phase() const { return std::string(get_string(status(), "phase")); }
  json::value first() const { return get_array(status(), "containerStatuses").at(0); }
  bool event(const std::string& text) const {
    return std::find(events.begin(), events.end(), text) != events.end();
  }

  PodMachine machine;
  Duration now{0};
  std::vector<std::string> events, wishes;
  Wish last;
  bool finished = false;
};

using Wishes = std::vector<std::string>;
const char* const kOne = "  containers: [{name: c, image: busybox}]\n";

}  // namespace

TEST_CASE("a process is started by wish and ends when it is seen to") {
  Run run(pod(std::string("  restartPolicy: Never\n") + kOne));
  run.to(1h);
  CHECK(run.taken_wishes() == Wishes{"start c"});
  CHECK(run.phase() == "Pending");
  run.see({.kind = Seen::Kind::kStarted});
  CHECK(run.phase() == "Running");
  CHECK(get_bool(run.first(), "ready"));
  run.to(2h);
  CHECK(run.phase() == "Running");
  run.see({.kind = Seen::Kind::kExited, .exit_code = 3, .message = "over"});
  CHECK(run.phase() == "Failed");
  CHECK(get_int(run.first(), "state.terminated.exitCode") == 3);
  CHECK(get_string(run.first(), "state.terminated.message") == "over");
  CHECK(get_string(run.first(), "state.terminated.reason") == "Error");
}

TEST_CASE("volumes come first, and are asked for again") {
  Run run(pod(kOne), true);
  run.to(1s);
  CHECK(run.taken_wishes() == Wishes{"prepare"});
  run.see({.kind = Seen::Kind::kNotPrepared, .events = {{true, "FailedMount", "no", ""}}});
  CHECK(run.event("FailedMount: no"));
  CHECK(get_string(run.first(), "state.waiting.reason") == "ContainerCreating");
  run.to(2s);
  CHECK(run.taken_wishes() == Wishes{"prepare"});
  run.see({.kind = Seen::Kind::kPrepared});
  run.to(4s);
  CHECK(run.taken_wishes() == Wishes{"start c"});
}

TEST_CASE("a refused start waits with its reason, a broken one backs off") {
  Run run(pod(kOne));
  run.to(1s);
  run.see({.kind = Seen::Kind::kRefused,
           .reason = "CreateContainerConfigError",
           .message = "configmap \"x\" not found"});
  CHECK(get_string(run.first(), "state.waiting.reason") == "CreateContainerConfigError");
  CHECK(run.event("Failed: Error: configmap \"x\" not found"));
  run.taken_wishes();
  run.to(20s);
  CHECK(run.taken_wishes() == Wishes{"start c"});
  for (int i = 0; i < 2; ++i) {
    run.see({.kind = Seen::Kind::kBroken, .exit_code = 128, .reason = "StartError"});
    run.to(run.now + 1s);
  }
  CHECK(get_string(run.first(), "state.waiting.reason") == "CrashLoopBackOff");
  CHECK(get_string(run.first(), "lastState.terminated.reason") == "StartError");
  CHECK(get_int(run.first(), "restartCount") == 1);
}

TEST_CASE("the grace is kept, then it is killed") {
  json::value p = pod(kOne);
  Run run(p);
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  set_path(p, "metadata.deletionTimestamp", json::value("2023-11-14T22:13:30Z"));
  set_path(p, "metadata.deletionGracePeriodSeconds", json::value(5));
  run.taken_wishes();
  PodStep step;
  run.machine.observe(p, at(1s), &step);
  run.take(step);
  CHECK(run.taken_wishes() == Wishes{"terminate c"});
  run.to(5s);
  CHECK(run.taken_wishes().empty());
  run.to(7s);
  CHECK(run.taken_wishes() == Wishes{"kill c"});
  CHECK_FALSE(run.finished);
  run.see({.kind = Seen::Kind::kExited, .exit_code = 137});
  CHECK(run.finished);
}

TEST_CASE("deleted while it starts: it is terminated, and its late start changes nothing") {
  json::value p = pod(kOne);
  Run run(p);
  run.to(1s);
  set_path(p, "metadata.deletionTimestamp", json::value("2023-11-14T22:13:30Z"));
  PodStep step;
  run.machine.observe(p, at(1s), &step);
  run.take(step);
  run.see({.kind = Seen::Kind::kStarted});
  CHECK_FALSE(run.finished);
  run.see({.kind = Seen::Kind::kExited, .exit_code = 143});
  CHECK(run.finished);
}

TEST_CASE("a failing liveness probe restarts the container") {
  Run run(
      pod("  containers: [{name: c, image: busybox, livenessProbe: {exec: {command: [x]}, "
          "periodSeconds: 2, failureThreshold: 2}}]\n"));
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  for (int i = 0; i < 2; ++i) {
    run.to(run.now + 2s);
    run.see({.kind = Seen::Kind::kProbe, .good = false, .message = "dead"});
  }
  CHECK(run.event("Unhealthy: Liveness probe failed: dead"));
  CHECK(run.event("Killing: Container c failed liveness probe, will be restarted"));
  CHECK(run.wishes.back() == "terminate c");
  run.see({.kind = Seen::Kind::kExited, .exit_code = 137});
  run.to(run.now + 1s);
  CHECK(run.wishes.back() == "start c");
  run.see({.kind = Seen::Kind::kStarted});
  CHECK(get_int(run.first(), "restartCount") == 1);
}

TEST_CASE("readiness follows its thresholds, after the startup probe") {
  Run run(
      pod("  containers: [{name: c, image: busybox, startupProbe: {periodSeconds: 1}, "
          "readinessProbe: {periodSeconds: 1, successThreshold: 2}}]\n"));
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  run.to(2s);
  CHECK(run.wishes.back() == "Startup c");
  CHECK_FALSE(get_bool(run.first(), "started"));
  run.see({.kind = Seen::Kind::kProbe, .good = true});
  CHECK(get_bool(run.first(), "started"));
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(get_bool(run.first(), "ready"));
    run.to(run.now + 1s);
    CHECK(run.wishes.back() == "Readiness c");
    run.see({.kind = Seen::Kind::kProbe, .good = true});
  }
  CHECK(get_bool(run.first(), "ready"));
  for (int i = 0; i < 3; ++i) {
    run.to(run.now + 1s);
    run.see({.kind = Seen::Kind::kProbe, .good = false, .message = "no"});
  }
  CHECK_FALSE(get_bool(run.first(), "ready"));
  CHECK(run.phase() == "Running");
}

TEST_CASE("hooks: a failed postStart restarts, preStop comes before the signal") {
  json::value p =
      pod("  containers: [{name: c, image: busybox, lifecycle: {postStart: {}, "
          "preStop: {}}}]\n");
  Run run(p);
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  CHECK(run.wishes.back() == "postStart c");
  CHECK_FALSE(get_bool(run.first(), "ready"));
  run.see({.kind = Seen::Kind::kHook});
  CHECK(get_bool(run.first(), "ready"));
  set_path(p, "metadata.deletionTimestamp", json::value("2023-11-14T22:13:30Z"));
  set_path(p, "metadata.deletionGracePeriodSeconds", json::value(5));
  PodStep step;
  run.machine.observe(p, at(1s), &step);
  run.take(step);
  CHECK(run.wishes.back() == "preStop c");
  run.see({.kind = Seen::Kind::kHook, .good = false});
  CHECK(run.wishes.back() == "terminate c");
  CHECK(run.event("FailedPreStopHook: PreStopHook failed"));
}

TEST_CASE("a pod's deadline, and ephemeral containers") {
  json::value p = pod(std::string("  activeDeadlineSeconds: 3\n") + kOne);
  Run run(p);
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  auto& list = make_object(p, "spec")["ephemeralContainers"].emplace_array();
  list.push_back(*parse_yaml_one("{name: debug, image: busybox}"));
  PodStep step;
  run.machine.observe(p, at(1s), &step);
  run.take(step);
  run.taken_wishes();
  run.to(2s);
  CHECK(run.taken_wishes() == Wishes{"start debug"});
  CHECK(get_array(run.status(), "ephemeralContainerStatuses").size() == 1);
  run.to(4s);
  CHECK(get_string(run.status(), "reason") == "DeadlineExceeded");
  CHECK(run.phase() == "Failed");
}

TEST_CASE("a deadline that is set later counts too") {
  json::value p = pod(kOne);
  Run run(p);
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  set_path(p, "spec.activeDeadlineSeconds", json::value(3));
  PodStep step;
  run.machine.observe(p, at(2s), &step);
  run.take(step);
  run.to(4s);
  CHECK(get_string(run.status(), "reason") == "DeadlineExceeded");
  CHECK(run.phase() == "Failed");
}

TEST_CASE("processes do not live through a restart of ours") {
  json::value p = pod(kOne);
  Run run(p);
  run.to(1s);
  run.see({.kind = Seen::Kind::kStarted});
  make_object(p, "")["status"] = run.status();
  Run again(p);
  again.to(1s);
  CHECK(again.taken_wishes() == Wishes{"start c"});
  CHECK(get_int(again.first(), "lastState.terminated.exitCode") == 255);
  CHECK(get_string(again.first(), "lastState.terminated.reason") == "Unknown");
}

TEST_CASE("what is known before a pull") {
  struct Case {
    const char* name;
    const char* container;
    const char* reason;
  };
  auto c = GENERATE(values<Case>({
      {"capitals", "{name: c, image: Nginx}", "InvalidImageName"},
      {"two colons", "{name: c, image: 'a:b:c'}", "InvalidImageName"},
      {"never", "{name: c, image: 'nginx:no-such-tag', imagePullPolicy: Never}",
       "ErrImageNeverPull"},
  }));
  CAPTURE(c.name);
  Run run(pod(std::string("  containers: [") + c.container + "]\n"));
  run.to(1s);
  CHECK(get_string(run.first(), "state.waiting.reason") == c.reason);
  CHECK(run.wishes.empty());
}

TEST_CASE("a private registry is asked at each pull") {
  Run run(pod("  containers: [{name: c, image: registry.example.com/private/web}]\n"));
  run.to(1s);
  CHECK(run.wishes.back() == "pull c");
  run.see({.kind = Seen::Kind::kPulled, .good = false, .message = "no"});
  CHECK(get_string(run.first(), "state.waiting.reason") == "ErrImagePull");
  CHECK(run.event("Failed: Failed to pull image \"registry.example.com/private/web\": no"));
  run.to(15s);
  CHECK(run.taken_wishes() == Wishes{"pull c", "pull c"});
  run.see({.kind = Seen::Kind::kPulled});
  run.to(16s);
  CHECK(run.wishes.back() == "start c");
}

TEST_CASE("a log keeps its newest lines and their numbers") {
  LogBuffer log;
  for (size_t i = 0; i < kLogLinesMax + 5; ++i) log.push_back({WallTime(), std::to_string(i)});
  CHECK(log.size() == kLogLinesMax);
  CHECK(log.first_number() == 5);
  CHECK(log[0].text == "5");
  log.push_back({WallTime(), std::string(kLogBytesMax, 'x')});
  CHECK(log.size() == 1);
}
