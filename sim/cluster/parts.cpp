#include "cluster_sim/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace coracle::cluster_sim {
namespace {

constexpr Duration kCheckEvery = std::chrono::minutes(1);
constexpr Duration kKubeletsStartWithin = std::chrono::seconds(10);

std::string numbered(const std::string& name, int number) {
  return name + "-" + std::to_string(number);
}

}  // namespace

KubeletOptions paced(Duration lease_duration) {
  KubeletOptions out;
  const double slower = std::max(1.0, static_cast<double>(lease_duration.count()) /
                                          static_cast<double>(out.lease_duration.count()));
  const auto stretch = [slower](Duration* span) {
    *span = Duration(static_cast<std::int64_t>(static_cast<double>(span->count()) * slower));
  };
  out.lease_duration = lease_duration;
  for (Duration* span :
       {&out.status_every, &out.eviction_every, &out.watch.at_least, &out.watch.at_most}) {
    stretch(span);
  }
  out.watch.bookmarks = slower < 2;
  return out;
}

Status check(const WorldOptions& options) {
  const int members = options.store.members;
  if (members != 0 && members != 1 && members != 3 && members != 5) {
    return invalid_argument(fmt::format("store.members: {} is not 0, 1, 3 or 5", members));
  }
  if (options.apiservers < 1) return invalid_argument("apiservers: must be at least 1");
  std::set<std::string> names;
  for (const kubelet::NodeFacts& node : options.nodes) {
    if (node.name.empty()) return invalid_argument("nodes: a node has no name");
    if (!names.insert(node.name).second) {
      return invalid_argument(fmt::format("nodes: \"{}\" is there twice", node.name));
    }
  }
  for (const SchedulerSpec& spec : options.schedulers) {
    if (spec.replicas < 1) {
      return invalid_argument(
          fmt::format("schedulers: \"{}\": replicas must be at least 1", spec.name));
    }
    if (!names.insert(numbered(spec.name, 1)).second) {
      return invalid_argument(fmt::format("schedulers: \"{}\" is there twice", spec.name));
    }
    if (!spec.config.extenders.empty()) {
      return invalid_argument(
          "schedulers: extenders are servers of others; the simulated world "
          "has none");
    }
  }
  if (options.controllers.replicas < 0) {
    return invalid_argument("controllers.replicas: must not be negative");
  }
  if (options.network.delay_min < Duration(0) ||
      options.network.delay_max < options.network.delay_min) {
    return invalid_argument("network: delay_max is less than delay_min, or one is negative");
  }
  if (options.kubelet.lease_duration < std::chrono::seconds(4)) {
    return invalid_argument("kubelet.lease_duration: must be at least 4s");
  }
  const client::WatchPace& watch = options.kubelet.watch;
  if (watch.at_least < std::chrono::seconds(2) || watch.at_most < watch.at_least) {
    return invalid_argument("kubelet.watch: at_least must be 2s or more, and at_most not less");
  }
  return {};
}

World::Parts::Parts(WorldOptions wanted)
    : options(std::move(wanted)),
      rng(options.seed),
      network(timeline, options.network, rng.split()),
      site{timeline,
           network,
           options.start - timeline.now().time_since_epoch(),
           {},
           {},
           {},
           Acknowledged(options.store.members > 0)},
      people(network.add("people")),
      people_rng(rng.split()) {
  network.exempt(people);
  make_control_plane();
  make_kubelets();
  people.life = 1;
  people.strand = std::make_shared<Strand>(timeline, site.epoch, people.clock);
  api = std::make_unique<SimApi>(network, people, site.apiservers, site.lines,
                                 Identity{"admin", {"system:masters"}}, 0);
  observer = std::make_unique<Observer>(*people.strand, *api, rng.split(),
                                        [this](const std::string& what) { fail(what); });
}

World::Parts::~Parts() {
  // As if everything lost power at once: nothing is told to anybody any more.
  for (const auto& machine : network.machines()) {
    if (machine->strand) machine->strand->die();
  }
  for (const auto& machine : network.machines()) {
    if (machine->strand) machine->strand->drop();
  }
  api->drop_calls();
  observer.reset();
  api.reset();
  kubelets.clear();
  schedulers.clear();
  controllers.clear();
  apiservers.clear();
  stores.clear();
  for (const auto& machine : network.machines()) {
    if (machine->strand) machine->strand->drop();
  }
  while (timeline.waiting() > 0) timeline.drop(nullptr);
}

