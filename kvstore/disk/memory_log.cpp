#include "disk/memory_log.hpp"

namespace coracle::disk {

void apply_append(LogImage* image, const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    CHECK_MSG(entry.index > image->base_index, "entry " << entry.index << " is behind the base");
    const size_t position = size_t(entry.index.value - image->base_index.value - 1);
    CHECK_MSG(position <= image->entries.size(), "gap before entry " << entry.index);
    image->entries.resize(position);
    image->entries.push_back(entry);
  }
}

void apply_cut(LogImage* image, Index index) {
  if (index <= image->base_index || image->entries.empty()) return;
  const size_t count =
      std::min<size_t>(size_t(index.value - image->base_index.value), image->entries.size());
  image->base_index = image->entries[count - 1].index;
  image->base_term = image->entries[count - 1].term;
  image->entries.erase(image->entries.begin(), image->entries.begin() + std::ptrdiff_t(count));
}

Status MemoryLog::append(const std::optional<raft::HardState>& hard_state,
                         const std::vector<raft::Entry>& entries) {
  if (hard_state) image_.hard_state = *hard_state;
  apply_append(&image_, entries);
  return {};
}

Status MemoryLog::reset(Index index, Term term) {
  image_.entries.clear();
  image_.base_index = index;
  image_.base_term = term;
  return {};
}

Status MemoryLog::cut(Index index) {
  apply_cut(&image_, index);
  return {};
}

}  // namespace coracle::disk
