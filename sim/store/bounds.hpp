// Bounds: C5: what a member holds does not grow with who lags: the log it keeps for others, appends
// on their way to one member, responses a watch client did not take. D6: who passed the quota asks
// for no growth, and what was refused for want of space never happens.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coracle::store_sim {

class World;
class SimMember;

class Bounds {
 public:
  explicit Bounds(World& world) : world_(world) {}

  void after_turn(SimMember& member);
  // A growing request of a client goes to the log.
  void on_growth(SimMember& member);
  // A watch response is handed out while `outstanding` bytes before it were not taken.
  void on_watch_response(const SimMember& member, std::size_t outstanding);

 private:
  World& world_;
  std::uint64_t turns_ = 0;
};

}  // namespace coracle::store_sim
