#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "kubelet/pod_machine.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;

namespace {

constexpr char kLeaky[] = R"(
images:
- {name: leaky, pull: 0s, start: 0s, cpu: {0s: 0, 10s: 2}, memory: {0s: 0, 100s: 100Mi}}
)";

Instant at(Duration t) { return {TimePoint(1h + t), WallTime(Duration(1'700'000'000s) + t)}; }

struct Run {
  explicit Run(const std::string& container, const std::string& policy = "Always") {
    REQUIRE(images.add(kLeaky).ok());
    const auto pod = parse_yaml_one(
        "metadata: {name: p, namespace: ns, uid: u}\nspec:\n"
        "  restartPolicy: " +
        policy + "\n  containers: [" + container + "]\n");
    machine.emplace(*pod, PodPlace{"127.32.0.1", "127.128.0.1"}, images, at(0s));
    to(0s);
  }
  // Steps at every deadline on the way.
  void to(Duration t) {
    PodStep step = machine->step(at(now));
    while (step.next && *step.next <= at(t).now) {
      now = *step.next - at(0s).now;
      step = machine->step(at(now));
    }
    now = t;
    machine->step(at(t));
  }
  std::optional<ScriptedLoad::Use> use() const {
    return machine->container("c")->scripted_use(at(now).now);
  }

  ImageCatalog images = ImageCatalog::builtin();
  std::optional<PodMachine> machine;
  Duration now{0};
};

}  // namespace

TEST_CASE("a scripted container uses what its image's curves say since its start") {
  Run run("{name: c, image: leaky}");
  run.to(10s);
  REQUIRE(run.use());
  CHECK(run.use()->cpu_nanos == Approx(10e9).epsilon(0.01));
  CHECK(run.use()->memory_bytes == Approx(10 << 20).epsilon(0.01));
}

TEST_CASE("its CPU limit holds it back") {
  Run run("{name: c, image: leaky, resources: {limits: {cpu: 500m}}}");
  run.to(10s);
  CHECK(run.use()->cpu_nanos == Approx(0.25 * 2.5e9 + 0.5 * 7.5e9).epsilon(0.01));
}

TEST_CASE("over its memory limit it is killed, and its next run begins anew") {
  Run run("{name: c, image: leaky, resources: {limits: {memory: 50Mi}}}");
  run.to(49s);
  CHECK(run.machine->container("c")->restart_count() == 0);
  run.to(51s);
  const ContainerMachine& c = *run.machine->container("c");
  CHECK(c.restart_count() == 1);
  const json::value status = c.status(at(51s).now);
  CHECK(get_string(status, "lastState.terminated.reason") == "OOMKilled");
  CHECK(get_int(status, "lastState.terminated.exitCode") == 137);
  CHECK(run.use()->memory_bytes < (2 << 20));
}

TEST_CASE("what does not run uses nothing") {
  Run run("{name: c, image: leaky, resources: {limits: {memory: 10Mi}}}", "Never");
  run.to(60s);
  CHECK(!run.use());
}
