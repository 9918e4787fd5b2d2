// MemoryLog: a LogStore in memory, for tests. Owner: one thread. Its image survives "restarts":
// hand the same object to the next life and read image().
#pragma once

#include "disk/log_store.hpp"

namespace coracle::disk {

class MemoryLog final : public LogStore {
 public:
  Status append(const std::optional<raft::HardState>& hard_state,
                const std::vector<raft::Entry>& entries) override;
  Status reset(Index index, Term term) override;
  Status cut(Index index) override;

  const LogImage& image() const { return image_; }

 private:
  LogImage image_;
};

// How both ends apply what was appended to an image. CHECKs that no gap appears.
void apply_append(LogImage* image, const std::vector<raft::Entry>& entries);
void apply_cut(LogImage* image, Index index);

}  // namespace coracle::disk
