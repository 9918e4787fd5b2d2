// Random operations against a twin that keeps every revision as a whole map.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "base/rng.hpp"
#include "mvcc/check.hpp"
#include "mvcc/errors.hpp"
#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

namespace {

using World = std::map<std::string, KeyValue>;

// The naive store: slow, short, obviously right.
struct Twin {
  std::vector<World> at{{}, {}};  // by revision; 0 is unused
  std::int64_t compacted = -1;

  std::int64_t revision() const { return static_cast<std::int64_t>(at.size()) - 1; }

  std::vector<KeyValue> in(const World& world, const RangeRequest& r) const {
    std::vector<KeyValue> found;
    for (const auto& [key, kv] : world) {
      if (KeyRange::of(r.key, r.range_end).contains(key)) found.push_back(kv);
    }
    return found;
  }

  Result<RangeResult> range(const RangeRequest& r, const World& now, Revision header) const {
    if (r.revision.value > revision()) return err_future_revision();
    if (r.revision.value > 0 && r.revision.value < compacted) return err_compacted();
    const auto rev = static_cast<std::size_t>(r.revision.value);
    RangeResult result{header, in(rev == 0 ? now : at[rev], r), false, 0};
    result.count = static_cast<std::int64_t>(result.kvs.size());
    if (r.sort_order == SortOrder::kDescend) std::reverse(result.kvs.begin(), result.kvs.end());
    if (r.limit > 0 && result.count > r.limit) {
      result.kvs.resize(static_cast<std::size_t>(r.limit));
      result.more = true;
    }
    if (r.count_only) result.kvs.clear(), result.more = false;
    for (KeyValue& kv : result.kvs) kv.value = r.keys_only ? "" : kv.value;
    return result;
  }

  bool holds(const Compare& c) const {
    RangeRequest r;
    r.key = c.key;
    r.range_end = c.range_end;
    auto found = in(at.back(), r);
    if (found.empty()) found.emplace_back();
    return std::all_of(found.begin(), found.end(), [&](const KeyValue& kv) {
      const std::int64_t have = c.target == Compare::Target::kMod ? kv.mod.value : kv.version;
      return c.result == Compare::Result::kEqual ? have == c.number : have > c.number;
    });
  }

  TxnResult run(const TxnRequest& txn, World& now, bool& changed) const {
    TxnResult result;
    result.succeeded = std::all_of(txn.compare.begin(), txn.compare.end(),
                                   [&](const Compare& c) { return holds(c); });
    const auto header = [&] { return Revision(revision() + (changed ? 1 : 0)); };
    for (const RequestOp& op : result.succeeded ? txn.success : txn.failure) {
      if (const auto* get = std::get_if<RangeRequest>(&op.request)) {
        result.responses.push_back({range(*get, now, header()).value()});
      } else if (const auto* put = std::get_if<PutRequest>(&op.request)) {
        changed = true;
        const auto old = now.find(put->key);
        PutResult done{header(), std::nullopt};
        KeyValue next = kv(put->key, put->value, revision() + 1, revision() + 1, 1);
        if (old != now.end()) {
          next.create = old->second.create;
          next.version = old->second.version + 1;
          if (put->prev_kv) done.prev_kv = old->second;
        }
        now[put->key] = next;
        result.responses.push_back({done});
      } else if (const auto* del = std::get_if<DeleteRequest>(&op.request)) {
        DeleteResult done;
        RangeRequest r;
        r.key = del->key;
        r.range_end = del->range_end;
        for (const KeyValue& gone : in(now, r)) {
          changed = true;
          ++done.deleted;
          if (del->prev_kv) done.prev_kvs.push_back(gone);
          now.erase(gone.key);
        }
        done.revision = header();
        result.responses.push_back({done});
      } else {
        result.responses.push_back({run(std::get<TxnRequest>(op.request), now, changed)});
      }
    }
    return result;
  }

  TxnResult txn(const TxnRequest& request) {
    World now = at.back();
    bool changed = false;
    TxnResult result = run(request, now, changed);
    if (changed) at.push_back(std::move(now));
    result.revision = Revision(revision());
    return result;
  }
};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng(seed) {}

  std::string key() { return "k" + std::to_string(rng.below(12)); }
  std::string end() { return rng.chance(0.4) ? "" : rng.chance(0.2) ? kZero : key(); }
  RangeRequest range(std::int64_t newest) {
    Get get(rng.chance(0.1) ? kZero : key(), end());
    if (rng.chance(0.5)) get.at(rng.between(1, newest));
    if (rng.chance(0.3)) get.max(rng.between(1, 6));
    if (rng.chance(0.2)) get.sorted(SortTarget::kKey, SortOrder::kDescend);
    if (rng.chance(0.2)) get.keys();
    if (rng.chance(0.1)) get.counting();
    return get;
  }
  Compare compare() {
    const auto target = rng.chance(0.5) ? Compare::Target::kMod : Compare::Target::kVersion;
    const auto result = rng.chance(0.5) ? Compare::Result::kEqual : Compare::Result::kGreater;
    return if_number(target, key(), result, rng.between(0, 3), end());
  }
  TxnRequest txn(int depth = 0) {
    TxnRequest txn;
    for (auto n = rng.below(2); n > 0; --n) txn.compare.push_back(compare());
    for (auto* branch : {&txn.success, &txn.failure}) {
      for (auto n = rng.below(4); n > 0; --n) branch->push_back(operation(depth));
    }
    return txn;
  }

