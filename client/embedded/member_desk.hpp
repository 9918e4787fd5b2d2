// MemberDesk: what a Store asks, answered by a member of the store that is in the same process: of
// an apiserver (embedded_store.cpp), or of the simulated cluster.
//
// Thread: the member's strand, where answers and watch callbacks come too. The member outlives it.
// Bounds: those of the member's inbox and of its watchers (mvcc/watch_hub.hpp).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "client/store.hpp"
#include "member/member.hpp"

namespace coracle::client {

// As a Store's caller sees them.
std::vector<WatchEvent> from_store(const std::vector<mvcc::WatchEvent>& events);

class MemberDesk {
 public:
  template <class T>
  using Answer = std::function<void(Result<T>)>;
  struct WatchTold {
    // `upto`: the revision the watch has come to. consumed() is owed for each.
    std::function<void(mvcc::WatchResponse response, std::int64_t upto)> on_events;
    std::function<void(Status)> on_end;
  };

  // `leader_needed`: watches end when the member has had no leader for long.
  MemberDesk(store::Member& member, Rng rng, bool leader_needed);

  void range(RangeRequest request, Answer<RangeResult> answer);
  void write(const GuardedWrite& request, Answer<GuardedResult> answer);
  void grant(std::int64_t ttl_seconds, Answer<std::int64_t> answer);
  void compact(std::int64_t revision, Answer<bool> answer);
  StoreStatus status() const;

  void add_watch(mvcc::StreamId id, const WatchRequest& request, WatchTold told);
  void remove_watch(mvcc::StreamId id);
  void want_progress(mvcc::StreamId id);
  void consumed(mvcc::StreamId id, const mvcc::WatchResponse& response);
  void end_watches(const Status& why);

 private:
  struct OpenWatch {
    WatchTold told;
    std::int64_t upto = 0;  // the revision it has come to
    bool progress_wanted = false;
  };
  void deliver(mvcc::Deliveries deliveries);
  void tick();
  void end(mvcc::StreamId id, const Status& why);

  store::Member& member_;
  Rng rng_;
  const bool leader_needed_;
  std::map<mvcc::StreamId, OpenWatch> watches_;
};

}  // namespace coracle::client
