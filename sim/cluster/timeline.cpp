#include "cluster_sim/timeline.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::cluster_sim {

void Timeline::push(TimePoint when, std::uint64_t number, std::uint32_t slot) {
  heap_.push_back({when, number, slot, slots_[slot].generation});
  std::push_heap(heap_.begin(), heap_.end());
}

Timeline::Id Timeline::at(TimePoint when, Work work, Owner* owner) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.work = std::move(work);
  slot.owner = owner;
  slot.used = true;
  ++slot.generation;
  ++used_;
  push(std::max(when, now_), ++numbers_, index);
  return (static_cast<Id>(slot.generation) << 32) | index;
}

Timeline::Work Timeline::release(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.used = false;
  --used_;
  free_.push_back(index);
  return std::exchange(slot.work, nullptr);
}

void Timeline::cancel(Id id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size()) return;
  const Slot& slot = slots_[index];
  if (!slot.used || slot.generation != static_cast<std::uint32_t>(id >> 32)) return;
  // Destroyed when all is in order: that may cancel others.
  const Work work = release(index);
  if (heap_.size() > 1024 && heap_.size() > 4 * used_) rebuild();
}

// Without what was cancelled.
void Timeline::rebuild() {
  std::erase_if(heap_, [this](const Entry& e) { return stale(e); });
  std::make_heap(heap_.begin(), heap_.end());
}

void Timeline::drop(const Owner* owner) {
  std::vector<Work> gone;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].used && slots_[i].owner == owner) gone.push_back(release(i));
  }
}

void Timeline::drop_stale_top() {
  while (!heap_.empty() && stale(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
}

std::optional<TimePoint> Timeline::next() {
  drop_stale_top();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

bool Timeline::run_next() {
  drop_stale_top();
  if (heap_.empty()) return false;
  const Entry entry = heap_.front();
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
  now_ = entry.when;
  Owner* const owner = slots_[entry.slot].owner;
  if (owner != nullptr && owner->held_until() > now_) {
    push(owner->held_until(), entry.number, entry.slot);
    return true;
  }
  Work work = release(entry.slot);
  ++ran_;
  if (owner != nullptr) {
    owner->run(work);
  } else {
    work();
  }
  return true;
}

void Timeline::pass_until(TimePoint when) {
  const auto first = next();
  CHECK_MSG(!first || *first >= when, "something is due before");
  now_ = std::max(now_, when);
}

}  // namespace coracle::cluster_sim
