// LeaseCheck: L1 and L4: a lease lives at least its time after the last grant or renewal that was
// answered; a renewal that succeeds is of a lease that exists. L2 is checked at the end of the
// world, L3, L5 and L7 by the oracle and the linearizability check.
#pragma once

#include <map>
#include <set>
#include <string>

#include "raft/types.hpp"
#include "store_sim/oracle.hpp"
#include "store_sim/schedule.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class LeaseCheck {
 public:
  explicit LeaseCheck(World& world) : world_(world) {}

  // A time, and how often any clock had jumped by then: between two moments that differ in that,
  // nothing is known of what the members' clocks showed.
  struct Moment {
    Micros at = 0;
    std::int64_t jumps = 0;
  };
  Moment moment() const;
  // A client's own revocation will come with this number.
  void on_client_request(const Oracle::Request& request) { clients_.insert(request); }
  // The client was told that the lease lives `ttl` seconds, counted from `since` at the earliest.
  void on_promise(LeaseId lease, std::int64_t ttl, const Moment& since);
  void on_revoked(LeaseId lease, Micros answered) { revoked_.emplace(lease, answered); }
  void on_renewed(LeaseId lease, std::int64_t ttl, Micros called);  // just now
  // Somebody's log takes an entry; it may be the expiry of a lease. A deposed leader may still
  // write one, so it is judged when it is committed.
  void on_entry(const raft::Entry& entry);
  void look_at_committed();

  struct Expiry {
    LeaseId lease;
    Moment proposed;
  };
  const std::map<Oracle::Request, Expiry>& expiries() const { return expiries_; }

 private:
  struct Promise {
    Moment since;
    std::int64_t ttl = 0;
  };
  void judge(const Expiry& expiry);

  World& world_;
  std::set<Oracle::Request> clients_;
  std::map<LeaseId, Promise> promises_;
  std::map<LeaseId, Micros> revoked_;
  std::map<Oracle::Request, Expiry> expiries_;
  std::set<Oracle::Request> not_judged_;
};

}  // namespace coracle::store_sim
