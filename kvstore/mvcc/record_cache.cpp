#include "mvcc/record_cache.hpp"

#include <utility>

namespace coracle::mvcc {

Record RecordCache::find(const VersionRef& ref) {
  const auto found = slots_.find({ref.main, ref.sub});
  if (found == slots_.end()) return nullptr;
  found->second.used = true;
  return found->second.record;
}

void RecordCache::put(const VersionRef& ref, Record record) {
  const std::size_t bytes = record->size() + kOverheadBytes;
  if (bytes > max_bytes_ / 8) return;  // it would push out too many others
  const Id id{ref.main, ref.sub};
  if (!slots_.try_emplace(id, Slot{std::move(record)}).second) return;
  order_.push_back(id);
  bytes_ += bytes;
  make_room();
}

void RecordCache::make_room() {
  while (bytes_ > max_bytes_) {
    const Id id = order_.front();
    order_.pop_front();
    const auto found = slots_.find(id);
    if (std::exchange(found->second.used, false)) {
      order_.push_back(id);
      continue;
    }
    bytes_ -= found->second.record->size() + kOverheadBytes;
    slots_.erase(found);
  }
}

}  // namespace coracle::mvcc
