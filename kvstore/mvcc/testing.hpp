// Builders for tests of the key store: short spellings of requests, and a Store on a memory state
// whose turns end by themselves.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mvcc/lease_book.hpp"
#include "mvcc/memory_state_store.hpp"
#include "mvcc/mvcc_checker.hpp"
#include "mvcc/store.hpp"

namespace coracle::mvcc::testing {

inline const std::string kZero(1, '\0');  // range_end of "everything from here on"

struct Put : PutRequest {
  Put(std::string k, std::string v) {
    key = std::move(k);
    value = std::move(v);
  }
  Put& with_lease(std::int64_t id) { return lease = LeaseId(id), *this; }
  Put& with_prev() { return prev_kv = true, *this; }
  Put& keeping_value() { return ignore_value = true, *this; }
  Put& keeping_lease() { return ignore_lease = true, *this; }
};

struct Get : RangeRequest {
  explicit Get(std::string k, std::string end = {}) {
    key = std::move(k);
    range_end = std::move(end);
  }
  Get& at(std::int64_t r) { return revision = Revision(r), *this; }
  Get& max(std::int64_t n) { return limit = n, *this; }
  Get& sorted(SortTarget target, SortOrder order) {
    return sort_target = target, sort_order = order, *this;
  }
  Get& keys() { return keys_only = true, *this; }
  Get& counting() { return count_only = true, *this; }
};

struct Delete : DeleteRequest {
  explicit Delete(std::string k, std::string end = {}) {
    key = std::move(k);
    range_end = std::move(end);
  }
  Delete& with_prev() { return prev_kv = true, *this; }
};

inline Compare if_number(Compare::Target target, std::string key, Compare::Result result,
                         std::int64_t number, std::string end = {}) {
  return {result, target, std::move(key), std::move(end), number, {}};
}
inline Compare if_value(std::string key, Compare::Result result, std::string value,
                        std::string end = {}) {
  return {result, Compare::Target::kValue, std::move(key), std::move(end), 0, std::move(value)};
}

// A builder, sliced to what it builds.
inline RequestOp op(RangeRequest r) { return {std::move(r)}; }
inline RequestOp op(PutRequest r) { return {std::move(r)}; }
inline RequestOp op(DeleteRequest r) { return {std::move(r)}; }
inline RequestOp op(TxnRequest r) { return {std::move(r)}; }

struct Txn : TxnRequest {
  Txn& when(Compare c) { return compare.push_back(std::move(c)), *this; }
  template <class Request>
  Txn& then(Request request) {
    return success.push_back(op(std::move(request))), *this;
  }
  template <class Request>
  Txn& otherwise(Request request) {
    return failure.push_back(op(std::move(request))), *this;
  }
};

class Leases final : public LeaseBook {
 public:
  explicit Leases(std::map<std::int64_t, std::set<std::string>> known = {}) : keys(known) {}
  bool exists(LeaseId lease) const override { return keys.contains(lease.value); }
  void attach(LeaseId lease, std::string_view key) override {
    if (exists(lease)) keys[lease.value].emplace(key);
  }
  void detach(LeaseId lease, std::string_view key) override {
    if (exists(lease)) keys[lease.value].erase(std::string(key));
  }
  std::map<std::int64_t, std::set<std::string>> keys;
};

// One turn per call; every turn is checked.
class Bench {
 public:
  Bench() : leases({{7, {}}, {8, {}}}) { open(); }

  void open() {
    for (auto& [id, keys] : leases.keys) keys.clear();
    store = Store::open(state, leases).value();
  }
  std::vector<Change> end_turn() {
    state.write(batch);
    batch.clear();
    auto changes = store->take_changes();
    const std::string broken = checker.step(*store, changes);
    CHECK_MSG(broken.empty(), broken);
    return changes;
  }
  PutResult put(const PutRequest& r) { return done(store->put(r, batch)).value(); }
  PutResult put(std::string key, std::string value) { return put(Put(key, value)); }
  DeleteResult del(const DeleteRequest& r) { return done(store->delete_range(r, batch)).value(); }
  TxnResult txn(const TxnRequest& r) { return done(store->txn(r, batch)).value(); }
  Status compact(std::int64_t at) { return done(store->compact(Revision(at), batch)); }
  void compact_fully(std::size_t step = 1000) {
    while (store->compact_step(step, batch)) end_turn();
    end_turn();
  }
  RangeResult get(const RangeRequest& r) const { return store->range(r).value(); }

  MemoryStateStore state;
  Leases leases;
  WriteBatch batch;
  MvccChecker checker;
  std::unique_ptr<Store> store;
  std::vector<Change> last_changes;

 private:
  template <class T>
  T done(T result) {
    last_changes = end_turn();
    return result;
  }
};

inline KeyValue kv(std::string key, std::string value, std::int64_t create, std::int64_t mod,
                   std::int64_t version, std::int64_t lease = 0) {
  return {std::move(key), std::move(value), Revision(create),
          Revision(mod),  version,          LeaseId(lease)};
}
inline std::vector<std::string> keys_of(const RangeResult& result) {
  std::vector<std::string> keys;
  for (const KeyValue& found : result.kvs) keys.push_back(found.key);
  return keys;
}

}  // namespace coracle::mvcc::testing
