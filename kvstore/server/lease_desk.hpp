// LeaseDesk: renewals and remaining times of leases, which only the leader's clock knows. Asked at
// another member, it asks the leader over the peer port.
//
// Thread:   the strand; answers come there.
// Bound:    a question is tried again until the request time-out, then answered "request timed
// out".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "member/member.hpp"
#include "server/peer_transport.hpp"

namespace coracle::store {

class LeaseDesk {
 public:
  // Seconds; 0: no such lease.
  using Renewal = std::function<void(Result<std::int64_t>)>;
  using Remaining = std::function<void(Result<lease::TimeToLive>)>;

  LeaseDesk(Member& member, PeerTransport& transport) : member_(member), transport_(transport) {}

  void renew(LeaseId id, Renewal done) { renew_until(id, deadline(), std::move(done)); }
  // NotFound when there is no such lease.
  void time_to_live(LeaseId id, bool keys, Remaining done) {
    ask_until(id, keys, deadline(), std::move(done));
  }

 private:
  TimePoint deadline() const { return member_.loop().now() + member_.options().request_timeout(); }
  bool leads() const { return member_.core().role() == raft::Role::kLeader; }
  bool too_late(TimePoint deadline) const { return member_.loop().now() >= deadline; }
  void later(std::function<void()> again);

  void renew_until(LeaseId id, TimePoint deadline, Renewal done);
  void renew_here(LeaseId id, TimePoint deadline, Renewal done);
  void forget_checkpoint(LeaseId id, TimePoint deadline, Renewal done);
  void renew_there(LeaseId id, TimePoint deadline, Renewal done);
  void ask_until(LeaseId id, bool keys, TimePoint deadline, Remaining done);
  void ask_there(LeaseId id, bool keys, TimePoint deadline, Remaining done);

  Member& member_;
  PeerTransport& transport_;
};

}  // namespace coracle::store
