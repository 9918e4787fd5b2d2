// Store: the replicated key-value state machine with etcd's revision rules. Pure.
//
// Thread:   one strand owns it, with its StateStore and LeaseBook.
// A turn:   the driver applies any number of committed entries into ONE batch, adds its applied
//           index, and ends the turn:
//               store.txn(a, batch); store.put(b, batch); ... batch.put(kMeta, "applied", ...);
//               state.write(batch);                      // once
//               hub.publish(store.take_changes());       // only now
//           Between an apply and take_changes() the store itself serves the values not yet written,
//           so reads are right at any time; hash_kv() and snapshots need an ended turn.
// Refused:  an apply that returns a failure has changed nothing (no revision, no effect).
// Revision: starts at 1; +1 per apply that changed something; all its changes share it, with
//           sub-revisions 0, 1, 2... in order.
// Memory:   keys and per version 16 bytes; values lie in the StateStore, the last ones also in a
//           cache of kCacheBytes.
// Requests are taken to have passed check.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "mvcc/hash.hpp"
#include "mvcc/key_index.hpp"
#include "mvcc/key_range.hpp"
#include "mvcc/lease_book.hpp"
#include "mvcc/record_cache.hpp"
#include "mvcc/state_store.hpp"
#include "mvcc/types.hpp"

namespace coracle::mvcc {

// Like RangeResult, but each record is a KeyValue in wire bytes (mvccpb.KeyValue), so that a
// reply can be put together without decoding.
struct RawRangeResult {
  Revision revision;
  std::vector<Record> records;
  bool more = false;
  std::int64_t count = 0;
};

class Store {
 public:
  static constexpr std::size_t kCacheBytes = 24 << 20;

  // Recovers from what `state` holds: index, revision, compaction, and attaches leased keys in
  // `leases` (recover the lessor first). DataLoss if a record cannot be read.
  static Result<std::unique_ptr<Store>> open(StateStore& state, LeaseBook& leases);

  Revision revision() const { return Revision(revision_); }
  // -1 on a store that was never compacted. Reads at it are still served.
  Revision compacted() const { return Revision(compacted_); }
  std::size_t live_keys() const { return index_.live_size(); }
  // Bytes of keys and values of all records kept, with history: StatusResponse.dbSizeInUse.
  std::int64_t bytes_in_use() const { return bytes_in_use_; }

  // Reads. OutOfRange: compacted, or a future revision.
  Result<RangeResult> range(const RangeRequest& request) const;
  Result<RawRangeResult> range_raw(const RangeRequest& request) const;
  // is_read_only(request) must hold.
  Result<TxnResult> read_txn(const TxnRequest& request) const;
  // The key as of a revision; nothing if it did not exist then, or `at` is compacted or to come.
  std::optional<KeyValue> get(std::string_view key, Revision at) const;

  // Applies. NotFound: unknown lease. InvalidArgument: ignore_* on a missing key. OutOfRange as
  // for reads (txn).
  Result<PutResult> put(const PutRequest& request, WriteBatch& batch);
  Result<DeleteResult> delete_range(const DeleteRequest& request, WriteBatch& batch);
  Result<TxnResult> txn(const TxnRequest& request, WriteBatch& batch);
  // Deletes those of `keys` that exist, in the order given, in one revision (lease revocation).
  DeleteResult delete_keys(const std::vector<std::string>& keys, WriteBatch& batch);

  // Marks everything older than `at` unreadable at once. OutOfRange: compacted, or future.
  Status compact(Revision at, WriteBatch& batch);
  // Removes what the mark made garbage, looking at no more than max_keys keys. True while more
  // remains. Any turn may carry a step; a crash between steps starts them over.
  bool compact_step(std::size_t max_keys, WriteBatch& batch);
  bool compaction_pending() const { return compact_cursor_.has_value(); }

  // The changes applied since the last call, ascending. Ends the turn.
  std::vector<Change> take_changes();

  // etcd's hash, bit for bit: `at` 0 = current. OutOfRange as for reads.
  Result<HashKv> hash_kv(Revision at) const;
  // Its first part, which walks the keys but reads none of their values.
  Result<HashPlan> plan_hash(Revision at) const;

  // Visits the changes with from <= revision <= to in order, whole revisions, until `visit`
  // returns false. Returns where to go on: `to`+1 when done. REQUIRE: from >= compacted(); an
  // ended turn.
  Revision history(Revision from, Revision to, const std::function<bool(Change)>& visit) const;

 private:
  struct Row;  // these: store_parts.hpp
  struct Rows;
  struct Path;
  struct Turn;

  Store(StateStore& state, LeaseBook& leases) : state_(state), leases_(leases) {}
  Status recover();
  Status recover_record(std::string_view key, std::string_view value);

  Status check_revision(std::int64_t at) const;
  Result<Rows> select(const RangeRequest& request) const;
  Rows collect(const RangeRequest& request, std::size_t limit) const;
  const Event* pending(const VersionRef& ref) const;  // of this turn, else nullptr
  Record load(const VersionRef& ref) const;
  KeyValue load_kv(const VersionRef& ref) const;
  void fill(Row& row, bool with_value) const;

  bool compare(const Compare& compare) const;
  void choose(const TxnRequest& request, Path& path) const;
  Status validate(const TxnRequest& request, const Path& path, std::size_t& position) const;
  Status validate_put(const PutRequest& request) const;
  TxnResult execute(const TxnRequest& request, const Path& path, std::size_t& position, Turn& turn);
  PutResult do_put(const PutRequest& request, Turn& turn);
  DeleteResult do_delete(const DeleteRequest& request, Turn& turn);
  void do_tombstone(KeyIndex::Entry& entry, Turn& turn);
  void record(KeyIndex::Entry& entry, Event event, Turn& turn);
  void finish(const Turn& turn);

  StateStore& state_;
  LeaseBook& leases_;
  KeyIndex index_;
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = -1;
  std::int64_t bytes_in_use_ = 0;
  std::optional<std::string> compact_cursor_;  // first key the next step looks at
  std::vector<Change> changes_;                // of this turn, not yet in state_
  mutable RecordCache cache_{kCacheBytes};
};

}  // namespace coracle::mvcc
