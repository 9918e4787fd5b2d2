// store-load: clients and watchers of a store that is being broken, and what they were told.
//
// Runs until its standard input ends, then waits for every watcher and member to have everything,
// and prints one JSON object. Exit 1: something that must not happen did, and is named.
#include <absl/synchronization/mutex.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/check.hpp"
#include "base/flags.hpp"
#include "base/strings.hpp"
#include "store_load/finish.hpp"

namespace {

using namespace coracle;
using namespace coracle::load;

struct Settings {
  std::string endpoints, history;
  int clients = 6, watchers = 3;
  double rate = 200;
  std::int64_t seed = 1, pad = 0;
};

Settings settings_of(int argc, char** argv) {
  Settings settings;
  Flags flags("store-load", "Random load on a store, with a recorded history.",
              "store-load --endpoints 127.0.0.1:2379 --history h.jsonl");
  flags.add("--endpoints", &settings.endpoints, "HOST:PORT,... of all members").required();
  flags.add("--history", &settings.history, "the file to write").required();
  flags.add("--clients", &settings.clients, "closed-loop clients");
  flags.add("--watchers", &settings.watchers, "watchers of the whole store");
  flags.add("--rate", &settings.rate, "operations a second, of all clients together");
  flags.add("--seed", &settings.seed, "of all random choices");
  flags.add("--pad", &settings.pad, "bytes more for each value that is written once");
  flags.parse(argc, argv);
  if (settings.clients < 1) fail_startup("--clients: must be positive");
  if (settings.watchers < 1) fail_startup("--watchers: must be positive");
  if (settings.pad < 0) fail_startup("--pad: must not be negative");
  if (!(settings.rate > 0)) fail_startup("--rate: must be positive");
  return settings;
}

void wait_for_end_of_input() {
  char ignored[256];
  while (::read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
  }
}

// Compaction keeps behind the slowest watcher.
void follow_watchers(Run* run, const std::vector<std::unique_ptr<Watcher>>& watchers) {
  while (!run->stop.wait(std::chrono::milliseconds(100))) {
    std::int64_t low = watchers.front()->last();
    for (const auto& watcher : watchers) low = std::min(low, watcher->last());
    run->safe.store(low);
  }
}

int run_load(const Settings& settings) {
  Run run;
  run.pad = static_cast<std::size_t>(settings.pad);
  run.members = connect(split(settings.endpoints, ','));
  auto history = History::create(settings.history);
  if (!history.ok()) fail_startup("--history: " + history.status().message());
  run.history = history->get();
  Rng rng(static_cast<std::uint64_t>(settings.seed));

  Client keeper(&run, settings.clients, rng.next());
  const auto first = keeper.put_for_certain("first", std::chrono::seconds(30));
  if (!first) fail_startup("--endpoints: no member takes a write");
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int n = 0; n < settings.watchers; ++n) {
    Watcher::Options options;
    options.number = n;
    options.after = *first;
    options.long_lived = n % 2 == 1;
    options.prev_kv = n % 3 != 1;
    options.in_history = n == 0;
    watchers.push_back(std::make_unique<Watcher>(&run, options, rng.next()));
  }
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < settings.clients; ++n) {
    clients.push_back(std::make_unique<Client>(&run, n, rng.next()));
  }
  std::vector<std::thread> client_threads, watcher_threads;
  const auto pause = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(settings.clients / settings.rate));
  for (const auto& client : clients) {
    client_threads.emplace_back([&client, pause] { client->loop(pause); });
  }
  for (const auto& watcher : watchers) {
    watcher_threads.emplace_back([&watcher] { watcher->loop(); });
  }
  std::thread follower([&] { follow_watchers(&run, watchers); });
  std::puts("running");
  std::fflush(stdout);
  wait_for_end_of_input();
  run.stop.raise();
  follower.join();
  for (std::thread& thread : client_threads) thread.join();
  const auto last = keeper.put_for_certain("last", std::chrono::seconds(60));
  if (!last) run.fault("the store takes no writes any more");
  keeper.read_all();
  for (const auto& watcher : watchers) watcher->finish_at(last.value_or(1));
  if (last) keeper.put_for_certain("end", std::chrono::seconds(60));  // wakes all watchers
  for (std::thread& thread : watcher_threads) thread.join();
  json::object summary = finish(&run, last.value_or(0), clients, watchers);
  if (const Status status = run.history->close(); !status.ok()) run.fault(status.message());
  json::array faults;
  for (const std::string& text : run.faults) faults.emplace_back(text);
  const bool good = faults.empty();
  summary["faults"] = std::move(faults);
  std::puts(to_json(json::value(std::move(summary))).c_str());
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's abseil looks for deadlock cycles inside gRPC, at a price.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Blocking calls that fail at once poll for nobody; without this, a channel may take 5 s to see
  // that its connection is there.
  ::setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 0);
  return run_load(settings_of(argc, argv));
}
