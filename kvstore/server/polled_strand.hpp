// PolledStrand: a member's strand on the executor that its client port lives on: one thread waits
// for the sockets, the timers and what other threads hand in, and runs the member. So a request is
// read, decided and answered without another thread.
//
// Thread:    try_post and post from any thread; after, cancel on the strand (or before run()).
// Invariant: work runs in the order it was posted; after each batch of what had arrived,
//            `end_of_turn` runs once. So a turn gathers many calls into one write and sync.
// Bound:     kInboxMax pieces through try_post, which then refuses; post() is for the few internal
//            callers whose number is bounded elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "member/ports.hpp"
#include "net/asio_executor.hpp"

namespace coracle::store {

class PolledStrand final : public Strand {
 public:
  using Work = std::function<void()>;
  static constexpr std::size_t kInboxMax = 20000;

  explicit PolledStrand(net::AsioExecutor& executor) : executor_(executor) {}

  bool try_post(Work work) override;
  void post(Work work) override { (void)post_unless_stopped(std::move(work)); }
  bool post_unless_stopped(Work work) override;
  TimerId after(Duration delay, Work work) override;
  void cancel(TimerId timer) override { executor_.cancel(timer); }
  TimePoint now() const override { return executor_.now(); }
  WallTime wall_now() const override { return executor_.wall_now(); }

  // Runs on the calling thread until stop(). What had been posted by then still runs; timers do
  // not. The executor may go on afterwards, without us.
  void run(const Work& end_of_turn);
  void stop();

 private:
  net::AsioExecutor& executor_;
  std::atomic<std::size_t> waiting_{0};  // of try_post
  std::atomic<bool> stopped_{false};
  bool over_ = false;  // owned by the strand: nothing runs any more
};

}  // namespace coracle::store
