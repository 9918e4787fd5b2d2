// World: what goes wrong, on request. Everything happens in a turn of its own, so that a hook may
// ask for it.
#include <fmt/format.h>

#include <set>

#include "cluster_sim/parts.hpp"

namespace coracle::cluster_sim {
namespace {

constexpr char kZone[] = "topology.kubernetes.io/zone";

Status unknown(const std::string& machine) {
  return not_found(fmt::format("there is no machine \"{}\"", machine));
}

}  // namespace

std::vector<std::string> World::machines() const {
  std::vector<std::string> all;
  for (const auto& machine : parts_->network.machines()) {
    if (machine.get() != &parts_->people) all.push_back(machine->name);
  }
  return all;
}

std::vector<std::string> World::zones() const {
  std::set<std::string> all;
  for (const kubelet::NodeFacts& node : parts_->options.nodes) {
    if (const auto zone = node.labels.find(kZone); zone != node.labels.end()) {
      all.insert(zone->second);
    }
  }
  return {all.begin(), all.end()};
}

std::vector<std::string> World::machines_of_zone(const std::string& zone) const {
  std::vector<std::string> all;
  for (const kubelet::NodeFacts& node : parts_->options.nodes) {
    const auto label = node.labels.find(kZone);
    if (label != node.labels.end() && label->second == zone) all.push_back(node.name);
  }
  return all;
}

bool World::running(const std::string& machine) const {
  const Daemon* daemon = parts_->find(machine);
  return daemon != nullptr && daemon->running();
}

Status World::kill(const std::string& machine, bool power) {
  Daemon* const daemon = parts_->find(machine);
  if (daemon == nullptr) return unknown(machine);
  if (parts_->options.store.members == 0 && daemon == parts_->stores.front().get()) {
    return failed_precondition(machine + " is a store in memory, which cannot fail");
  }
  ++parts_->faults["kill"];
  parts_->do_soon([daemon, power] { daemon->kill(power); });
  return {};
}

Status World::start(const std::string& machine) {
  Daemon* const daemon = parts_->find(machine);
  if (daemon == nullptr) return unknown(machine);
  parts_->do_soon([daemon] { daemon->start(); });
  return {};
}

Status World::pause(const std::string& machine, Duration span) {
  Daemon* const daemon = parts_->find(machine);
  if (daemon == nullptr) return unknown(machine);
  ++parts_->faults["pause"];
  parts_->do_soon([daemon, until = now() + span] {
    if (daemon->running()) daemon->machine().strand->hold(until);
  });
  return {};
}

Status World::cut_off(const std::string& machine) {
  const Daemon* const daemon = parts_->find(machine);
  if (daemon == nullptr) return unknown(machine);
  ++parts_->faults["cut off"];
  parts_->network.cut_off(*parts_->network.find(machine));
  return {};
}

Status World::rejoin(const std::string& machine) {
  if (parts_->find(machine) == nullptr) return unknown(machine);
  parts_->network.rejoin(*parts_->network.find(machine));
  return {};
}

Status World::cut(const std::string& from, const std::string& to) {
  for (const std::string& name : {from, to}) {
    if (parts_->find(name) == nullptr) return unknown(name);
  }
  ++parts_->faults["cut"];
  parts_->network.cut(*parts_->network.find(from), *parts_->network.find(to));
  return {};
}

void World::heal() { parts_->network.heal(); }

Status World::degrade(const std::string& machine, Duration extra, double loss) {
  if (parts_->find(machine) == nullptr) return unknown(machine);
  if (extra < Duration(0) || loss < 0 || loss > 0.9) {
    return invalid_argument("a network is slower by no less than 0, and loses 0 to 0.9");
  }
  ++parts_->faults["degrade"];
  parts_->network.degrade(*parts_->network.find(machine), extra, loss);
  return {};
}

Status World::shift_clock(const std::string& machine, Duration by) {
  if (parts_->find(machine) == nullptr) return unknown(machine);
  ++parts_->faults["clock"];
  parts_->network.find(machine)->clock.shifted = by;
  return {};
}

Status World::disk(const std::string& member, DiskFault fault, Duration slow) {
  if (parts_->find(member) == nullptr) return unknown(member);
  StoreDaemon* const daemon = parts_->find_member(member);
  if (daemon == nullptr) {
    return failed_precondition(fmt::format("{} has no disk that can fail", member));
  }
  constexpr std::uint64_t kFullWrites = 4;
  switch (fault) {
    case DiskFault::kTorn:
      ++parts_->faults["torn write"];
      daemon->tear(parts_->rng.below(8));
      break;
    case DiskFault::kFull:
      ++parts_->faults["full disk"];
      daemon->fill(kFullWrites);
      break;
    case DiskFault::kSlow:
      ++parts_->faults["slow disk"];
      daemon->slow_down(slow);
      break;
    case DiskFault::kOk:
      daemon->heal_disk();
      break;
  }
  return {};
}

std::string World::leader() const { return parts_->store_leader(); }

}  // namespace coracle::cluster_sim
