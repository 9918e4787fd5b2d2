#include "lease/lessor.hpp"

#include <algorithm>

#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"

namespace coracle::lease {
namespace {

using mvcc::Family;

// leasepb.Lease: ID = 1, TTL = 2, RemainingTTL = 3, all varints.
constexpr std::uint64_t kIdTag = 1 << 3, kTtlTag = 2 << 3, kRemainingTag = 3 << 3;
// The longest of them, 285 years, still fits the clock.
Duration seconds(std::int64_t count) {
  return std::chrono::seconds(std::min<std::int64_t>(count, kMaxTtlSeconds));
}

std::string lease_key(LeaseId id) { return mvcc::encode_be64(id.value); }

}  // namespace

Status check_grant(std::int64_t ttl_seconds) {
  return ttl_seconds > kMaxTtlSeconds ? mvcc::err_lease_ttl_too_large() : Status();
}

Result<std::unique_ptr<Lessor>> Lessor::open(const mvcc::StateReader& state, LessorConfig config) {
  std::unique_ptr<Lessor> lessor(new Lessor(config));
  bool damaged = false;
  state.scan(Family::kLease, {}, {}, [&](std::string_view, std::string_view value) {
    LeaseId id;
    Lease lease;
    while (!value.empty() && !damaged) {
      std::uint64_t tag = 0, number = 0;
      damaged = !mvcc::take_varint(value, tag) || !mvcc::take_varint(value, number);
      const auto integer = static_cast<std::int64_t>(number);
      if (tag == kIdTag) id = LeaseId(integer);
      if (tag == kTtlTag) lease.ttl_seconds = integer;
      if (tag == kRemainingTag) lease.remaining_seconds = integer;
    }
    damaged = damaged || id.value == 0 || lease.ttl_seconds <= 0;
    if (!damaged) lessor->leases_.emplace(id, std::move(lease));
    return !damaged;
  });
  if (damaged) return data_loss("lease: a stored lease is damaged");
  return lessor;
}

void Lessor::persist(LeaseId id, const Lease& lease, mvcc::WriteBatch& batch) const {
  std::string value;
  const auto append = [&](std::uint64_t tag, std::int64_t number) {
    if (number == 0) return;
    mvcc::append_varint(value, tag);
    mvcc::append_varint(value, static_cast<std::uint64_t>(number));
  };
  append(kIdTag, id.value);
  append(kTtlTag, lease.ttl_seconds);
  append(kRemainingTag, lease.remaining_seconds);
  batch.put(Family::kLease, lease_key(id), std::move(value));
}

Result<Granted> Lessor::grant(LeaseId id, std::int64_t ttl_seconds, TimePoint now,
                              mvcc::WriteBatch& batch) {
  CORACLE_CHECK(id.value != 0);
  RETURN_IF_ERROR(check_grant(ttl_seconds));
  if (leases_.contains(id)) return mvcc::err_lease_exists();
  Lease& lease = leases_[id];
  lease.ttl_seconds = std::max(ttl_seconds, config_.min_ttl_seconds);
  persist(id, lease, batch);
  if (primary_) start(id, lease, now, seconds(lease.ttl_seconds));
  return Granted{id, lease.ttl_seconds};
}

Result<mvcc::DeleteResult> Lessor::revoke(LeaseId id, mvcc::Store& store, mvcc::WriteBatch& batch) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return mvcc::err_lease_not_found();
  // A copy: deleting a key detaches it.
  const std::vector<std::string> keys(it->second.keys.begin(), it->second.keys.end());
  mvcc::DeleteResult deleted = store.delete_keys(keys, batch);
  unqueue(id, it->second);
  leases_.erase(it);
  batch.erase(Family::kLease, lease_key(id));
  return deleted;
}

Status Lessor::checkpoint(LeaseId id, std::int64_t remaining_seconds, mvcc::WriteBatch& batch) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return mvcc::err_lease_not_found();
  Lease& lease = it->second;
  lease.remaining_seconds = std::clamp<std::int64_t>(remaining_seconds, 0, lease.ttl_seconds);
  persist(id, lease, batch);
  return {};
}

void Lessor::attach(LeaseId lease, std::string_view key) {
  const auto it = leases_.find(lease);
  if (it != leases_.end()) it->second.keys.emplace(key);
}

