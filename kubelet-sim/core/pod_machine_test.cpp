#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "kubelet/node_object.hpp"
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

struct Run {
  explicit Run(const json::value& p)
      : machine(p, {"127.32.0.1", "127.128.0.1"}, catalog(), at(0s)) {}
  // Steps at every deadline up to `t`; the reasons of all events.
  void to(Duration t) {
    PodStep step = machine.step(at(now));
    take(step);
    while (step.next && *step.next <= at(t).now) {
      now = *step.next - at(0s).now;
      step = machine.step(at(now));
      take(step);
    }
    now = t;
    take(machine.step(at(t)));
  }
  void take(const PodStep& step) {
    for (const auto& e : step.events) events.push_back(e.reason);
    finished = step.finished;
  }
  json::value status() const { return machine.status(at(now)); }
  std::string phase() const { return std::string(get_string(status(), "phase")); }
  const json::value first() const { return get_array(status(), "containerStatuses").at(0); }
  std::string condition(const std::string& type) const {
    const json::value s = status();
    for (const json::value& c : get_array(s, "conditions")) {
      if (get_string(c, "type") == type) return std::string(get_string(c, "status"));
    }
    return "none";
  }

  PodMachine machine;
  Duration now{0};
  std::vector<std::string> events;
  bool finished = false;
};

}  // namespace

TEST_CASE("an image that is changed is pulled, and its container started anew") {
  const auto with = [](const std::string& image, const std::string& policy = "Always") {
    return pod("  restartPolicy: " + policy + "\n  containers: [{name: c, image: '" + image +
               "'}]\n");
  };
  const auto change = [](Run& run, const json::value& newer) {
    PodStep step;
    run.machine.observe(newer, at(run.now), &step);
    run.take(step);
    return step.changed;
  };
  SECTION("one that could not be pulled") {
    Run run(with("nginx:BadImageTAG"));
    run.to(5s);
    CHECK(get_string(run.first(), "state.waiting.reason") == "ImagePullBackOff");
    CHECK(change(run, with("nginx:1.27")));
    run.to(8s);
    CHECK(run.condition("Ready") == "True");
    CHECK(get_int(run.first(), "restartCount") == 0);
  }
  SECTION("of what runs, whatever the restart policy") {
    Run run(with("nginx:1.25", "Never"));
    run.to(5s);
    CHECK_FALSE(change(run, with("nginx:1.25", "Never")));
    CHECK(change(run, with("nginx:1.26", "Never")));
    run.to(60s);
    CHECK(run.condition("Ready") == "True");
    CHECK(get_string(run.first(), "image") == "nginx:1.26");
    CHECK(get_int(run.first(), "restartCount") == 1);
    CHECK(std::find(run.events.begin(), run.events.end(), "Killing") != run.events.end());
  }
}

TEST_CASE("a service pod pulls, starts, runs and is ready") {
  Run run(pod("  containers: [{name: c, image: nginx, imagePullPolicy: Always}]\n"));
  run.to(100ms);
  CHECK(run.phase() == "Pending");
  CHECK(get_string(run.first(), "state.waiting.reason") == "ContainerCreating");
  CHECK(run.condition("Initialized") == "True");
  CHECK(run.condition("Ready") == "False");
  run.to(2s);
  CHECK(run.phase() == "Running");
  CHECK(run.condition("Ready") == "True");
  CHECK(run.events == std::vector<std::string>{"Pulling", "Pulled", "Created", "Started"});
  CHECK(get_string(run.status(), "podIP") == "127.128.0.1");
}

TEST_CASE("a pod with readiness gates is ready when others say so, too") {
  json::value p =
      pod("  readinessGates: [{conditionType: a/b}]\n  containers: [{name: c, image: nginx}]\n");
  Run run(p);
  const auto message = [&] {
    const json::value s = run.status();
    for (const json::value& c : get_array(s, "conditions")) {
      if (get_string(c, "type") != "Ready") continue;
      return std::string(get_string(c, "reason")) + ": " + std::string(get_string(c, "message"));
    }
    return std::string();
  };
  const auto say = [&](const char* status) {
    p.get_object()["status"] =
        *parse_yaml_one(std::string("{conditions: [{type: a/b, status: '") + status + "'}]}");
    PodStep step;
    run.machine.observe(p, at(run.now), &step);
    const bool changed = step.changed;
    run.to(run.now + 1s);
    return changed;
  };
  run.to(100ms);
  CHECK(message() == "ContainersNotReady: containers with unready status: [c]");
  run.to(2s);
  CHECK(run.condition("ContainersReady") == "True");
  CHECK(run.condition("Ready") == "False");
  CHECK(message() ==
        "ReadinessGatesNotReady: corresponding condition of pod readiness gate \"a/b\" does not "
        "exist.");
  CHECK(say("False"));
  CHECK(run.condition("Ready") == "False");
  CHECK(message() ==
        "ReadinessGatesNotReady: the status of pod readiness gate \"a/b\" is not \"True\", but "
        "False");
  CHECK_FALSE(say("False"));
  CHECK(say("True"));
  CHECK(run.condition("Ready") == "True");
  CHECK(say("Unknown"));
  CHECK(run.condition("Ready") == "False");
}

