// coracle sim record: a running cluster as a trace.
#include <fmt/format.h>

#include <cstdio>

#include "client/informer.hpp"
#include "live_sim/recorder.hpp"
#include "program/commands.hpp"
#include "program/live_cluster.hpp"
#include "trace/trace_file.hpp"

namespace coracle::sim {
namespace {

// Nodes first, so that pods find theirs.
class Recording {
 public:
  explicit Recording(LiveCluster& cluster)
      : cluster_(cluster),
        began_(cluster.executor().now()),
        wall_(cluster.executor().wall_now()),
        nodes_(cluster.executor(), cluster.api(), Rng(secure_random_seed()),
               {.gvr = {"", "v1", "nodes", false}}),
        pods_(cluster.executor(), cluster.api(), Rng(secure_random_seed()),
              {.gvr = {"", "v1", "pods"}}) {}

  void start() {
    nodes_.add_handler(handler([this](const json::value* before, const json::value* after) {
      recorder_.node(now(), before, after);
    }));
    pods_.add_handler(handler([this](const json::value* before, const json::value* after) {
      recorder_.pod(now(), before, after);
      if (recorder_.full()) cluster_.stop();
    }));
    nodes_.when_synced([this] { pods_.start(); });
    pods_.when_synced([] { std::fputs("ready: what is there is recorded\n", stderr); });
    nodes_.start();
  }
  bool has_synced() const { return pods_.has_synced(); }
  std::string last_error() const {
    return nodes_.last_error().empty() ? pods_.last_error() : nodes_.last_error();
  }
  const Recorder& recorder() const { return recorder_; }
  Trace finish(const std::string& name) const {
    return recorder_.finish(name, "recorded from a running cluster", wall_);
  }

 private:
  // What is there at the beginning is of time 0.
  Duration now() const {
    if (!pods_.has_synced()) return Duration(0);
    return std::chrono::duration_cast<std::chrono::microseconds>(cluster_.executor().now() -
                                                                 began_);
  }
  static client::InformerHandler handler(
      std::function<void(const json::value* before, const json::value* after)> told) {
    return {[told](const auto& object, bool) { told(nullptr, object.get()); },
            [told](const auto& before, const auto& after) { told(before.get(), after.get()); },
            [told](const auto& object, bool) { told(object.get(), nullptr); }};
  }

  LiveCluster& cluster_;
  const TimePoint began_;
  const WallTime wall_;
  client::Informer nodes_, pods_;
  Recorder recorder_;
};

}  // namespace

int run_record(int argc, char** argv) {
  LiveFlags live;
  std::string out, name = "recorded";
  Flags flags("coracle sim record",
              "Records what pods and nodes of a running cluster do, until Ctrl-C or --for, as a "
              "trace (docs/formats/trace.md) that scenarios replay.",
              "coracle sim record --kubeconfig .coracle/kubeconfig --for 10m --out day.jsonl");
  add_live_flags(flags, &live);
  flags.add("--out", &out, "the trace to write").required();
  flags.add("--name", &name, "what the trace is called");
  flags.parse(argc, argv);
  LiveCluster cluster(live);
  Recording recording(cluster);
  recording.start();
  std::fprintf(stderr, "recording %s; Ctrl-C ends it\n", cluster.server().c_str());
  const bool seen = cluster.run(
      "coracle sim record", [&] { return recording.has_synced(); },
      [&] { return recording.last_error(); });
  if (!seen) return 1;
  const Trace trace = recording.finish(name);
  if (const Status written = write_trace_file(trace, out); !written.ok()) {
    std::fprintf(stderr, "coracle sim record: %s\n", written.message().c_str());
    return 1;
  }
  const TraceCounts counts = trace.counts();
  std::printf("%s: %lld nodes, %lld node events, %lld pods\n", out.c_str(),
              static_cast<long long>(counts.nodes), static_cast<long long>(counts.node_events),
              static_cast<long long>(counts.pods));
  if (!recording.recorder().full()) return 0;
  std::fputs("coracle sim record: it ended early, at the most lines a recording may have\n",
             stderr);
  return 1;
}

}  // namespace coracle::sim
