// storeload: runs one work against a store that speaks the etcd v3 API and prints one JSON line.
#include <fmt/format.h>

#include <cstring>

#include "base/check.hpp"
#include "base/flags.hpp"
#include "bench_store/load.hpp"
#include "bench_store/messages.hpp"
#include "bench_store/works.hpp"

namespace coracle::bench {
namespace {

struct Options {
  std::vector<std::string> endpoints;
  std::vector<std::string> pids;
  std::string work = "put";
  int connections = 9;
  int clients = 0;
  std::int64_t keys = 0;
  Duration warm_up = std::chrono::seconds(1);
  Duration time = std::chrono::seconds(5);
};

constexpr int kWatchersPerStream = 10;
constexpr int kFillers = 64;

// One stream that carries some watchers; counts the events, by the time their values begin with.
class WatchStream final : public Call {
 public:
  WatchStream(Load& load, bool counts) : load_(load), counts_(counts) {}

  void open(Connection& connection, int watchers, bool prev_kv) {
    const std::uint32_t stream = connection.open_stream(kWatchPath, this);
    const std::string end = std::string(kPrefix.substr(0, kPrefix.size() - 1)) + '0';
    for (int i = 0; i < watchers; ++i) {
      connection.send(stream, watch_request(kPrefix, end, prev_kv));
    }
  }
  void on_message(std::string_view head, std::size_t) override {
    ++messages;
    if (!counts_) return;
    const TimePoint now = real_clock().now();
    visit_events(head, [&](std::string_view value) {
      std::int64_t sent = 0;
      std::memcpy(&sent, value.data(), sizeof sent);
      load_.count(now - TimePoint(Duration(sent)));
    });
  }
  void on_end(const Status& status) override {
    fail_startup("a watch ended: " + status.to_string());
  }
  std::uint64_t messages = 0;

 private:
  Load& load_;
  const bool counts_;
};

std::vector<std::unique_ptr<WatchStream>> open_watchers(Load& load, const WorkSpec& spec) {
  std::vector<std::unique_ptr<WatchStream>> streams;
  const bool counts = spec.name == "watch";
  for (int left = spec.watchers; left > 0; left -= kWatchersPerStream) {
    streams.push_back(std::make_unique<WatchStream>(load, counts));
    streams.back()->open(load.connection(streams.size()), std::min(left, kWatchersPerStream),
                         !counts);
  }
  std::uint64_t created = 0;
  while (created < std::uint64_t(spec.watchers)) {
    load.turn(std::chrono::milliseconds(10));
    created = 0;
    for (const auto& stream : streams) created += stream->messages;
  }
  return streams;
}

const WorkSpec& find_work(const std::string& name) {
  for (const WorkSpec& spec : all_works()) {
    if (spec.name == name) return spec;
  }
  std::string known;
  for (const WorkSpec& spec : all_works())
    known += fmt::format("\n  {:10} {}", spec.name, spec.help);
  fail_startup("--work " + name + ": there are" + known);
}

Options parse(int argc, char** argv) {
  Options options;
  Flags flags("storeload", "A closed loop of clients for a store that speaks the etcd v3 API.",
              "storeload --endpoints 127.0.0.1:2379 --work put");
  flags.add("--endpoints", &options.endpoints, "host:port of each member").required();
  flags.add("--work", &options.work, "what to do");
  flags.add("--clients", &options.clients, "how many; 0: as the work says");
  flags.add("--connections", &options.connections, "over how many connections");
  flags.add("--keys", &options.keys, "how many keys there are before; 0: as the work says");
  flags.add("--warm-up", &options.warm_up, "before measuring");
  flags.add("--time", &options.time, "of measuring");
  flags.add("--pids", &options.pids, "the servers' processes, for their CPU time and memory");
  flags.parse(argc, argv);
  if (options.connections < 1) fail_startup("--connections: at least one");
  return options;
}

// For a script that counts beside us.
void say(std::string_view phase) {
  fmt::print("{}\n", phase);
  std::fflush(stdout);
}

int run(const Options& options) {
  WorkSpec spec = find_work(options.work);
  if (options.clients > 0) spec.clients = options.clients;
  if (options.keys > 0) spec.keys_before = int(options.keys);
  std::vector<std::int64_t> pids;
  for (const std::string& pid : options.pids) pids.push_back(std::stoll(pid));
  Load load(options.endpoints, options.connections, pids);
  if (spec.keys_before > 0) {
    const Filling filling = fill_work(0, std::uint64_t(spec.keys_before), spec.value_bytes);
    load.run_until(kFillers, filling.make, filling.done);
  }
  Numbers n;
  if (spec.make) {
    const auto watchers = open_watchers(load, spec);
    n = load.measure(spec.clients, spec.make, options.warm_up, options.time, spec.name != "watch",
                     [](bool begins) { say(begins ? "begin" : "end"); });
  }
  std::string resident;
  for (const double mb : load.resident_mb()) {
    resident += fmt::format("{}{:.1f}", resident.empty() ? "" : ", ", mb);
  }
  say(
      fmt::format("{{\"work\": \"{}\", \"seconds\": {:.3f}, \"calls\": {}, \"operations\": {}, "
                  "\"p50_ms\": {:.3f}, \"p99_ms\": {:.3f}, \"server_cpu_s\": {:.2f}, "
                  "\"client_cpu_s\": {:.2f}, \"resident_mb\": [{}]}}",
                  spec.name, n.seconds, n.calls, n.operations, n.p50_ms, n.p99_ms,
                  n.server_cpu_seconds, n.client_cpu_seconds, resident));
  return 0;
}

}  // namespace
}  // namespace coracle::bench

int main(int argc, char** argv) { return coracle::bench::run(coracle::bench::parse(argc, argv)); }
