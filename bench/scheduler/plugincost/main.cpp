// plugincost: what a decision costs with one plugin more: our own, in a shared object, a program,
// an extender; each over the same nodes and pods, through the code the scheduler runs. The program
// and the extender are the Python samples; the figures hold their time to answer.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "base/flags.hpp"
#include "cache/cache.hpp"
#include "config/config.hpp"
#include "driver/extenders.hpp"
#include "live/http_extenders.hpp"
#include "net/asio_executor.hpp"
#include "plugin_abi/shared_object.hpp"
#include "programs/waiting_processes.hpp"

using namespace coracle;
using namespace coracle::scheduler;

namespace {

constexpr const char* kHead =
    "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

constexpr int kRounds = 3;  // of which the best is told

struct Places {
  std::string samples, objects;  // folders
};

struct Variant {
  std::string name, config;
};

std::string declares(const std::string& args) {
  return fmt::format(
      "profiles:\n- plugins: {{multiPoint: {{enabled: [{{name: Mine, weight: 1}}]}}}}\n"
      "  pluginConfig:\n  - name: Mine\n    args: {{apiVersion: lab.coracle.dev/v1alpha1, {}}}\n",
      args);
}

std::vector<Variant> variants(int extender_port) {
  return {{"none", "profiles: [{plugins: {multiPoint: {disabled: [{name: ImageLocality}]}}}]\n"},
          {"in-tree", ""},  // ImageLocality, a score of ours
          {"shared object", declares("kind: SharedObjectArgs, path: best_fit.so")},
          {"process", declares("kind: ExternalProcessArgs, onFailure: stop, timeout: 30s, "
                               "command: [python3, carbon.py]")},
          {"extender",
           fmt::format("extenders: [{{urlPrefix: 'http://127.0.0.1:{}', filterVerb: filter, "
                       "prioritizeVerb: prioritize, weight: 1, nodeCacheCapable: true, "
                       "httpTimeout: 30s}}]\n",
                       extender_port)}};
}

json::value node_object(int i) {
  const std::string name = fmt::format("node-{}", 2 * i);  // even: the sample extender lets them
  return json::object{
      {"metadata",
       json::object{{"name", name},
                    {"labels", json::object{{"kubernetes.io/hostname", name},
                                            {"carbon", std::to_string(100 + i % 700)}}}}},
      {"spec", json::object()},
      {"status", json::object{{"allocatable",
                               json::object{{"cpu", "4"}, {"memory", "32Gi"}, {"pods", "110"}}}}}};
}

json::value pod_object(int i) {
  const std::string name = fmt::format("pod-{}", i);
  const json::object requests{{"cpu", "100m"}, {"memory", "500Mi"}};
  const json::object container{
      {"name", "c"}, {"image", "nginx"}, {"resources", json::object{{"requests", requests}}}};
  return json::object{
      {"metadata", json::object{{"name", name}, {"namespace", "bench"}, {"uid", name}}},
      {"spec", json::object{{"containers", json::array{container}}}}};
}

// A child that prints its port.
struct Server {
  Child child;
  int port = 0;
  ~Server() { static_cast<void>(end_child(child, Duration(0))); }
};

void start_extender(const Places& places, Server* server) {
  auto child = start_child({"python3", "extender.py"}, places.samples);
  if (!child.ok()) fail_startup("--samples: " + child.status().message());
  server->child = *child;
  LineReader lines(4096);
  std::optional<std::string> line;
  while (!(line = lines.next())) {
    pollfd ready{child->out, POLLIN, 0};
    if (poll(&ready, 1, 10'000) <= 0) fail_startup("--samples: extender.py does not say its port");
    const auto more = lines.read_from(child->out);
    if (!more.ok() || !*more) fail_startup("--samples: extender.py ended");
  }
  server->port = std::atoi(line->c_str());
}

struct Measured {
  double mean = 0, p50 = 0, p99 = 0;
};

Measured measure(const Variant& variant, const Places& places, int nodes, int pods,
                 net::AsioExecutor& executor) {
  Config config;
  const Status parsed = parse_config(
      kHead + variant.config, &config,
      [&](const SharedObjectSpec& spec) { return load_shared_object(spec, places.objects); });
  if (!parsed.ok()) fail_startup(variant.name + ": " + parsed.message());
  const auto servers = HttpExtenders::create(executor, config.extenders);
  if (!servers.ok()) fail_startup(variant.name + ": " + servers.status().message());
  WaitingProcesses programs(places.samples, real_clock());
  std::map<std::string, json::value> pod_objects;
  Extenders outside(config.extenders, servers->get(), &programs,
                    {[&](const std::string& key) { return pod_objects.at(key); },
                     [](const std::string&) { return json::value(); }});
  Cache cache;
  for (int i = 0; i < nodes; ++i) cache.set_node(parse_node(node_object(i)));
  const Profile& profile = config.profiles[0];
  Rotation rotation;
  std::vector<double> micros;
  for (int i = 0; i < pods; ++i) {
    const json::value object = pod_object(i);
    const PodPtr pod = parse_pod(object);
    pod_objects.emplace(pod->key, object);
    const TimePoint before = real_clock().now();
    const Decision decision =
        outside.decide_on(profile, *pod)
            ? net::block_on(executor, outside.decide(profile, pod, cache.snapshot(), rotation))
            : decide(profile, pod, cache.snapshot(), rotation);
    const TimePoint after = real_clock().now();
    if (decision.node.empty()) fail_startup(variant.name + ": " + decision.message);
    // The first starts the program and tells it the nodes.
    if (i != 0) micros.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    cache.assume(*pod, decision.node);
  }
  std::sort(micros.begin(), micros.end());
  const auto count = static_cast<double>(micros.size());
  return {std::accumulate(micros.begin(), micros.end(), 0.0) / count, micros[micros.size() / 2],
          micros[micros.size() * 99 / 100]};
}

}  // namespace

int main(int argc, char** argv) {
  Places places{"examples/research", ""};
  int pods = 500;
  Flags flags("plugincost",
              "Measures a decision with a plugin of our own, in a shared object, as a program, and "
              "with an extender.",
              "plugincost --pods 1000");
  flags.add("--samples", &places.samples, "the folder of carbon.py and extender.py");
  flags.add("--pods", &pods, "decisions of each kind");
  flags.parse(argc, argv);
  if (pods < 10) fail_startup("--pods: at least 10");
  std::error_code error;
  places.objects =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path() /
      "plugins";
  net::AsioExecutor executor;
  Server extender;
  start_extender(places, &extender);
  std::cout << fmt::format("{:<16}{:>8}{:>12}{:>12}{:>12}{:>14}\n", "PLUGIN", "NODES", "MEAN US",
                           "P50 US", "P99 US", "MORE US (P50)");
  for (const int nodes : {500, 5000}) {
    const std::vector<Variant> all = variants(extender.port);
    // In turns, so that what else the machine does meets all alike; the first warms up for all.
    measure(all.front(), places, nodes, pods, executor);
    std::vector<Measured> best(all.size());
    for (int round = 0; round < kRounds; ++round) {
      for (size_t i = 0; i < all.size(); ++i) {
        const Measured m = measure(all[i], places, nodes, pods, executor);
        if (round == 0 || m.p50 < best[i].p50) best[i] = m;
      }
    }
    for (size_t i = 0; i < all.size(); ++i) {
      std::cout << fmt::format("{:<16}{:>8}{:>12.0f}{:>12.0f}{:>12.0f}{:>14.0f}\n", all[i].name,
                               nodes, best[i].mean, best[i].p50, best[i].p99,
                               best[i].p50 - best.front().p50)
                << std::flush;
    }
  }
  return 0;
}
