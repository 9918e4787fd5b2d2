// sim-day: a virtual day of a simulated cluster: nodes in three zones, pods that come at random and
// run for a while, a zone that loses power for an hour at noon. Prints what it took.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "client/resource.hpp"
#include "cluster_sim/world.hpp"

namespace {

using namespace coracle;
using namespace std::chrono_literals;
using cluster_sim::World;

const client::Gvr kPods{"", "v1", "pods", true};

struct Options {
  int nodes = 1000, pods = 50'000, seed = 1, store_members = 3;
  double hours = 24;
  Duration lease = 20min;
  bool events = true;
};

cluster_sim::WorldOptions world_options(const Options& o) {
  cluster_sim::WorldOptions options;
  options.seed = static_cast<std::uint64_t>(o.seed);
  options.store.members = o.store_members;
  options.kubelet = cluster_sim::paced(o.lease);
  options.kubelet.events = o.events;
  for (int i = 1; i <= o.nodes; ++i) {
    kubelet::NodeFacts node;
    node.name = fmt::format("node-{}", i);
    node.cpu = i % 3 == 0 ? "32" : "16";
    node.memory = i % 3 == 0 ? "128Gi" : "64Gi";
    node.labels["topology.kubernetes.io/zone"] = fmt::format("zone-{}", i % 3);
    options.nodes.push_back(std::move(node));
  }
  return options;
}

// Pods come as a Poisson process; how long they run is exponential, an hour in the mean.
class Load {
 public:
  Load(World& world, const Options& options)
      : world_(world), rng_(world.rng().split()), left_(options.pods) {
    mean_gap_ = Duration(static_cast<std::int64_t>(options.hours * 3.6e12 / options.pods));
    world_.on_pod([this](const client::ObjectPtr& before, const client::ObjectPtr& after) {
      if (!after || (before && over(*before)) || !over(*after)) return;
      ++ended_;
      remove(*after);
    });
  }
  void start() { next(); }
  int ended() const { return ended_; }

 private:
  static bool over(const json::value& pod) {
    const std::string_view phase = get_string(pod, "status.phase");
    return phase == "Succeeded" || phase == "Failed";
  }
  Duration exponential(Duration mean) {
    return Duration(
        static_cast<std::int64_t>(-std::log(1 - rng_.unit()) * static_cast<double>(mean.count())));
  }
  void next() {
    if (left_-- <= 0) return;
    const auto runs = std::chrono::duration_cast<std::chrono::seconds>(exponential(1h)) + 1s;
    const std::uint64_t cpu = 250 * (1 + rng_.below(16)), memory = 256 * (1 + rng_.below(16));
    json::value pod = *parse_json(fmt::format(
        R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p-{}","namespace":"default"}},)"
        R"("spec":{{"restartPolicy":"Never","containers":[{{"name":"c","image":"batch",)"
        R"("command":["sleep","{}"],"resources":{{"requests":{{"cpu":"{}m","memory":"{}Mi"}}}}}}]}}}})",
        ++number_, runs.count(), cpu, memory));
    const client::ResourceClient api(world_.api(), kPods);
    spawn<client::ApiResult<json::value>>(api.create("default", pod),
                                          [](const client::ApiResult<json::value>& made) {
                                            CHECK_MSG(made.ok(), made.error().message);
                                          });
    world_.after(exponential(mean_gap_), [this] { next(); });
  }
  void remove(const json::value& pod) {
    client::DeleteOptions options;
    options.grace_period_seconds = 0;
    spawn<client::ApiResult<json::value>>(
        client::ResourceClient(world_.api(), kPods)
            .remove("default", std::string(get_string(pod, "metadata.name")), options),
        [](const client::ApiResult<json::value>&) {});
  }

  World& world_;
  Rng rng_;
  int left_, number_ = 0, ended_ = 0;
  Duration mean_gap_;
};

double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(real_clock().now() - start).count();
}

void fail_zone(World& world, Duration at, Duration lasts) {
  world.after(at, [&world] {
    for (const std::string& node : world.machines_of_zone("zone-1")) (void)world.kill(node);
  });
  world.after(at + lasts, [&world] {
    for (const std::string& node : world.machines_of_zone("zone-1")) (void)world.start(node);
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  Flags flags("sim-day", "A virtual day of a simulated cluster, and what it took.", "sim-day");
  flags.add("--nodes", &o.nodes, "how many");
  flags.add("--pods", &o.pods, "how many come");
  flags.add("--seed", &o.seed, "what all is drawn from");
  flags.add("--hours", &o.hours, "of virtual time");
  flags.add("--store-members", &o.store_members, "0: a store in memory");
  flags.add("--lease-duration", &o.lease, "of nodes, which are so much slower than upstream's 40s");
  flags.add("--events", &o.events, "kubelets record events");
  flags.parse(argc, argv);
  log::init("sim-day", log::Level::kError);

  const TimePoint start = real_clock().now();
  World world(world_options(o));
  Load load(world, o);
  if (const Status booted = world.boot(); !booted.ok()) {
    fail_startup(booted.message());
  }
  const double boot = seconds_since(start);
  fmt::print("booted: {:.1f} s, {} events\n", boot, world.stats().events);
  load.start();
  const auto day = Duration(static_cast<std::int64_t>(o.hours * 3.6e12));
  fail_zone(world, day / 2, day / 24);
  for (int part = 1; part <= 24 && world.failure().empty(); ++part) {
    world.run_for(day / 24);
    fmt::print("hour {:2}: {:.1f} s, {} events, {} pods over\n", part, seconds_since(start),
               world.stats().events, load.ended());
    std::fflush(stdout);
  }
  const double cpu = cpu_seconds();
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const cluster_sim::Stats s = world.stats();
  fmt::print(
      "day of {} nodes, {} pods: {:.1f} s, of them boot {:.1f} s; {:.1f} s of CPU; {} events, "
      "{} messages, {} decisions, {} binds; {} MB\n",
      o.nodes, o.pods, seconds_since(start), boot, cpu, s.events, s.messages, s.decisions, s.binds,
      use.ru_maxrss / 1024);
  if (!world.failure().empty()) fmt::print("FAIL {}\n", world.failure());
  return world.failure().empty() ? 0 : 1;
}
