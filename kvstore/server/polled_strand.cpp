#include "server/polled_strand.hpp"

#include <utility>

#include "net/turns.hpp"

namespace coracle::store {

bool PolledStrand::try_post(Work work) {
  if (stopped_) return false;
  if (++waiting_ > kInboxMax) {
    --waiting_;
    return false;
  }
  executor_.post([this, work = std::move(work)] {
    --waiting_;
    if (!over_) work();
  });
  return true;
}

bool PolledStrand::post_unless_stopped(Work work) {
  if (stopped_) return false;
  executor_.post([this, work = std::move(work)] {
    if (!over_) work();
  });
  return true;
}

PolledStrand::TimerId PolledStrand::after(Duration delay, Work work) {
  return executor_.after(delay, [this, work = std::move(work)] {
    if (!over_) work();
  });
}

void PolledStrand::run(const Work& end_of_turn) {
  net::run_turns(executor_, end_of_turn);
  over_ = true;
}

void PolledStrand::stop() {
  if (stopped_.exchange(true)) return;
  executor_.post([this] { executor_.stop(); });
}

}  // namespace coracle::store
