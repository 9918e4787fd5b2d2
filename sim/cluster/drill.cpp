#include "cluster_sim/drill.hpp"

#include <fmt/format.h>

#include "client/resource.hpp"

namespace coracle::cluster_sim {
namespace {

using namespace std::chrono_literals;

const client::Gvr kDeployments{"apps", "v1", "deployments", true};
const client::Gvr kJobs{"batch", "v1", "jobs", true};
constexpr int kDeploymentsMax = 5;
constexpr int kZones = 3;

WorldOptions options_of(const DrillOptions& drill) {
  WorldOptions options;
  options.seed = drill.seed;
  options.store.members = drill.store_members;
  options.store.heartbeat = 200ms;
  options.store.election = 2s;
  options.apiservers = 2;
  options.controllers.replicas = 2;
  options.schedulers[0].replicas = 2;
  for (int i = 1; i <= drill.nodes; ++i) {
    kubelet::NodeFacts node;
    node.name = fmt::format("node-{}", i);
    node.cpu = i % 4 == 0 ? "8" : "4";
    node.labels["topology.kubernetes.io/zone"] = fmt::format("zone-{}", i % kZones);
    if (i % 5 == 0) node.extended["example.com/gpu"] = "2";
    options.nodes.push_back(std::move(node));
  }
  return options;
}

json::value pod_template(const std::string& app, Rng& rng) {
  const std::uint64_t cpu = 100 + 50 * rng.below(8), memory = 64 + 32 * rng.below(8);
  json::value spec = *parse_json(
      fmt::format(R"({{"containers":[{{"name":"c","image":"nginx","resources":{{"requests":)"
                  R"({{"cpu":"{}m","memory":"{}Mi"}}}}}}]}})",
                  cpu, memory));
  if (rng.chance(0.4)) {
    spec.get_object()["topologySpreadConstraints"] = *parse_json(fmt::format(
        R"([{{"maxSkew":2,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":)"
        R"("ScheduleAnyway","labelSelector":{{"matchLabels":{{"app":"{}"}}}}}}])",
        app));
  }
  return json::object{{"metadata", json::object{{"labels", json::object{{"app", app}}}}},
                      {"spec", std::move(spec)}};
}

class Drill {
 public:
  Drill(const DrillOptions& options, const DrillLog& log)
      : options_(options), log_(log), world_(options_of(options)), rng_(world_.rng().split()) {
    world_.stop_at(options.until);
    world_.on_decision([this](const DecisionSeen& seen) { write(decision_line(world_, seen)); });
  }

  DrillOutcome run() {
    const Status booted = world_.boot();
    if (world_.stopped()) return outcome("");
    if (!booted.ok()) return outcome(booted.message());
    work();
    if (options_.faults_for > Duration(0)) strike();
    world_.run_for(options_.faults_for);
    if (world_.stopped()) return outcome("");
    working_ = false;
    mend();
    return outcome(rest());
  }

 private:
  DrillOutcome outcome(std::string failure) {
    return {failure.empty() ? world_.failure() : std::move(failure), world_.stats()};
  }
  void note(const std::string& what) {
    write(fmt::format("{} {}", world_.elapsed().count() / 1000, what));
  }
  void write(const std::string& line) { log_(world_.stats().events, line); }
  static void ignore(const client::ApiResult<json::value>&) {}

  // Something new every few seconds.
  void work() {
    if (!working_) return;
    if (rng_.chance(0.4)) {
      start_job();
    } else {
      deploy();
    }
    world_.after(Duration(rng_.between(Duration(2s).count(), Duration(40s).count())),
                 [this] { work(); });
  }

  void deploy() {
    const std::string name = fmt::format("app-{}", rng_.below(kDeploymentsMax));
    const auto replicas = static_cast<std::int64_t>(rng_.below(9));
    const client::ResourceClient api(world_.api(), kDeployments);
    if (made_.insert(name).second) {
      json::object selector{{"matchLabels", json::object{{"app", name}}}};
      json::object spec{{"replicas", replicas},
                        {"selector", std::move(selector)},
                        {"template", pod_template(name, rng_)}};
      json::object object{{"apiVersion", "apps/v1"},
                          {"kind", "Deployment"},
                          {"metadata", json::object{{"name", name}, {"namespace", "default"}}},
                          {"spec", std::move(spec)}};
      // A create that failed is made again by and by.
      return spawn<client::ApiResult<json::value>>(
          api.create("default", object), [this, name](const client::ApiResult<json::value>& made) {
            if (!made.ok() && !made.error().is_already_exists()) made_.erase(name);
          });
    }
    json::object patch{{"spec", json::object{{"replicas", replicas}}}};
    if (rng_.chance(0.2)) {
      patch["spec"].get_object()["template"] = pod_template(name, rng_);
    }
    spawn<client::ApiResult<json::value>>(
        api.patch("default", name, client::PatchType::kMerge, patch), ignore);
  }

  void start_job() {
    const std::uint64_t seconds = 5 + rng_.below(200), cpu = 100 + 100 * rng_.below(10);
    json::value pod = *parse_json(fmt::format(
        R"({{"spec":{{"restartPolicy":"Never","containers":[{{"name":"c","image":"busybox",)"
        R"("command":["sleep","{}"],"resources":{{"requests":{{"cpu":"{}m"}}}}}}]}}}})",
        seconds, cpu));
    if (rng_.chance(0.3)) {
      auto& container = pod.at("spec").at("containers").at(0);
      for (const char* kind : {"requests", "limits"}) {
        container.at("resources").as_object()[kind].emplace_object();
        container.at("resources").at(kind).as_object()["example.com/gpu"] = "1";
      }
    }
    json::object spec{{"template", std::move(pod)}};
    spec["parallelism"] = 1 + rng_.below(3);
    spec["completions"] = 1 + rng_.below(4);
    json::object object{{"apiVersion", "batch/v1"},
                        {"kind", "Job"},
                        {"metadata", json::object{{"name", fmt::format("job-{}", ++jobs_)},
                                                  {"namespace", "default"}}},
                        {"spec", std::move(spec)}};
    spawn<client::ApiResult<json::value>>(
        client::ResourceClient(world_.api(), kJobs).create("default", object), ignore);
  }