TEST_CASE("on a slow node pulls and starts take longer, from then on") {
  Run run(pod("  containers: [{name: c, image: nginx, imagePullPolicy: Always}]\n"));
  const Duration lag = 10s;
  run.machine.set_lag(lag);
  run.to(2 * lag);
  CHECK(get_string(run.first(), "state.waiting.reason") == "ContainerCreating");
  CHECK(run.events == std::vector<std::string>{"Pulling", "Pulled"});
  run.to(2 * lag + 2s);
  CHECK(run.phase() == "Running");
}

TEST_CASE("after a boot of its machine nothing of a pod runs: its containers start anew") {
  const std::string policy = GENERATE("Always", "Never");
  json::value p = pod("  restartPolicy: " + policy + "\n  containers: [{name: c, image: nginx}]\n");
  Run before(p);
  before.to(5s);
  REQUIRE(get_int(before.first(), "restartCount") == 0);
  p.get_object()["status"] = before.status();
  PodTraits traits;
  SECTION("the kubelet alone was started anew: they go on") {
    PodMachine machine(p, {"127.32.0.1", "127.128.0.1"}, catalog(), at(9s), traits);
    machine.step(at(9s));
    const json::value status = machine.status(at(9s));
    CHECK(find(get_array(status, "containerStatuses")[0], "state.running") != nullptr);
  }
  SECTION("the machine was") {
    traits.lost = true;
    PodMachine machine(p, {"127.32.0.1", "127.128.0.1"}, catalog(), at(9s), traits);
    machine.step(at(9s));
    machine.step(at(20s));
    const json::value status = machine.status(at(20s));
    const json::value& c = get_array(status, "containerStatuses")[0];
    const bool again = policy == "Always";
    CHECK(get_int(c, "restartCount") == (again ? 1 : 0));
    CHECK((find(c, "state.running") != nullptr) == again);
    CHECK(get_int(c, again ? "lastState.terminated.exitCode" : "state.terminated.exitCode") == 255);
  }
}

TEST_CASE("an image of a registry that is nowhere cannot be pulled") {
  for (const char* host : {"invalid.registry.k8s.io", "registry.example.invalid:5000"}) {
    const std::string image = std::string(host) + "/team/nginx:1";
    Run run(pod("  containers: [{name: c, image: '" + image + "'}]\n"));
    run.to(300ms);
    CHECK(get_string(run.first(), "state.waiting.reason") == "ErrImagePull");
    const std::string message(get_string(run.first(), "state.waiting.message"));
    CHECK(message.find("no such host") != std::string::npos);
    CHECK(message.find(std::string("https://") + host + "/v2/team/nginx/manifests/1") !=
          std::string::npos);
  }
}

TEST_CASE("an image that is not there: ErrImagePull, then ImagePullBackOff, for ever") {
  Run run(pod("  containers: [{name: c, image: 'nginx:BadImageTAG'}]\n"));
  run.to(300ms);
  CHECK(get_string(run.first(), "state.waiting.reason") == "ErrImagePull");
  run.to(1s);
  CHECK(get_string(run.first(), "state.waiting.reason") == "ImagePullBackOff");
  CHECK(run.phase() == "Pending");
  run.to(25s);
  CHECK(std::count(run.events.begin(), run.events.end(), "Pulling") == 2);
}

TEST_CASE("restart policies") {
  struct Case {
    const char* name;
    const char* policy;
    const char* command;
    const char* phase;
    int restarts;
    const char* reason;  // of the waiting or terminated state
  };
  auto c = GENERATE(values<Case>({
      {"never, good", "Never", "exit 0", "Succeeded", 0, "Completed"},
      {"never, bad", "Never", "exit 3", "Failed", 0, "Error"},
      {"on failure, good", "OnFailure", "echo hi", "Succeeded", 0, "Completed"},
      {"on failure, bad", "OnFailure", "exit 1", "Running", 1, "CrashLoopBackOff"},
      {"always, good", "Always", "true", "Running", 1, "CrashLoopBackOff"},
  }));
  CAPTURE(c.name);
  Run run(pod(std::string("  restartPolicy: ") + c.policy +
              "\n  containers: [{name: c, image: busybox, command: [sh, -c, '" + c.command +
              "']}]\n"));
  run.to(3s);
  CHECK(run.phase() == c.phase);
  const json::value first = run.first();
  CHECK(get_int(first, "restartCount") == c.restarts);
  const auto waiting = get_string(first, "state.waiting.reason");
  CHECK((waiting.empty() ? get_string(first, "state.terminated.reason") : waiting) == c.reason);
}

