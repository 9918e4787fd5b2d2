#include "mvcc/store.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"
#include "mvcc/store_parts.hpp"

namespace coracle::mvcc {
namespace {

// Family::kMeta. Scheduled is written with the mark, finished when nothing is left to remove.
constexpr std::string_view kScheduledKey = "mvcc/compact_scheduled";
constexpr std::string_view kFinishedKey = "mvcc/compact_finished";

Result<std::int64_t> read_revision(const StateReader& state, std::string_view key) {
  const auto bytes = state.get(Family::kMeta, key);
  if (!bytes) return std::int64_t{-1};
  return decode_be64(*bytes);
}

// How many of the oldest versions a compaction at `compacted` removes: all but the newest one at
// or before it, and that too if it is an older tombstone. One exactly at `compacted` stays, as a
// watch may still start there.
std::size_t garbage_in(const std::vector<VersionRef>& versions, std::int64_t compacted) {
  std::size_t upto = 0;
  while (upto < versions.size() && versions[upto].main <= compacted) ++upto;
  if (upto == 0) return 0;
  const VersionRef& newest = versions[upto - 1];
  return newest.tombstone && newest.main < compacted ? upto : upto - 1;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StateStore& state, LeaseBook& leases) {
  std::unique_ptr<Store> store(new Store(state, leases));
  RETURN_IF_ERROR(store->recover());
  return store;
}

Status Store::recover_record(std::string_view key, std::string_view value) {
  ASSIGN_OR_RETURN(VersionRef ref, parse_record_key(key));
  ASSIGN_OR_RETURN(const KeyValue kv, decode_kv(value));
  ref.bytes = static_cast<std::uint32_t>(key.size() + value.size());
  if (kv.key.empty() || (!ref.tombstone && kv.version <= 0)) {
    return data_loss("mvcc: the record of revision " + std::to_string(ref.main) + " is no key");
  }
  KeyIndex::Entry& entry = index_.find_or_insert(kv.key);
  if (ref.tombstone) {
    index_.push_tombstone(entry, ref);
  } else {
    index_.push_live(entry, ref, kv.create.value, kv.version, kv.lease.value);
  }
  bytes_in_use_ += ref.bytes;
  revision_ = std::max(revision_, ref.main);
  return {};
}

Status Store::recover() {
  Status failure;
  state_.scan(Family::kMvcc, {}, {}, [&](std::string_view key, std::string_view value) {
    failure = recover_record(key, value);
    return failure.ok();
  });
  RETURN_IF_ERROR(failure);
  ASSIGN_OR_RETURN(const std::int64_t scheduled, read_revision(state_, kScheduledKey));
  ASSIGN_OR_RETURN(const std::int64_t finished, read_revision(state_, kFinishedKey));
  compacted_ = scheduled;
  if (scheduled > finished) compact_cursor_ = std::string();
  // Compaction may have removed the record of the last revision; the mark is never above it.
  revision_ = std::max(revision_, scheduled);
  for (const auto* entry = index_.seek({}); entry != nullptr; entry = index_.next(*entry)) {
    if (entry->lease != 0) leases_.attach(LeaseId(entry->lease), entry->key);
  }
  return {};
}

Status Store::compact(Revision at, WriteBatch& batch) {
  if (at.value <= compacted_) return err_compacted();
  if (at.value > revision_) return err_future_revision();
  compacted_ = at.value;
  compact_cursor_ = std::string();
  batch.put(Family::kMeta, std::string(kScheduledKey), encode_be64(compacted_));
  return {};
}

bool Store::compact_step(std::size_t max_keys, WriteBatch& batch) {
  if (!compact_cursor_) return false;
  // Keys looked at and versions removed both cost, so both are counted.
  std::size_t budget = std::max<std::size_t>(max_keys, 1);
  for (auto* entry = index_.seek(*compact_cursor_); entry != nullptr;) {
    if (budget == 0) {
      compact_cursor_ = entry->key;
      return true;
    }
    const std::size_t garbage = garbage_in(entry->versions, compacted_);
    const std::size_t removed = std::min(garbage, budget);
    for (std::size_t i = 0; i < removed; ++i) {
      batch.erase(Family::kMvcc, record_key(entry->versions[i]));
      bytes_in_use_ -= entry->versions[i].bytes;
    }
    entry->versions.erase(entry->versions.begin(),
                          entry->versions.begin() + static_cast<std::ptrdiff_t>(removed));
    budget -= std::max<std::size_t>(removed, 1);
    if (removed < garbage) continue;
    auto* after = index_.next(*entry);
    if (entry->versions.empty()) index_.erase(entry->key);
    entry = after;
  }
  compact_cursor_.reset();
  batch.put(Family::kMeta, std::string(kFinishedKey), encode_be64(compacted_));
  return false;
}

std::vector<Change> Store::take_changes() { return std::exchange(changes_, {}); }

Revision Store::history(Revision from, Revision to,
                        const std::function<bool(Change)>& visit) const {
  CORACLE_CHECK(changes_.empty() && from.value >= compacted_);
  Change change;
  Revision reached = to.next();
  state_.scan(Family::kMvcc, first_record_key(from.value), first_record_key(to.value + 1),
              [&](std::string_view key, std::string_view value) {
                const VersionRef ref = parse_record_key(key).value();
                if (change.revision.value != ref.main) {
                  if (!change.events.empty() && !visit(std::exchange(change, {}))) {
                    reached = Revision(ref.main);
                    return false;
                  }
                  change.revision = Revision(ref.main);
                }
                Event event{ref.tombstone ? Event::Type::kDelete : Event::Type::kPut,
                            decode_kv(value).value()};
                event.kv.mod = change.revision;
                change.events.push_back(std::make_shared<const Event>(std::move(event)));
                return true;
              });
  if (!change.events.empty()) visit(std::move(change));
  return reached;
}

}  // namespace coracle::mvcc
