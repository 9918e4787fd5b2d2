// EventLoop: the member's strand. One thread at a time runs what touches the member's state; others
// hand it work through a bounded inbox.
//
// Thread:    try_post and post from any thread; after, cancel on the strand (or before run()).
// Lending:   with Turns::kLent, try_post on a free strand runs the turn on the caller's thread: to
//            wake another one costs more than most turns. So whoever calls it holds no lock, and
//            bears that the work runs before try_post returns. post() never does that.
// Invariant: work runs in the order it was posted; after each batch of what had arrived, and of the
//            timers due, `end_of_turn` runs once. So a turn gathers many calls into one write and
//            sync.
// Bound:     kInboxMax pieces through try_post, which then refuses; post() is for the few internal
//            callers whose number is bounded elsewhere. A lent thread is given back after
//            kLentTurns.
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
  enum class Turns { kOwnThread, kLent };
  static constexpr size_t kInboxMax = 20000;
  static constexpr int kLentTurns = 16;

  explicit EventLoop(Turns turns = Turns::kOwnThread) : lends_(turns == Turns::kLent) {}

  bool try_post(Work work) override { return try_post(std::move(work), {}); }
  bool try_post(Work work, const Work& then) override;
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
  void turn(Lock& lock);
  void give_strand_back(Lock& lock);
  void wake(Lock& lock);
  TimePoint first_timer() const;
  void run_due_timers();

  const bool lends_;
  // Owned by the strand.
  std::map<std::pair<TimePoint, TimerId>, Work> timers_;
  std::map<TimerId, TimePoint> deadlines_;
  TimerId last_timer_ = 0;
  std::vector<Work> batch_;
  // Shared.
  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  Work end_of_turn_;  // constant while running_
  std::vector<Work> inbox_;
  bool running_ = false;
  bool stopped_ = false;
  bool taken_ = false;        // somebody runs the strand
  bool sleeping_ = false;     // run()'s thread
  TimePoint sleeping_until_;  // while sleeping_
  TimePoint next_timer_;      // as the last turn left it
};

}  // namespace coracle::store
