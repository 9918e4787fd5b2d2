// StartTurns: containers start one after another, and after each the strand is left to others for
// as long as that start held it. So a thousand containers that start at once, or crash and start
// again, take at most half of the strand: heartbeats, probes, logs and status go on.
//
// Strand: the Executor's. Bound: one waiting entry a container. Order: first come, first served.
#pragma once

#include <deque>
#include <functional>

#include "base/executor.hpp"

namespace coracle::kubelet {

class StartTurns {
 public:
  // Its holder starts now. Ends before its StartTurns does.
  class Turn {
   public:
    explicit Turn(StartTurns* turns) : turns_(turns), began_(turns->executor_.now()) {
      turns_->taken_ = true;
    }
    ~Turn() { turns_->rest(turns_->executor_.now() - began_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    StartTurns* turns_;
    TimePoint began_;
  };

  explicit StartTurns(Executor& executor) : executor_(executor) {}
  ~StartTurns();  // who still waits is told false
  StartTurns(const StartTurns&) = delete;
  StartTurns& operator=(const StartTurns&) = delete;

  // True: make a Turn at once. False: there is nothing to start any more.
  Callback<bool> take();

 private:
  void rest(Duration span);
  void next();

  Executor& executor_;
  std::deque<std::function<void(bool)>> waiting_;
  bool taken_ = false;  // by a turn, or by the rest after it
  Executor::TimerId timer_ = 0;
};

}  // namespace coracle::kubelet
