#include "store_sim/bounds.hpp"

#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

// A look costs more than many a turn, and what is too much stays too much.
constexpr std::uint64_t kTurnsPerLook = 8;
// What a member's idea of its size may lack: the records' own bytes since it last looked.
constexpr std::int64_t kSizeSlack = 32 << 10;

}  // namespace

void Bounds::after_turn(SimMember& member) {
  if (++turns_ % kTurnsPerLook != 0) return;
  const raft::StatusReport s = member.member().core().status();
  const std::uint64_t kept = s.last.value + 1 - s.first.value;
  const std::uint64_t not_applied = s.last.value - s.applied.value;
  if (kept > 2 * std::uint64_t(world_.profile().snapshot_count) + not_applied) {
    return world_.fail("C5: " + member.describe() + " keeps a log without need");
  }
  for (const auto& [peer, report] : s.peers) {
    if (report.inflight > raft::Config().inflight_max) {
      return world_.fail("C5: " + member.describe() + " sends more than the bound");
    }
  }
  if (member.member().pending_proposals() > store::Proposals::kPendingMax) {
    world_.fail("C5: too many proposals wait at " + member.describe());
  }
}

void Bounds::on_growth(SimMember& member) {
  const std::int64_t quota = world_.profile().quota_bytes;
  if (quota == 0) return;
  const auto size = std::int64_t(member.member().state().bytes_on_disk());
  if (size > quota + kSizeSlack) {
    world_.fail("D6: " + member.describe() + " holds " + std::to_string(size) +
                " bytes, above its quota, and grows");
  }
}

void Bounds::on_watch_response(const SimMember& member, std::size_t outstanding) {
  if (outstanding < world_.profile().watch_bytes) return;
  world_.fail("C5: a watch client of " + member.name() + " that took nothing has " +
              std::to_string(outstanding) + " bytes waiting, and gets more");
}

}  // namespace coracle::store_sim
