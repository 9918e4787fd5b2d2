// Lessor: the leases of the replicated state, and (on the leader only) their clock.
//
// Thread:    the store's strand only. Pure: time comes as an argument.
// Replicated (same on all members, applied from the log): which leases exist, their TTL and
//            checkpointed remainder, which keys hang on them.
// Leader's:  deadlines. A follower has none and expires nothing; promote() starts every lease
//            over with its full (or checkpointed) time plus `extend`, so a lease never ends early.
//            Checkpoints of long leases go through the log every checkpoint_every, so that leader
//            changes do not keep one alive for ever.
// Invariant: a lease lives at least its TTL after the last grant or renew that was answered.
// Cost:      O(log n) per operation; expiring() only touches what it returns.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/status.hpp"
#include "mvcc/lease_book.hpp"
#include "mvcc/state_store.hpp"
#include "mvcc/store.hpp"

namespace coracle::lease {

struct LessorConfig {
  std::int64_t min_ttl_seconds = 2;                 // ceil(1.5 x election timeout)
  Duration retry_revoke = std::chrono::seconds(3);  // until an expiry is proposed again
  Duration checkpoint_every = std::chrono::minutes(5);
};

inline constexpr std::int64_t kMaxTtlSeconds = 9'000'000'000;

struct Granted {
  LeaseId id;
  std::int64_t ttl_seconds = 0;
};

struct Renewed {
  enum class Outcome {
    kRenewed,
    kUnknown,     // answer TTL 0
    kExpired,     // its revoke is on the way: wait until it is applied, then answer TTL 0
    kNotPrimary,  // ask the leader
  };
  Outcome outcome = Outcome::kUnknown;
  std::int64_t ttl_seconds = 0;
};

struct Checkpoint {
  LeaseId id;
  std::int64_t remaining_seconds = 0;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct TimeToLive {
  std::int64_t ttl_seconds = 0;  // whole seconds left, 0 if expired; on a follower: -1
  std::int64_t granted_seconds = 0;
  std::vector<std::string> keys;  // sorted
};

// What a proposer checks before a grant. OutOfRange: too large lease TTL.
Status check_grant(std::int64_t ttl_seconds);

class Lessor final : public mvcc::LeaseBook {
 public:
  // Recovers the leases, as a follower; their keys come back when the mvcc::Store opens.
  // DataLoss if a record cannot be read.
  static Result<std::unique_ptr<Lessor>> open(const mvcc::StateReader& state, LessorConfig config);

  // Applied from the log, on every member.
  // FailedPrecondition: id in use. OutOfRange: TTL. REQUIRE: id != 0 (the proposer picks).
  Result<Granted> grant(LeaseId id, std::int64_t ttl_seconds, TimePoint now,
                        mvcc::WriteBatch& batch);
  // Deletes the lease and, in one revision of `store`, its keys. NotFound: unknown lease.
  Result<mvcc::DeleteResult> revoke(LeaseId id, mvcc::Store& store, mvcc::WriteBatch& batch);
  // Remembers how much time a lease had left, for the next leader. NotFound.
  Status checkpoint(LeaseId id, std::int64_t remaining_seconds, mvcc::WriteBatch& batch);

  // LeaseBook, called by the Store.
  bool exists(LeaseId lease) const override { return leases_.contains(lease); }
  void attach(LeaseId lease, std::string_view key) override;
  void detach(LeaseId lease, std::string_view key) override;

  // Leadership. `extend`: an election timeout.
  void promote(TimePoint now, Duration extend);
  void demote();
  bool primary() const { return primary_; }

  // Leader. Prove leadership (ReadIndex) before a renew. Renewing a checkpointed lease needs a
  // checkpoint(id, 0) through the log as well: `needs_checkpoint` says so.
  Renewed renew(LeaseId id, TimePoint now);
  bool needs_checkpoint(LeaseId id) const;
  // At most `max` leases whose time is up, longest overdue first; each is returned again only
  // after retry_revoke. Propose a revoke for each.
  std::vector<LeaseId> expiring(TimePoint now, std::size_t max);
  // At most `max` leases whose remaining time should be remembered now; each is returned again
  // after checkpoint_every while it has more than that left. Propose a checkpoint for each.
  std::vector<Checkpoint> due_checkpoints(TimePoint now, std::size_t max);
  std::optional<TimePoint> next_deadline() const;

  std::optional<TimeToLive> time_to_live(LeaseId id, TimePoint now) const;
  std::vector<LeaseId> leases() const;  // ascending by id
  std::size_t size() const { return leases_.size(); }
  // A positive 63-bit id that is not in use.
  LeaseId pick_id(Rng& rng) const;

 private:
  struct Lease {
    std::int64_t ttl_seconds = 0;
    std::int64_t remaining_seconds = 0;  // 0: no checkpoint
    std::set<std::string, std::less<>> keys;
    // Leader only.
    TimePoint deadline{};
    TimePoint queued_at{};      // its place in queue_
    TimePoint checkpoint_at{};  // its place in checkpoints_, if it has one
  };

  explicit Lessor(LessorConfig config) : config_(config) {}
  Duration full_time(const Lease& lease) const;
  void start(LeaseId id, Lease& lease, TimePoint now, Duration time);
  void plan_checkpoint(LeaseId id, Lease& lease, TimePoint now);
  void unqueue(LeaseId id, const Lease& lease);
  void persist(LeaseId id, const Lease& lease, mvcc::WriteBatch& batch) const;

  LessorConfig config_;
  bool primary_ = false;
  std::map<LeaseId, Lease> leases_;
  std::set<std::pair<TimePoint, LeaseId>> queue_;  // leader only: every lease, by when to look
  std::set<std::pair<TimePoint, LeaseId>> checkpoints_;  // leader only: of long leases
};

}  // namespace coracle::lease
