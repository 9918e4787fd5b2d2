#include <algorithm>
#include <limits>

#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"
#include "mvcc/store.hpp"
#include "mvcc/store_parts.hpp"

namespace coracle::mvcc {
namespace {

constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

bool has_filter(const RangeRequest& r) {
  const Revision off;
  return r.min_mod != off || r.max_mod != off || r.min_create != off || r.max_create != off;
}

// An order that walking the index does not give anyway.
bool has_explicit_order(const RangeRequest& r) {
  return r.sort_order == SortOrder::kDescend ||
         (r.sort_order == SortOrder::kAscend && r.sort_target != SortTarget::kKey);
}

bool needs_sort(const RangeRequest& r) {
  return has_explicit_order(r) || r.sort_target != SortTarget::kKey;
}

bool passes(const RangeRequest& r, const KeyValue& kv) {
  const Revision off;
  return (r.min_mod == off || kv.mod >= r.min_mod) && (r.max_mod == off || kv.mod <= r.max_mod) &&
         (r.min_create == off || kv.create >= r.min_create) &&
         (r.max_create == off || kv.create <= r.max_create);
}

bool sorts_before(SortTarget target, const KeyValue& a, const KeyValue& b) {
  switch (target) {
    case SortTarget::kKey:
      return a.key < b.key;
    case SortTarget::kVersion:
      return a.version < b.version;
    case SortTarget::kCreate:
      return a.create < b.create;
    case SortTarget::kMod:
      return a.mod < b.mod;
    case SortTarget::kValue:
      return a.value < b.value;
  }
  return false;
}

// What a compare looks at, as -1, 0 or 1 against what it asks for.
int compared(const Compare& c, const KeyValue& kv) {
  const auto order = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
  switch (c.target) {
    case Compare::Target::kVersion:
      return order(kv.version, c.number);
    case Compare::Target::kCreate:
      return order(kv.create.value, c.number);
    case Compare::Target::kMod:
      return order(kv.mod.value, c.number);
    case Compare::Target::kValue:
      return order(std::string_view(kv.value), std::string_view(c.value));
    case Compare::Target::kLease:
      return order(kv.lease.value, c.number);
  }
  return 0;
}

bool holds(const Compare& c, const KeyValue& kv) {
  const int order = compared(c, kv);
  switch (c.result) {
    case Compare::Result::kEqual:
      return order == 0;
    case Compare::Result::kNotEqual:
      return order != 0;
    case Compare::Result::kGreater:
      return order > 0;
    case Compare::Result::kLess:
      return order < 0;
  }
  return true;
}

}  // namespace

Status Store::check_revision(std::int64_t at) const {
  if (at > revision_) return err_future_revision();
  if (at > 0 && at < compacted_) return err_compacted();
  return {};
}

const Event* Store::pending(const VersionRef& ref) const {
  if (changes_.empty() || ref.main < changes_.front().revision.value) return nullptr;
  // A turn's changes have revisions without gaps.
  const auto turn = static_cast<std::size_t>(ref.main - changes_.front().revision.value);
  return changes_[turn].events[ref.sub].get();
}

Record Store::load(const VersionRef& ref) const {
  if (Record cached = cache_.find(ref)) return cached;
  if (const Event* event = pending(ref)) {
    return std::make_shared<const std::string>(encode_kv(event->kv));
  }
  auto bytes = state_.get(Family::kMvcc, record_key(ref));
  CHECK_MSG(bytes.has_value(), "no record of revision " << ref.main << "." << ref.sub);
  auto record = std::make_shared<const std::string>(std::move(*bytes));
  cache_.put(ref, record);
  return record;
}

KeyValue Store::load_kv(const VersionRef& ref) const {
  if (const Event* event = pending(ref)) return event->kv;
  Result<KeyValue> kv = decode_kv(*load(ref));
  CHECK_MSG(kv.ok(), "damaged record of revision " << ref.main << "." << ref.sub);
  return std::move(kv).value();
}

void Store::fill(Row& row, bool with_value) const {
  if (row.has_value || (row.filled && !with_value)) return;
  const KeyIndex::Entry& entry = *row.entry;
  if (with_value || row.ref != entry.versions.back()) {
    row.kv = load_kv(row.ref);
    row.has_value = true;
  } else {
    row.kv = {entry.key,           {}, Revision(entry.create), Revision(entry.mod()), entry.version,
              LeaseId(entry.lease)};
  }
  row.filled = true;
}

Store::Rows Store::collect(const RangeRequest& request, std::size_t limit) const {
  Rows rows;
  const KeyRange range = KeyRange::of(request.key, request.range_end);
  const std::int64_t at = request.revision.value;
  // In the middle of a txn the index is one revision ahead of what `at` may name.
  const bool ahead = !changes_.empty() && changes_.back().revision.value > revision_;
  const bool latest = at <= 0 || (at == revision_ && !ahead);
  if (range.single) {  // which is most of them: one search of the index
    const KeyIndex::Entry* entry = index_.find(range.begin);
    const VersionRef* ref = entry == nullptr ? nullptr : entry->at(latest ? kLatest : at);
    if (ref == nullptr || ref->tombstone) return rows;
    rows.count = 1;
    if (!request.count_only) rows.list.push_back({entry, *ref});
    return rows;
  }
  if (latest) {
    rows.count = static_cast<std::int64_t>(index_.count_live(range));
    if (request.count_only || rows.count == 0) return rows;
    limit = std::min(limit, static_cast<std::size_t>(rows.count));
  }
  if (range.empty()) return rows;
  for (const auto* entry = index_.seek(range.begin); entry != nullptr && range.contains(entry->key);
       entry = index_.next(*entry)) {
    const VersionRef* ref = entry->at(latest ? kLatest : at);
    if (ref == nullptr || ref->tombstone) continue;
    if (!latest) ++rows.count;
    if (!request.count_only && rows.list.size() < limit) rows.list.push_back({entry, *ref});
    if (latest && rows.list.size() == limit) break;
  }
  return rows;
}

Result<Store::Rows> Store::select(const RangeRequest& request) const {
  RETURN_IF_ERROR(check_revision(request.revision.value));
  const bool limited = request.limit > 0;
  // An explicit order or filter must see everything; a bare sort target is cut by key first, which
  // is etcd's behaviour and kept.
  const bool everything = has_explicit_order(request) || has_filter(request) || !limited;
  Rows rows = collect(request, everything ? std::numeric_limits<std::size_t>::max()
                                          : static_cast<std::size_t>(request.limit) + 1);
  if (has_filter(request)) {
    std::erase_if(rows.list, [&](Row& row) {
      fill(row, false);
      return !passes(request, row.kv);
    });
  }
  if (needs_sort(request)) {
    for (Row& row : rows.list) fill(row, request.sort_target == SortTarget::kValue);
    const bool down = request.sort_order == SortOrder::kDescend;
    std::sort(rows.list.begin(), rows.list.end(), [&](const Row& a, const Row& b) {
      const KeyValue& first = down ? b.kv : a.kv;
      const KeyValue& second = down ? a.kv : b.kv;
      if (sorts_before(request.sort_target, first, second)) return true;
      if (sorts_before(request.sort_target, second, first)) return false;
      return a.entry->key < b.entry->key;  // equals by key: the same answer on every member
    });
  }
  if (limited && rows.list.size() > static_cast<std::size_t>(request.limit)) {
    rows.list.resize(static_cast<std::size_t>(request.limit));
    rows.more = true;
  }
  return rows;
}

Result<RangeResult> Store::range(const RangeRequest& request) const {
  ASSIGN_OR_RETURN(Rows rows, select(request));
  RangeResult result{revision(), {}, rows.more, rows.count};
  result.kvs.reserve(rows.list.size());
  for (Row& row : rows.list) {
    fill(row, !request.keys_only);
    if (request.keys_only) row.kv.value.clear();
    result.kvs.push_back(std::move(row.kv));
  }
  return result;
}

Result<RawRangeResult> Store::range_raw(const RangeRequest& request) const {
  ASSIGN_OR_RETURN(Rows rows, select(request));
  RawRangeResult result{revision(), {}, rows.more, rows.count};
  result.records.reserve(rows.list.size());
  for (Row& row : rows.list) {
    if (request.keys_only) {
      fill(row, false);
      row.kv.value.clear();
    }
    const bool known = row.has_value || request.keys_only;
    result.records.push_back(known ? std::make_shared<const std::string>(encode_kv(row.kv))
                                   : load(row.ref));
  }
  return result;
}

std::optional<KeyValue> Store::get(std::string_view key, Revision at) const {
  if (at.value <= 0 || !check_revision(at.value).ok()) return std::nullopt;
  const KeyIndex::Entry* entry = index_.find(key);
  const VersionRef* ref = entry == nullptr ? nullptr : entry->at(at.value);
  if (ref == nullptr || ref->tombstone) return std::nullopt;
  return load_kv(*ref);
}

bool Store::compare(const Compare& c) const {
  RangeRequest request;
  request.key = c.key;
  request.range_end = c.range_end;
  Rows rows = collect(request, std::numeric_limits<std::size_t>::max());
  const bool by_value = c.target == Compare::Target::kValue;
  // "No value" cannot be told from "" on the wire, so it equals, exceeds and differs from nothing.
  if (rows.list.empty()) return !by_value && holds(c, {});
  return std::all_of(rows.list.begin(), rows.list.end(), [&](Row& row) {
    fill(row, by_value);
    return holds(c, row.kv);
  });
}

}  // namespace coracle::mvcc