  Rng rng;

 private:
  RequestOp operation(int depth) {
    const auto what = rng.below(10);
    if (what < 3) {
      Get get(key(), end());
      return op(RangeRequest(get));
    }
    if (what < 7) {
      Put put(key(), std::to_string(rng.below(1000)));
      put.prev_kv = rng.chance(0.5);
      return op(PutRequest(put));
    }
    if (what < 9 || depth > 1) {
      Delete del(key(), rng.chance(0.5) ? "" : key());
      del.prev_kv = rng.chance(0.5);
      return op(DeleteRequest(del));
    }
    return op(txn(depth + 1));
  }
};

// A store whose machine may die: what was not flushed is applied again, as from the Raft log.
struct Crashable : Bench {
  using Entry = std::function<void(Crashable&)>;

  void apply(Entry entry) {
    entry(*this);
    since_flush.push_back(std::move(entry));
  }
  void flush() {
    state.flush();
    since_flush.clear();
    flushed_revision = store->revision();
  }
  void crash() {
    state.crash();
    batch.clear();
    open();
    REQUIRE(store->revision() == flushed_revision);
    replaying = true;
    for (const Entry& entry : since_flush) entry(*this);
    replaying = false;
  }
  void turn() {
    if (!replaying) {
      end_turn();
      return;
    }
    state.write(batch);
    batch.clear();
    store->take_changes();
  }

  std::vector<Entry> since_flush;
  Revision flushed_revision{1};
  bool replaying = false;
};

}  // namespace

TEST_CASE("the store agrees with its twin, through compactions and crashes") {
  const auto seed = GENERATE(range(1u, 13u));
  CAPTURE(seed);
  Dice dice(seed);
  Crashable b;
  Twin twin;
  int txns = 0;
  for (int i = 0; i < 1500; ++i) {
    CAPTURE(i);
    const auto what = dice.rng.below(100);
    if (what < 55) {
      const TxnRequest request = dice.txn();
      if (!check_txn(request).ok()) continue;
      ++txns;
      const TxnResult want = twin.txn(request);
      b.apply([&, request](Crashable& c) {
        const auto got = c.store->txn(request, c.batch);
        REQUIRE(got.ok());
        if (!c.replaying) REQUIRE(*got == want);
        c.turn();
      });
      // `want` is gone when this is replayed; replays check the revision only.
    } else if (what < 85) {
      const RangeRequest request = dice.range(twin.revision() + 1);
      const auto got = b.store->range(request);
      const auto want = twin.range(request, twin.at.back(), Revision(twin.revision()));
      REQUIRE(got.status() == want.status());
      if (got.ok()) REQUIRE(*got == *want);
    } else if (what < 88) {
      const Revision at(dice.rng.between(0, twin.revision() + 1));
      const bool good = at.value > twin.compacted && at.value <= twin.revision();
      if (good) twin.compacted = at.value;
      b.apply([good, at](Crashable& c) {
        REQUIRE(c.store->compact(at, c.batch).ok() == good);
        c.turn();
      });
    } else if (what < 95) {
      const auto hash = b.store->hash_kv(Revision()).value();
      b.apply([](Crashable& c) {
        c.store->compact_step(3, c.batch);
        c.turn();
      });
      REQUIRE(b.store->hash_kv(Revision()).value() == hash);
    } else if (what < 97) {
      b.flush();
    } else {
      const auto hash = b.store->hash_kv(Revision()).value();
      b.crash();
      REQUIRE(b.store->hash_kv(Revision()).value() == hash);
    }
    REQUIRE(b.store->revision() == Revision(twin.revision()));
    REQUIRE(b.store->compacted() == Revision(twin.compacted));
    if (i % 50 == 0) REQUIRE(b.checker.whole(*b.store, b.state) == "");
  }
  REQUIRE(txns > 300);
}

TEST_CASE("a crash in any step of a compaction loses nothing that is readable") {
  const auto steps = GENERATE(range(0, 12));
  const bool flushed = GENERATE(true, false);
  CAPTURE(steps, flushed);
  Bench b;
  for (int i = 0; i < 40; ++i) b.put("k" + std::to_string(i % 7), std::to_string(i));
  b.del(Delete("k3"));
  b.del(Delete("k5"));
  const std::int64_t mark = b.store->revision().value - 5;
  const RangeResult at_mark = b.get(Get(kZero, kZero).at(mark));
  const RangeResult now = b.get(Get(kZero, kZero));
  REQUIRE(b.compact(mark).ok());
  b.state.flush();
  const HashKv hash = b.store->hash_kv(Revision()).value();
  for (int i = 0; i < steps; ++i) {
    b.store->compact_step(4, b.batch);
    b.end_turn();
    if (flushed) b.state.flush();
  }
  b.state.crash();
  b.open();
  REQUIRE(b.store->compacted() == Revision(mark));
  REQUIRE(b.get(Get(kZero, kZero).at(mark)) == at_mark);
  REQUIRE(b.store->range(Get("k1").at(mark - 1)).status() == err_compacted());
  b.compact_fully(3);
  REQUIRE(!b.store->compaction_pending());
  REQUIRE(b.get(Get(kZero, kZero)) == now);
  REQUIRE(b.get(Get(kZero, kZero).at(mark)) == at_mark);
  REQUIRE(b.store->hash_kv(Revision()).value() == hash);
  REQUIRE(b.checker.whole(*b.store, b.state) == "");
}
