#include "raft_sim/profile.hpp"

namespace coracle::raft_sim {
namespace {

template <class T>
T one_of(Rng& rng, std::initializer_list<T> values) {
  return *(values.begin() + static_cast<std::ptrdiff_t>(rng.below(values.size())));
}

}  // namespace

Profile Profile::draw(Rng& rng) {
  Profile p;
  p.members = one_of(rng, {1, 3, 3, 3, 5, 5, 5, 5});
  p.drop = one_of(rng, {0.0, 0.01, 0.1});
  p.duplicate = one_of(rng, {0.0, 0.02, 0.1});
  p.spike = one_of(rng, {0.0, 0.01, 0.1});
  p.delay_max = one_of<Micros>(rng, {1000, 3000, 30'000});
  p.sync_max = one_of<Micros>(rng, {300, 5000, 60'000});
  p.fault_gap_max = one_of<Micros>(rng, {60'000, 300'000, 1'000'000});
  p.kill_new_leader = one_of(rng, {0.0, 0.3, 0.8});
  p.membership = one_of(rng, {0.0, 0.0, 0.2});
  p.core.heartbeat_ticks = 2;
  p.core.append_bytes_max = one_of<std::size_t>(rng, {1, 200, 1 << 20});
  p.core.inflight_max = one_of<std::size_t>(rng, {1, 4, 64});
  // One entry a round trip could not catch up with the clients before the end.
  if (p.core.append_bytes_max == 1) p.core.inflight_max = 64;
  p.core.apply_bytes_max = one_of<std::size_t>(rng, {1, 1 << 20});
  return p;
}

}  // namespace coracle::raft_sim
