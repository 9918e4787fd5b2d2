#include <limits>

#include "mvcc/check.hpp"
#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"
#include "mvcc/store.hpp"
#include "mvcc/store_parts.hpp"

namespace coracle::mvcc {

void Store::record(KeyIndex::Entry& entry, Event event, Turn& turn) {
  const bool tombstone = event.type == Event::Type::kDelete;
  CORACLE_CHECK(turn.changes < std::numeric_limits<std::int32_t>::max());
  VersionRef ref;
  ref.main = turn.main();
  ref.sub = turn.changes++;
  ref.tombstone = tombstone ? 1 : 0;
  std::string key = record_key(ref);
  std::string value = tombstone ? encode_kv(KeyValue{event.kv.key}) : encode_kv(event.kv);
  ref.bytes = static_cast<std::uint32_t>(key.size() + value.size());
  bytes_in_use_ += ref.bytes;
  if (!tombstone) cache_.put(ref, std::make_shared<const std::string>(value));
  turn.batch.put(Family::kMvcc, std::move(key), std::move(value));
  if (tombstone) {
    index_.push_tombstone(entry, ref);
  } else {
    index_.push_live(entry, ref, event.kv.create.value, event.kv.version, event.kv.lease.value);
  }
  if (ref.sub == 0) changes_.push_back({Revision(ref.main), {}});
  changes_.back().events.push_back(std::make_shared<const Event>(std::move(event)));
}

void Store::finish(const Turn& turn) { revision_ = turn.now().value; }

Status Store::validate_put(const PutRequest& request) const {
  if (request.ignore_value || request.ignore_lease) {
    const KeyIndex::Entry* entry = index_.find(request.key);
    if (entry == nullptr || !entry->live()) return err_key_not_found();
  }
  if (request.lease != LeaseId() && !leases_.exists(request.lease)) return err_lease_not_found();
  return {};
}

PutResult Store::do_put(const PutRequest& request, Turn& turn) {
  KeyIndex::Entry& entry = index_.find_or_insert(request.key);
  PutResult result;
  Event event;
  event.kv.key = request.key;
  event.kv.value = request.value;
  event.kv.lease = request.ignore_lease ? LeaseId(entry.lease) : request.lease;
  if (entry.live() && (request.prev_kv || request.ignore_value)) {
    KeyValue old = load_kv(entry.versions.back());
    if (request.ignore_value) event.kv.value = old.value;
    if (request.prev_kv) result.prev_kv = std::move(old);
  }
  event.kv.mod = Revision(turn.main());
  event.kv.create = entry.live() ? Revision(entry.create) : event.kv.mod;
  event.kv.version = entry.version + 1;
  if (LeaseId old(entry.lease); old != event.kv.lease) {
    if (old != LeaseId()) leases_.detach(old, entry.key);
    if (event.kv.lease != LeaseId()) leases_.attach(event.kv.lease, entry.key);
  }
  record(entry, std::move(event), turn);
  result.revision = turn.now();
  return result;
}

void Store::do_tombstone(KeyIndex::Entry& entry, Turn& turn) {
  if (entry.lease != 0) leases_.detach(LeaseId(entry.lease), entry.key);
  Event event;
  event.type = Event::Type::kDelete;
  event.kv.key = entry.key;
  event.kv.mod = Revision(turn.main());
  record(entry, std::move(event), turn);
}

DeleteResult Store::do_delete(const DeleteRequest& request, Turn& turn) {
  DeleteResult result;
  const KeyRange range = KeyRange::of(request.key, request.range_end);
  if (!range.empty()) {
    for (auto* entry = index_.seek(range.begin); entry != nullptr && range.contains(entry->key);
         entry = index_.next(*entry)) {
      if (!entry->live()) continue;
      if (request.prev_kv) result.prev_kvs.push_back(load_kv(entry->versions.back()));
      do_tombstone(*entry, turn);
      ++result.deleted;
    }
  }
  result.revision = turn.now();
  return result;
}

Result<PutResult> Store::put(const PutRequest& request, WriteBatch& batch) {
  // Alone, a put looks at its lease first; in a txn, last. As etcd.
  if (request.lease != LeaseId() && !leases_.exists(request.lease)) return err_lease_not_found();
  RETURN_IF_ERROR(validate_put(request));
  Turn turn{batch, revision_};
  PutResult result = do_put(request, turn);
  finish(turn);
  return result;
}

Result<DeleteResult> Store::delete_range(const DeleteRequest& request, WriteBatch& batch) {
  Turn turn{batch, revision_};
  DeleteResult result = do_delete(request, turn);
  finish(turn);
  return result;
}

DeleteResult Store::delete_keys(const std::vector<std::string>& keys, WriteBatch& batch) {
  Turn turn{batch, revision_};
  DeleteResult result;
  for (const std::string& key : keys) {
    KeyIndex::Entry* entry = index_.find(key);
    if (entry == nullptr || !entry->live()) continue;
    do_tombstone(*entry, turn);
    ++result.deleted;
  }
  finish(turn);
  result.revision = turn.now();
  return result;
}

void Store::choose(const TxnRequest& request, Path& path) const {
  bool succeeded = true;
  for (const Compare& c : request.compare) {
    if (!compare(c)) {
      succeeded = false;
      break;
    }
  }
  path.succeeded.push_back(succeeded);
  for (const RequestOp& op : succeeded ? request.success : request.failure) {
    if (const auto* txn = std::get_if<TxnRequest>(&op.request)) choose(*txn, path);
  }
}

Status Store::validate(const TxnRequest& request, const Path& path, std::size_t& position) const {
  const bool succeeded = path.succeeded[position++];
  for (const RequestOp& op : succeeded ? request.success : request.failure) {
    if (const auto* range = std::get_if<RangeRequest>(&op.request)) {
      // A txn, unlike a Range, takes a negative revision for one of long ago.
      if (range->revision.value < 0 && range->revision.value < compacted_) return err_compacted();
      RETURN_IF_ERROR(check_revision(range->revision.value));
    } else if (const auto* put = std::get_if<PutRequest>(&op.request)) {
      RETURN_IF_ERROR(validate_put(*put));
    } else if (const auto* txn = std::get_if<TxnRequest>(&op.request)) {
      RETURN_IF_ERROR(validate(*txn, path, position));
    }
  }
  return {};
}

TxnResult Store::execute(const TxnRequest& request, const Path& path, std::size_t& position,
                         Turn& turn) {
  TxnResult result;
  result.succeeded = path.succeeded[position++];
  for (const RequestOp& op : result.succeeded ? request.success : request.failure) {
    if (const auto* get = std::get_if<RangeRequest>(&op.request)) {
      RangeResult found = range(*get).value();  // validated
      found.revision = turn.now();
      result.responses.push_back({std::move(found)});
    } else if (const auto* put = std::get_if<PutRequest>(&op.request)) {
      result.responses.push_back({do_put(*put, turn)});
    } else if (const auto* del = std::get_if<DeleteRequest>(&op.request)) {
      result.responses.push_back({do_delete(*del, turn)});
    } else if (const auto* txn = std::get_if<TxnRequest>(&op.request)) {
      result.responses.push_back({execute(*txn, path, position, turn)});
    } else {
      CHECK_MSG(false, "an empty operation passed check_txn");
    }
  }
  return result;
}

Result<TxnResult> Store::txn(const TxnRequest& request, WriteBatch& batch) {
  Path path;
  choose(request, path);
  std::size_t position = 0;
  RETURN_IF_ERROR(validate(request, path, position));
  Turn turn{batch, revision_};
  position = 0;
  TxnResult result = execute(request, path, position, turn);
  finish(turn);
  result.revision = turn.now();
  return result;
}

Result<TxnResult> Store::read_txn(const TxnRequest& request) const {
  CORACLE_CHECK(is_read_only(request));
  Path path;
  choose(request, path);
  std::size_t position = 0;
  RETURN_IF_ERROR(validate(request, path, position));
  TxnResult result;
  result.revision = revision();
  result.succeeded = path.succeeded.front();
  for (const RequestOp& op : result.succeeded ? request.success : request.failure) {
    ASSIGN_OR_RETURN(RangeResult found, range(std::get<RangeRequest>(op.request)));
    result.responses.push_back({std::move(found)});
  }
  return result;
}

}  // namespace coracle::mvcc