TEST_CASE("crash back-off doubles and shows the last end") {
  Run run(pod("  containers: [{name: c, image: busybox, command: ['false']}]\n"));
  run.to(45s);  // ends near 0.2, 0.4, 10.6, 30.8 s
  CHECK(get_int(run.first(), "restartCount") == 3);
  CHECK(get_int(run.first(), "lastState.terminated.exitCode") == 1);
  CHECK(get_string(run.first(), "state.waiting.message").find("back-off 40s") !=
        std::string_view::npos);
}

TEST_CASE("init containers go in turn, sidecars run along") {
  Run run(pod(R"(
  initContainers:
  - {name: first, image: busybox, command: [sleep, '2']}
  - {name: side, image: nginx, restartPolicy: Always}
  containers: [{name: c, image: nginx}]
)"));
  run.to(1s);
  CHECK(run.phase() == "Pending");
  CHECK(run.condition("Initialized") == "False");
  run.to(4s);
  CHECK(run.phase() == "Running");
  CHECK(run.condition("Initialized") == "True");
  const json::value status = run.status();
  const json::array& inits = get_array(status, "initContainerStatuses");
  REQUIRE(inits.size() == 2);
  CHECK(get_bool(inits[0], "ready"));  // it has done its work
}

TEST_CASE("sidecars stop when the others have, the last one first") {
  json::value p = pod(R"(
  initContainers:
  - {name: a, image: nginx, restartPolicy: Always}
  - {name: b, image: nginx, restartPolicy: Always}
  containers: [{name: c, image: nginx}]
)");
  Run run(p);
  run.to(2s);
  set_path(p, "metadata.deletionTimestamp", json::value("2023-11-14T22:13:30Z"));
  set_path(p, "metadata.deletionGracePeriodSeconds", json::value(30));
  PodStep step;
  run.machine.observe(p, at(2s), &step);
  REQUIRE(step.events.size() == 1);
  CHECK(step.events[0].message == "Stopping container c");
  run.events.clear();
  run.to(3s);
  CHECK(run.events == std::vector<std::string>{"Killing", "Killing"});
  CHECK(run.finished);
}

TEST_CASE("an init container that fails fails a pod that never restarts") {
  Run run(pod(
      "  restartPolicy: Never\n  initContainers: [{name: i, image: busybox, command: ['false']}]\n"
      "  containers: [{name: c, image: nginx}]\n"));
  run.to(5s);
  CHECK(run.phase() == "Failed");
}

TEST_CASE("what an init container holds up waits as PodInitializing, init containers too") {
  Run run(pod(R"(
  initContainers:
  - {name: first, image: busybox, command: [sleep, '100']}
  - {name: second, image: busybox}
  containers: [{name: c, image: nginx}]
)"));
  run.to(2s);
  const json::value status = run.status();
  CHECK(get_string(get_array(status, "initContainerStatuses")[1], "state.waiting.reason") ==
        "PodInitializing");
  CHECK(get_string(run.first(), "state.waiting.reason") == "PodInitializing");
}

TEST_CASE("a pod is over when its sidecars are, which are not ready then") {
  Run run(pod(R"(
  restartPolicy: Never
  initContainers: [{name: side, image: nginx, restartPolicy: Always}]
  containers: [{name: c, image: busybox, command: [sleep, '2']}]
)"));
  bool stopping = false;
  for (auto t = 1000ms; t < 5s; t += 5ms) {
    run.to(t);
    const json::value status = run.status();
    const json::value& side = get_array(status, "initContainerStatuses")[0];
    const bool ended = find(side, "state.terminated") != nullptr;
    stopping |= !ended && find(run.first(), "state.terminated") != nullptr;
    CHECK((run.phase() == "Succeeded") == ended);
    if (ended) CHECK_FALSE(get_bool(side, "ready"));
  }
  CHECK(stopping);
  CHECK(run.phase() == "Succeeded");
}

TEST_CASE("deletion stops within the grace and then finishes") {
  json::value p = pod("  containers: [{name: c, image: nginx}]\n");
  Run run(p);
  run.to(1s);
  set_path(p, "metadata.deletionTimestamp", json::value("2023-11-14T22:13:30Z"));
  set_path(p, "metadata.deletionGracePeriodSeconds", json::value(30));
  PodStep step;
  run.machine.observe(p, at(1s), &step);
  REQUIRE(step.events.size() == 1);
  CHECK(step.events[0].reason == "Killing");
  CHECK_FALSE(run.finished);
  run.to(2s);
  CHECK(run.finished);
  CHECK(get_int(run.first(), "state.terminated.exitCode") == 0);
}

TEST_CASE("a new process goes on where the old one was") {
  json::value p = pod("  containers: [{name: c, image: nginx}]\n");
  Run run(p);
  run.to(5s);
  make_object(p, "")["status"] = run.status();
  PodMachine again(p, {"127.32.0.1", "127.128.0.1"}, catalog(), at(10s));
  const PodStep step = again.step(at(10s));
  CHECK(step.events.empty());
  CHECK(to_json(again.status(at(10s))).find(R"("restartCount":0)") != std::string::npos);
  CHECK(get_string(again.status(at(10s)), "phase") == "Running");
}

TEST_CASE("commands are read as a shell would") {
  struct Case {
    const char* text;
    std::optional<Duration> run_for;
    int code;
    std::vector<std::string> output;
  };
  auto c = GENERATE(values<Case>({
      {"echo hello; sleep 3", 3100ms, 0, {"hello"}},
      {"while true; do date; sleep 1; done", std::nullopt, 0, {}},
      {"sleep infinity", std::nullopt, 0, {}},
      {"echo 'a b' > /f && exit 2", 100ms, 2, {}},
      {"sleep 1m", 60100ms, 0, {}},
      {"true; false", 100ms, 1, {}},
  }));
  CAPTURE(c.text);
  const Script s = script_of(catalog().find("busybox"), {"sh", "-c", c.text}, {}, true);
  CHECK(s.run_for == c.run_for);
  CHECK(s.exit_code == c.code);
  CHECK(s.output == c.output);
}

TEST_CASE("images are named as containerd names them") {
  CHECK(parse_image("docker.io/library/nginx:1.25@sha256:ab").name == "nginx");
  CHECK(parse_image("localhost:5000/a/b").name == "localhost:5000/a/b");
  CHECK(parse_image("localhost:5000/a/b:v1").tag == "v1");
  CHECK(parse_image("nginx").tag == "latest");
  ImageCatalog images = ImageCatalog::builtin();
  CHECK(images.add("images: [{name: x, pull: fast}]").message() ==
        "image catalog: image \"x\": pull must be a duration like 300ms");
  CHECK(images.find("registry.k8s.io/nginx-slim:0.8").cmd == images.find("nginx").cmd);
  CHECK(images.find("pogo.azurecr.io/busybox").shell);
  CHECK_FALSE(images.find("team/nginx").has_program());
  CHECK(images.add("images: [{name: x, like: nope}]").message() ==
        "image catalog: image \"x\": like: there is no \"nope\"");
  CHECK(images.add("images: [{name: x, pul: 1s}]").message() ==
        "image catalog: image \"x\": unknown or mistyped field \"pul\"");
}

TEST_CASE("a node says what it has") {
  const NodeFacts facts{.name = "node-1", .internal_ip = "127.32.0.1", .kubelet_port = 10250};
  const json::value status = node_status(facts, at(0s).wall, {});
  CHECK(to_json(*find(status, "allocatable")) ==
        R"({"cpu":"4","ephemeral-storage":"100Gi","memory":"8Gi","pods":"110"})");
  CHECK(get_array(status, "conditions").size() == 4);
}

TEST_CASE("a node that is short of something, or going, says so") {
  const NodeFacts facts{.name = "node-1"};
  NodeHealth health{.memory_pressure = true, .shutting_down = true};
  health.memory_since = at(5s).wall;
  const json::value status = node_status(facts, at(9s).wall, health);
  const json::array& conditions = get_array(status, "conditions");
  CHECK(get_string(conditions[0], "reason") == "KubeletHasInsufficientMemory");
  CHECK(get_string(conditions[0], "lastTransitionTime") == format_time(at(5s).wall));
  CHECK(get_string(conditions[1], "status") == "False");
  CHECK(get_string(conditions[3], "status") == "False");
  CHECK(get_string(conditions[3], "message") == "node is shutting down");
}

TEST_CASE("a pod that its node ends fails and tells that it was disrupted") {
  Run r(pod("  containers: [{name: c, image: nginx}]\n"));
  r.to(5s);
  PodStep step;
  r.machine.fail(at(5s), "Evicted", "too much", &step, 0s, true);
  r.to(6s);
  CHECK(r.phase() == "Failed");
  CHECK(get_string(r.status(), "reason") == "Evicted");
  CHECK(r.condition("DisruptionTarget") == "True");
  CHECK(get_int(r.first(), "state.terminated.exitCode") == 137);
}
