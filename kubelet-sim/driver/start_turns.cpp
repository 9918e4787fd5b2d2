#include "kubelet_driver/start_turns.hpp"

#include <utility>

namespace coracle::kubelet {

StartTurns::~StartTurns() {
  executor_.cancel(timer_);
  // What they do may ask for a turn again: there is none any more.
  taken_ = true;
  for (auto& done : std::exchange(waiting_, {})) done(false);
}

Callback<bool> StartTurns::take() {
  return Callback<bool>([this](std::function<void(bool)> done) {
    if (!taken_) return done(true);
    waiting_.push_back(std::move(done));
  });
}

void StartTurns::rest(Duration span) {
  timer_ = executor_.after(span, [this] { next(); });
}

void StartTurns::next() {
  taken_ = false;
  // Who gets the turn may find that nothing is to be started, and takes none.
  while (!taken_ && !waiting_.empty()) {
    auto done = std::move(waiting_.front());
    waiting_.pop_front();
    done(true);
  }
}

}  // namespace coracle::kubelet