void World::Parts::make_control_plane() {
  std::vector<std::string> names;
  for (int i = 1; i <= std::max(options.store.members, 1); ++i)
    names.push_back(numbered("store", i));
  for (const std::string& name : names) {
    store_ports.push_back(std::make_unique<StorePort>());
    StorePort& port = *store_ports.back();
    site.stores.push_back(&port);
    Machine& machine = network.add(name);
    if (options.store.members == 0) {
      stores.push_back(make_memory_store(site, machine, rng.split(), port));
    } else {
      stores.push_back(std::make_unique<StoreDaemon>(site, machine, rng.split(), port,
                                                     options.store, names, members));
    }
  }
  for (int i = 1; i <= options.apiservers; ++i) {
    api_ports.push_back(std::make_unique<ApiServerPort>());
    site.apiservers.push_back(api_ports.back().get());
    apiservers.push_back(make_apiserver(site, network.add(numbered("apiserver", i)), rng.split(),
                                        *api_ports.back()));
  }
  for (int i = 1; i <= options.controllers.replicas; ++i) {
    controllers.push_back(make_controllers(site, network.add(numbered("controller-manager", i)),
                                           rng.split(), options));
  }
  for (const SchedulerSpec& spec : options.schedulers) {
    for (int i = 1; i <= spec.replicas; ++i) {
      schedulers.push_back(
          make_scheduler(site, network.add(numbered(spec.name, i)), rng.split(), spec,
                         [this](const std::string& machine, const scheduler::KeptDecision& kept) {
                           ++decisions;
                           for (const DecisionHook& hook : decision_hooks) hook({machine, kept});
                         }));
    }
  }
}

void World::Parts::make_kubelets() {
  for (std::size_t i = 0; i < options.nodes.size(); ++i) {
    kubelets.push_back(
        make_kubelet(site, network.add(options.nodes[i].name), rng.split(), options, i));
  }
}

// Not all in one moment, or they would renew in step for ever.
void World::Parts::start_kubelets() {
  for (const auto& kubelet : kubelets) {
    if (options.absent.contains(kubelet->machine().name)) continue;
    const Duration wait(
        rng.below(static_cast<std::uint64_t>(Duration(kKubeletsStartWithin).count())));
    timeline.at(timeline.now() + wait, [daemon = kubelet.get()] { daemon->start(); });
  }
}

bool World::Parts::ready(const Daemons& daemons) {
  return std::all_of(daemons.begin(), daemons.end(), [](const auto& d) { return d->ready(); });
}

bool World::Parts::store_ready() const { return ready(stores); }

bool World::Parts::nodes_ready() {
  if (!observer->has_synced()) return false;
  const auto& nodes = options.nodes;
  const auto settled = [&](const std::string& name) {
    return options.absent.contains(name) || observer->usable(name);
  };
  while (nodes_seen_ready < nodes.size() && settled(nodes[nodes_seen_ready].name)) {
    ++nodes_seen_ready;
  }
  return nodes_seen_ready == nodes.size();
}

std::string World::Parts::store_leader() const {
  const StoreDaemon* best = nullptr;
  for (const auto& [id, daemon] : members) {
    store::Member* const member = daemon->member();
    if (member == nullptr || member->core().role() != raft::Role::kLeader) continue;
    if (best == nullptr || member->core().term() > best->member()->core().term()) best = daemon;
  }
  return best == nullptr ? std::string() : best->machine().name;
}

StoreDaemon* World::Parts::find_member(const std::string& machine) {
  for (const auto& [id, daemon] : members) {
    if (daemon->machine().name == machine) return daemon;
  }
  return nullptr;
}

Daemon* World::Parts::find(const std::string& machine) {
  for (Daemons* all : {&stores, &apiservers, &controllers, &schedulers, &kubelets}) {
    for (const auto& daemon : *all) {
      if (daemon->machine().name == machine) return daemon.get();
    }
  }
  return nullptr;
}

void World::Parts::check_every_minute() {
  timeline.at(timeline.now() + kCheckEvery, [this] {
    check();
    check_every_minute();
  });
}

void World::Parts::check() {
  observer->check_capacity();
  const StoreDaemon* const leader = find_member(store_leader());
  if (leader == nullptr) return;
  const std::string lost = site.acknowledged.look(*leader->member());
  if (!lost.empty()) fail(lost);
}

void World::Parts::fail(const std::string& what) {
  if (!failure.empty()) return;
  failure = fmt::format("{} (seed {}, {} after the start)", what, options.seed,
                        human_duration(timeline.now() - booted));
}

Stats World::Parts::stats() const {
  Stats out;
  out.events = timeline.ran();
  out.messages = network.messages();
  out.decisions = decisions;
  out.binds = observer->binds();
  out.faults = faults;
  return out;
}

}  // namespace coracle::cluster_sim