void Lessor::detach(LeaseId lease, std::string_view key) {
  const auto it = leases_.find(lease);
  if (it == leases_.end()) return;
  const auto found = it->second.keys.find(key);
  if (found != it->second.keys.end()) it->second.keys.erase(found);
}

Duration Lessor::full_time(const Lease& lease) const {
  return seconds(lease.remaining_seconds > 0 ? lease.remaining_seconds : lease.ttl_seconds);
}

void Lessor::start(LeaseId id, Lease& lease, TimePoint now, Duration time) {
  unqueue(id, lease);
  lease.deadline = lease.queued_at = now + time;
  queue_.emplace(lease.queued_at, id);
  plan_checkpoint(id, lease, now);
}

// What ends before the next checkpoint needs none.
void Lessor::plan_checkpoint(LeaseId id, Lease& lease, TimePoint now) {
  if (lease.deadline - now <= config_.checkpoint_every) return;
  lease.checkpoint_at = now + config_.checkpoint_every;
  checkpoints_.emplace(lease.checkpoint_at, id);
}

void Lessor::unqueue(LeaseId id, const Lease& lease) {
  queue_.erase({lease.queued_at, id});
  checkpoints_.erase({lease.checkpoint_at, id});
}

void Lessor::promote(TimePoint now, Duration extend) {
  primary_ = true;
  queue_.clear();
  checkpoints_.clear();
  for (auto& [id, lease] : leases_) start(id, lease, now, full_time(lease) + extend);
}

void Lessor::demote() {
  primary_ = false;
  queue_.clear();
  checkpoints_.clear();
}

Renewed Lessor::renew(LeaseId id, TimePoint now) {
  if (!primary_) return {Renewed::Outcome::kNotPrimary, 0};
  const auto it = leases_.find(id);
  if (it == leases_.end()) return {Renewed::Outcome::kUnknown, 0};
  if (it->second.deadline <= now) return {Renewed::Outcome::kExpired, 0};
  start(id, it->second, now, seconds(it->second.ttl_seconds));
  return {Renewed::Outcome::kRenewed, it->second.ttl_seconds};
}

bool Lessor::needs_checkpoint(LeaseId id) const {
  const auto it = leases_.find(id);
  return it != leases_.end() && it->second.remaining_seconds > 0;
}

std::vector<LeaseId> Lessor::expiring(TimePoint now, std::size_t max) {
  std::vector<LeaseId> due;
  while (!queue_.empty() && queue_.begin()->first <= now && due.size() < max) {
    const LeaseId id = queue_.begin()->second;
    queue_.erase(queue_.begin());
    Lease& lease = leases_.at(id);
    lease.queued_at = now + config_.retry_revoke;
    queue_.emplace(lease.queued_at, id);
    due.push_back(id);
  }
  return due;
}

std::vector<Checkpoint> Lessor::due_checkpoints(TimePoint now, std::size_t max) {
  std::vector<Checkpoint> due;
  while (!checkpoints_.empty() && checkpoints_.begin()->first <= now && due.size() < max) {
    const LeaseId id = checkpoints_.begin()->second;
    checkpoints_.erase(checkpoints_.begin());
    Lease& lease = leases_.at(id);
    plan_checkpoint(id, lease, now);
    // Rounded up: a lease may live longer than its time, never shorter.
    const auto left = std::chrono::ceil<std::chrono::seconds>(lease.deadline - now).count();
    if (left > 0 && left < lease.ttl_seconds) due.push_back({id, left});
  }
  return due;
}

std::optional<TimePoint> Lessor::next_deadline() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::optional<TimeToLive> Lessor::time_to_live(LeaseId id, TimePoint now) const {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return std::nullopt;
  const Lease& lease = it->second;
  TimeToLive result{-1, lease.ttl_seconds, {lease.keys.begin(), lease.keys.end()}};
  if (primary_) {
    const Duration left = std::max(lease.deadline - now, Duration::zero());
    result.ttl_seconds = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  }
  return result;
}

std::vector<LeaseId> Lessor::leases() const {
  std::vector<LeaseId> ids;
  ids.reserve(leases_.size());
  for (const auto& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

LeaseId Lessor::pick_id(Rng& rng) const {
  for (;;) {
    const LeaseId id(static_cast<std::int64_t>(rng.next() >> 1));
    if (id.value > 0 && !leases_.contains(id)) return id;
  }
}

}  // namespace coracle::lease
