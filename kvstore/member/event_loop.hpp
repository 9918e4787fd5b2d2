// EventLoop: the strand of a member that lives in another program's process: one thread runs what
// touches the member's state; others hand it work through a bounded inbox. (A daemon's member runs
// on the strand of its sockets: server/polled_strand.hpp.)
//
// Thread:    try_post and post from any thread; after, cancel on the strand (or before run()).
// Invariant: work runs in the order it was posted; after each batch of what had arrived, and of the
//            timers due, `end_of_turn` runs once. So a turn gathers many calls into one write and
//            sync.
// Bound:     kInboxMax pieces through try_post, which then refuses; post() is for the few internal
//            callers whose number is bounded elsewhere.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "member/ports.hpp"

namespace coracle::store {

class EventLoop final : public Strand {
 public:
  using Work = std::function<void()>;
  static constexpr size_t kInboxMax = 20000;

  bool try_post(Work work) override;
  void post(Work work) override { (void)post_unless_stopped(std::move(work)); }
  bool post_unless_stopped(Work work) override;
  TimerId after(Duration delay, Work work) override;
  void cancel(TimerId timer) override;
  TimePoint now() const override { return real_clock().now(); }
  WallTime wall_now() const override { return real_clock().wall_now(); }

  // Runs on the calling thread until stop(). What had been posted by then still runs; timers do
  // not.
  void run(const Work& end_of_turn);
  void stop();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void wait_for_turn(Lock& lock);
  void turn(const Work& end_of_turn, Lock& lock);
  void wake(Lock& lock);
  TimePoint first_timer() const;
  void run_due_timers();

  // Owned by the strand.
  std::map<std::pair<TimePoint, TimerId>, Work> timers_;
  std::map<TimerId, TimePoint> deadlines_;
  TimerId last_timer_ = 0;
  std::vector<Work> batch_;
  // Shared.
  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::vector<Work> inbox_;
  bool stopped_ = false;
  bool sleeping_ = false;  // run()'s thread
};

}  // namespace coracle::store
