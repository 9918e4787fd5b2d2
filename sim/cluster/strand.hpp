// Strand: the executor of one life of one process: a daemon of the cluster, or a member of the
// store. It dies with the process: what waits is dropped, and nothing runs any more.
//
// Invariant: a strand that died stays, deaf, as long as the world does: what still names it may.
#pragma once

#include <functional>
#include <vector>

#include "cluster_sim/timeline.hpp"
#include "member/ports.hpp"

namespace coracle::cluster_sim {

// How a machine's clock differs from the world's.
struct MachineClock {
  Duration shifted{0};
};

class Strand final : public store::Strand, public Timeline::Owner {
 public:
  // `guard` runs a piece of work and what follows it; null: it just runs.
  using Guard = std::function<void(const std::function<void()>&)>;
  static constexpr std::size_t kInboxMax = 20'000;

  Strand(Timeline& timeline, WallTime start, const MachineClock& clock, Guard guard = nullptr)
      : timeline_(timeline), start_(start), clock_(clock), guard_(std::move(guard)) {}

  // Executor and store::Strand.
  TimePoint now() const override { return timeline_.now(); }
  WallTime wall_now() const override { return start_ + now().time_since_epoch() + clock_.shifted; }
  void post(std::function<void()> work) override { (void)post_unless_stopped(std::move(work)); }
  bool try_post(std::function<void()> work) override;
  bool post_unless_stopped(std::function<void()> work) override;
  TimerId after(Duration delay, std::function<void()> work) override;
  void cancel(TimerId timer) override { timeline_.cancel(timer); }

  bool alive() const { return alive_; }
  // Nothing runs until then.
  void hold(TimePoint until) { held_until_ = std::max(held_until_, until); }
  // From now on nothing comes in or runs; what waits is dropped by drop().
  void die() { alive_ = false; }
  void drop();

  // Timeline::Owner.
  void run(Timeline::Work& work) override;
  TimePoint held_until() const override { return held_until_; }

 private:
  void run_inbox();

  Timeline& timeline_;
  const WallTime start_;  // the wall's time when the timeline's is zero
  const MachineClock& clock_;
  const Guard guard_;
  bool alive_ = true, woken_ = false;
  TimePoint held_until_{};
  std::vector<std::function<void()>> inbox_;
};

}  // namespace coracle::cluster_sim
