// SimStrand: a member's strand on virtual time, with a clock of its own that drifts and jumps, and
// that can be paused as a whole. Like EventLoop: what had arrived, then the timers due, then the
// end of the turn.
//
// Invariant: nothing of one life runs in the next: a life ends with the strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "member/ports.hpp"
#include "store_sim/schedule.hpp"

namespace coracle::store_sim {

struct SimClock {
  std::int64_t drift_ppm = 0;
  std::int64_t jumped_ns = 0;
  TimePoint at(Micros world) const {
    return TimePoint(Duration(world * 1000 + world * drift_ppm / 1000 + jumped_ns));
  }
};

class SimStrand final : public store::Strand {
 public:
  using Work = std::function<void()>;
  static constexpr std::size_t kInboxMax = 20000;

  // `turn` runs a piece of work so that the member's end is caught, and ends the turn.
  SimStrand(Schedule& schedule, const SimClock& clock, std::function<void(const Work&)> turn)
      : schedule_(schedule), clock_(clock), turn_(std::move(turn)) {}

  bool try_post(Work work) override;
  bool post_unless_stopped(Work work) override;
  void post(Work work) override { (void)post_unless_stopped(std::move(work)); }
  TimerId after(Duration delay, Work work) override;
  void cancel(TimerId timer) override;
  TimePoint now() const override { return clock_.at(schedule_.now()); }
  WallTime wall_now() const override { return WallTime(now().time_since_epoch()); }

  void stop() { *alive_ = false; }
  // Nothing runs for so long.
  void hold(Micros span) { held_until_ = std::max(held_until_, schedule_.now() + span); }
  void wake_later(Micros delay);

 private:
  void wake();
  void run_batch();

  Schedule& schedule_;
  const SimClock& clock_;
  const std::function<void(const Work&)> turn_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<Work> inbox_;
  std::map<std::pair<TimePoint, TimerId>, Work> timers_;
  std::map<TimerId, TimePoint> deadlines_;
  TimerId last_timer_ = 0;
  Micros held_until_ = 0;
  bool waking_ = false;  // for the inbox
};

}  // namespace coracle::store_sim
