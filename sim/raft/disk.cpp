#include "raft_sim/disk.hpp"

#include "base/check.hpp"

namespace coracle::raft_sim {

void SimDisk::write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries) {
  writes_.push_back({std::move(hard_state), std::move(entries)});
}

void SimDisk::settle(const Write& write) {
  if (write.hard_state) image_.hard_state = *write.hard_state;
  image_.log.append(write.entries);
}

void SimDisk::sync(std::size_t writes) {
  CHECK(writes <= writes_.size());
  for (; writes > 0; --writes) {
    settle(writes_.front());
    writes_.pop_front();
  }
}

void SimDisk::flush(const Machine& machine) {
  CHECK(machine.applied <= image_.log.last());
  image_.machine = machine;
}

void SimDisk::compact(Index upto) {
  CHECK(upto <= image_.machine.applied);
  image_.log.compact(upto);
}

void SimDisk::install(const Machine& machine) {
  sync(writes_.size());
  image_.machine = machine;
  image_.log.reset(machine.applied, machine.applied_term);
}

void SimDisk::crash(Rng& rng) {
  if (!writes_.empty() && rng.chance(0.5)) {
    sync(rng.below(writes_.size()));
    Write torn = std::move(writes_.front());
    if (!torn.hard_state || rng.chance(0.7)) {
      if (!torn.entries.empty()) torn.entries.resize(rng.below(torn.entries.size()));
      settle(torn);
    }
  }
  writes_.clear();
}

}  // namespace coracle::raft_sim
