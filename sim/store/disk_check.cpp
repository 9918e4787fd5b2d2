// D1, D4: what a log says when it is opened, against what append() said Ok to.
#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

bool equal_up_to(const disk::LogImage& image, const raft::MemoryLog& log, Index last) {
  if (image.base_index.plus(image.entries.size()) != last) return false;
  for (const raft::Entry& entry : image.entries) {
    if (entry.index < log.first() || entry.index > log.last()) return false;
    if (!(log.at(entry.index) == entry)) return false;
  }
  return image.base_index < log.first() || log.term(image.base_index) == image.base_term;
}

}  // namespace

void World::check_log(SimMember& member, const disk::LogImage& image, const InFlight& in_flight,
                      raft_sim::DurableImage& durable) {
  const bool hard_kept = image.hard_state == durable.hard_state ||
                         (in_flight.hard_state && image.hard_state == *in_flight.hard_state);
  if (!hard_kept) fail("D1: " + member.name() + " forgot its term or vote");
  durable.hard_state = image.hard_state;
  if (in_flight.reset && image.entries.empty() && image.base_index == in_flight.reset->index) {
    durable.log.reset(image.base_index, image.base_term);
    return;
  }
  if (equal_up_to(image, durable.log, durable.log.last())) return;
  if (!in_flight.entries.empty()) {
    // A tail that was being replaced may be gone already.
    const Index kept = in_flight.entries.front().index.prev();
    if (equal_up_to(image, durable.log, kept)) {
      raft::MemoryLog shorter(durable.log.first().prev(),
                              durable.log.term(durable.log.first().prev()));
      if (kept >= durable.log.first()) {
        shorter.append(durable.log.slice(durable.log.first(), kept, SIZE_MAX));
      }
      durable.log = shorter;
      return;
    }
    raft::MemoryLog longer = durable.log;
    longer.append(in_flight.entries);
    if (equal_up_to(image, longer, longer.last())) {
      durable.log = longer;
      checker_.on_append(member.id(), in_flight.entries, durable.log);
      return;
    }
  }
  fail("D1: the log of " + member.name() + " holds " + std::to_string(image.base_index.value) +
       "..+" + std::to_string(image.entries.size()) + ", but what was synced ends at " +
       std::to_string(durable.log.last().value));
}

}  // namespace coracle::store_sim