  std::string draw(const std::vector<std::string>& from) { return from[rng_.below(from.size())]; }

  // One fault after the other, each ended some time later.
  void strike() {
    if (!working_) return;
    std::vector<std::string> machines = world_.machines();
    if (options_.store_members == 0) std::erase(machines, "store-1");
    const std::string machine = draw(machines);
    const Duration lasts(rng_.between(Duration(1s).count(), Duration(90s).count()));
    switch (rng_.below(8)) {
      case 0:
      case 1:
        note("kill " + machine);
        must(world_.kill(machine, rng_.chance(0.5)));
        world_.after(lasts, [this, machine] { must(world_.start(machine)); });
        break;
      case 2:
        note("cut off " + machine);
        must(world_.cut_off(machine));
        world_.after(lasts, [this, machine] { must(world_.rejoin(machine)); });
        break;
      case 3: {
        const std::string other = draw(machines);
        note("cut " + machine + " -> " + other);
        must(world_.cut(machine, other));
        break;  // until mend() or the next healing
      }
      case 4:
        note("slow network of " + machine);
        must(world_.degrade(machine, lasts / 500, rng_.unit() * 0.3));
        world_.after(lasts, [this, machine] { must(world_.degrade(machine, Duration(0), 0)); });
        break;
      case 5:
        note("pause " + machine);
        must(world_.pause(machine, lasts / 4));
        break;
      case 6:
        note("clock of " + machine);
        must(world_.shift_clock(machine, Duration(rng_.between(-30'000'000'000, 30'000'000'000))));
        break;
      default:
        strike_disk(lasts);
    }
    if (rng_.chance(0.1)) {
      note("heal");
      world_.heal();
    }
    world_.after(Duration(rng_.between(Duration(5s).count(), Duration(60s).count())),
                 [this] { strike(); });
  }

  void strike_disk(Duration lasts) {
    if (options_.store_members == 0) return;
    const std::string member =
        fmt::format("store-{}", 1 + rng_.below(static_cast<std::uint64_t>(options_.store_members)));
    static constexpr World::DiskFault kFaults[] = {World::DiskFault::kTorn, World::DiskFault::kFull,
                                                   World::DiskFault::kSlow};
    const World::DiskFault fault = kFaults[rng_.below(3)];
    note(fmt::format("disk of {}: {}", member, static_cast<int>(fault)));
    must(world_.disk(member, fault, Duration(rng_.below(500'000'000))));
    world_.after(lasts, [this, member] {
      must(world_.disk(member, World::DiskFault::kOk));
      must(world_.start(member));
    });
  }

  void must(const Status& status) { CHECK_MSG(status.ok(), status.message()); }

  void mend() {
    note("all is mended");
    world_.heal();
    for (const std::string& machine : world_.machines()) {
      must(world_.start(machine));
      must(world_.shift_clock(machine, Duration(0)));
    }
    for (int i = 1; i <= options_.store_members; ++i) {
      must(world_.disk(fmt::format("store-{}", i), World::DiskFault::kOk));
    }
  }

  // Empty when all has come to rest in time.
  std::string rest() {
    const TimePoint until = world_.now() + options_.rest_within;
    std::string why;
    do {
      world_.run_for(30s);
      if (world_.stopped()) return world_.failure();
      why = world_.unsettled();
      if (why.empty()) {
        world_.check();
        return world_.failure();
      }
    } while (world_.now() < until && !world_.stopped());
    if (world_.stopped()) return world_.failure();
    return fmt::format("not at rest {} after the faults: {} (seed {})",
                       human_duration(options_.rest_within), why, options_.seed);
  }

  const DrillOptions options_;
  const DrillLog log_;
  World world_;
  Rng rng_;
  bool working_ = true;
  std::set<std::string> made_;
  int jobs_ = 0;
};

}  // namespace

std::string decision_line(const World& world, const DecisionSeen& seen) {
  const scheduler::Decision& d = seen.kept.decision;
  std::string line = fmt::format("{} {} {} {} ", world.elapsed().count() / 1000, seen.scheduler,
                                 d.pod->key, d.pod->uid);
  switch (d.kind) {
    case scheduler::Decision::Kind::kPlaced:
      line += "-> " + d.node;
      break;
    case scheduler::Decision::Kind::kFitsNowhere:
      line += "fits nowhere: " + d.message;
      break;
    case scheduler::Decision::Kind::kBroken:
      line += "broken: " + d.message;
      break;
  }
  if (!d.nominated.empty()) line += " nominated " + d.nominated;
  line += fmt::format(" [{}/{}]", d.looked_at, d.nodes);
  for (std::size_t i = 0; i < d.why.scored(); ++i) {
    line += fmt::format(" {}={}", d.why.scored_node(i).name, d.why.totals[i]);
  }
  return line;
}

DrillOutcome run_drill(const DrillOptions& options, const DrillLog& log) {
  return Drill(options, log).run();
}

}  // namespace coracle::cluster_sim
