#include "store_sim/profile.hpp"

namespace coracle::store_sim {
namespace {

// With this one the seeds up to 4177 of tests/sim/regressions-store.txt draw nothing of what came
// later, so they still run the worlds they were found in.
constexpr std::uint64_t kLaterSalt = 12'953'813;

template <class T>
T one_of(Rng& rng, std::initializer_list<T> values) {
  return *(values.begin() + static_cast<std::ptrdiff_t>(rng.below(values.size())));
}

}  // namespace

Profile Profile::draw(Rng& rng, std::uint64_t seed) {
  Profile p;
  p.members = one_of(rng, {1, 3, 3, 3, 3, 5});
  p.clients = one_of(rng, {2, 4, 8});
  p.watchers = one_of(rng, {1, 3, 5});
  p.keys = one_of(rng, {2, 6, 20});
  p.delay_max = one_of<Micros>(rng, {1000, 3000, 30'000});
  p.drop = one_of(rng, {0.0, 0.01, 0.1});
  p.duplicate = one_of(rng, {0.0, 0.02, 0.1});
  p.spike = one_of(rng, {0.0, 0.01, 0.1});
  p.sync_max = one_of<Micros>(rng, {300, 5000, 60'000});
  p.drift_ppm = one_of<std::int64_t>(rng, {0, 1000, 50'000});
  p.clock_jumps = rng.chance(0.2);
  p.fault_gap_max = one_of<Micros>(rng, {60'000, 300'000, 1'000'000});
  p.membership = one_of(rng, {0.0, 0.0, 0.15});
  p.consume_max = one_of<Micros>(rng, {1000, 20'000, 1'000'000});
  p.snapshot_count = one_of<std::int64_t>(rng, {5, 30, 10'000});
  p.flush_bytes = one_of<std::size_t>(rng, {500, 5000, 1 << 20});
  p.compact_keys = one_of<std::size_t>(rng, {1, 3, 1000});
  p.watch_bytes = one_of<std::size_t>(rng, {1, 500, 1 << 20});
  p.segment_bytes = one_of<std::uint64_t>(rng, {2048, 8192, 65536});
  Rng later(seed ^ kLaterSalt);
  p.state_faults = later.chance(0.35);
  p.quota_bytes = one_of<std::int64_t>(later, {0, 0, 0, 15'000, 60'000});
  p.burst_max = one_of<std::uint64_t>(later, {0, 0, 0, 20, 150});
  p.reports_unreachable = later.chance(0.3);
  return p;
}

}  // namespace coracle::store_sim
