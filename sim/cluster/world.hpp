// World: a whole cluster in one thread on virtual time: Raft store, apiservers, controllers,
// schedulers and kubelets, each the code of the live daemon on a machine of its own, between them a
// simulated network. Everything that is chance comes from one seed.
//
//   WorldOptions options;
//   options.nodes = {...};
//   World world(options);
//   if (Status s = world.boot(); !s.ok()) ...     // store leads, apiserver ready, nodes Ready
//   world.on_decision([](const DecisionSeen& d) { ... });
//   spawn<...>(create_things(world.api()), ...);
//   world.after(5min, [&] { world.kill("store-1"); });
//   world.run_for(24h);
//   if (!world.failure().empty()) ...
//
// Machines have names: "store-1".., "apiserver-1".., "controller-manager-1".., "SCHEDULER-1".. (by
// SchedulerSpec::name) and the nodes' own. A fault names machines; an unknown name is NotFound.
//
// Owner: one thread, which calls nothing of it from inside a hook but what says so. Costs: memory
// for every object once per cache that holds it; time per event, see docs/sim.md.
// Errors: a broken promise (invariants.hpp) ends the run: failure() says what, when and the seed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/api.hpp"
#include "client/object_cache.hpp"
#include "cluster_sim/options.hpp"
#include "cluster_sim/stats.hpp"
#include "queue/queue.hpp"
#include "why/decision_log.hpp"

namespace coracle::cluster_sim {

struct DecisionSeen {
  std::string scheduler;                // the machine
  const scheduler::KeptDecision& kept;  // with its explanation (why/decision_object.hpp)
};
using DecisionHook = std::function<void(const DecisionSeen&)>;

// An object as an apiserver's watch told of it; `before` null: new; `after` null: gone.
using ObjectHook =
    std::function<void(const client::ObjectPtr& before, const client::ObjectPtr& after)>;

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Starts everything but WorldOptions::absent. DeadlineExceeded, saying what is missing, when not
  // all is Ready by then.
  Status boot(Duration limit = std::chrono::minutes(10));

  // ---- time. A hook may call now(), wall_now() and after(). ----
  TimePoint now() const;
  WallTime wall_now() const;
  Duration elapsed() const;  // since the end of boot()
  void after(Duration delay, std::function<void()> work);
  // False when nothing is left to happen, or a promise was broken.
  bool step();
  void run_for(Duration span);
  // True when `done`, looked at after each event.
  bool run_until(const std::function<bool()>& done, Duration limit);

  // After so many events nothing happens any more (Stats::events), as after a broken promise.
  void stop_at(std::uint64_t event);
  bool stopped() const;

  // ---- the people's machine: reaches every apiserver, whatever is cut ----
  Executor& executor();
  client::Api& api();  // as system:masters
  Rng& rng();          // for generators: split it

  // ---- hooks; set before or after boot() ----
  void on_decision(DecisionHook hook);
  // Every change of a resource, by a watch of the people's machine (costs what a watch costs).
  void on_pod(ObjectHook hook);
  void on_node(ObjectHook hook);
  const client::ObjectCache& pods();  // as that watch has them
  const client::ObjectCache& nodes();

  // ---- faults (docs/sim.md). A hook may call them. ----
  std::vector<std::string> machines() const;
  std::vector<std::string> zones() const;
  std::vector<std::string> machines_of_zone(const std::string& zone) const;
  bool running(const std::string& machine) const;
  // Its processes are gone from one moment to the next; of a store member also what its disk had
  // not synced, if `power`.
  Status kill(const std::string& machine, bool power = true);
  Status start(const std::string& machine);  // from what its disk has, or the API tells it
  // Nothing runs on it for so long, as of a process that is stopped.
  Status pause(const std::string& machine, Duration span);
  // It cannot be reached and reaches nobody (its processes go on), until rejoin().
  Status cut_off(const std::string& machine);
  Status rejoin(const std::string& machine);
  // One direction between two machines.
  Status cut(const std::string& from, const std::string& to);
  void heal();  // all of the network
  // Messages of the machine, both ways, take longer by up to `extra`, and this share is lost (and
  // repeated by TCP 200 ms later; lost for good between members of the store).
  Status degrade(const std::string& machine, Duration extra, double loss);
  // Its time of day is off by so much; 0: right again.
  Status shift_clock(const std::string& machine, Duration by);
  // Of a store member: the next writes fail (it gives up, and must be started again), stay full
  // for so many writes, or every sync takes up to this long.
  enum class DiskFault { kTorn, kFull, kSlow, kOk };
  Status disk(const std::string& member, DiskFault fault, Duration slow = {});
  std::string leader() const;  // the store's, by name; empty: none

  // ---- what is promised ----
  // Empty: all is well. Else what is broken, when, and the seed.
  const std::string& failure() const;
  // Looks at everything now; run_for() looks once a virtual minute.
  void check();
  // Faults over, nothing new: have controllers come to rest? Empty: yes; else who has not.
  std::string unsettled();
  Stats stats() const;
  // What waits in the schedulers that lead, together; none: nobody leads.
  std::optional<scheduler::Queue::Sizes> queue() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace coracle::cluster_sim
