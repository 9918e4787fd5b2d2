#include "cluster_sim/strand.hpp"

#include <utility>

namespace coracle::cluster_sim {

bool Strand::try_post(std::function<void()> work) {
  return inbox_.size() < kInboxMax && post_unless_stopped(std::move(work));
}

bool Strand::post_unless_stopped(std::function<void()> work) {
  if (!alive_) return false;
  inbox_.push_back(std::move(work));
  if (!std::exchange(woken_, true)) {
    timeline_.at(timeline_.now(), [this] { run_inbox(); }, this);
  }
  return true;
}

Executor::TimerId Strand::after(Duration delay, std::function<void()> work) {
  if (!alive_) return 0;
  return timeline_.at(now() + std::max(delay, Duration(0)), std::move(work), this);
}

void Strand::run_inbox() {
  woken_ = false;
  std::vector<std::function<void()>> batch = std::exchange(inbox_, {});
  for (auto& work : batch) {
    if (!alive_) return;
    work();
    work = nullptr;
  }
}

void Strand::run(Timeline::Work& work) {
  if (!alive_) return;
  if (guard_) return guard_(work);
  work();
}

void Strand::drop() {
  timeline_.drop(this);
  const auto inbox = std::exchange(inbox_, {});
}

}  // namespace coracle::cluster_sim
