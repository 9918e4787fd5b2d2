#include "mvcc/store.hpp"

#include <catch2/catch.hpp>

#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"
#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

TEST_CASE("an empty store is at revision 1 and was never compacted") {
  Bench b;
  REQUIRE(b.store->revision() == Revision(1));
  REQUIRE(b.store->compacted() == Revision(-1));
  REQUIRE(b.get(Get("nothing")) == RangeResult{Revision(1), {}, false, 0});
}

TEST_CASE("a put counts versions and keeps the creation") {
  Bench b;
  REQUIRE(b.put(Put("k", "1").with_prev()) == PutResult{Revision(2), std::nullopt});
  REQUIRE(b.put(Put("k", "2").with_prev()) == PutResult{Revision(3), kv("k", "1", 2, 2, 1)});
  REQUIRE(b.get(Get("k")).kvs == std::vector{kv("k", "2", 2, 3, 2)});
  b.del(Delete("k"));
  b.put("k", "");
  REQUIRE(b.get(Get("k")).kvs == std::vector{kv("k", "", 5, 5, 1)});
}

TEST_CASE("a delete of nothing is no change") {
  Bench b;
  b.put("k", "1");
  REQUIRE(b.del(Delete("a", "k")) == DeleteResult{Revision(2), 0, {}});
  REQUIRE(b.del(Delete("z", "a")) == DeleteResult{Revision(2), 0, {}});
  REQUIRE(b.del(Delete("a", "z").with_prev()) ==
          DeleteResult{Revision(3), 1, {kv("k", "1", 2, 2, 1)}});
  REQUIRE(b.last_changes.size() == 1);
  KeyValue tombstone{"k"};
  tombstone.mod = Revision(3);
  REQUIRE(*b.last_changes[0].events[0] == Event{Event::Type::kDelete, tombstone});
  REQUIRE(b.del(Delete("k")).revision == Revision(3));
}

TEST_CASE("leases are attached by the last put") {
  Bench b;
  REQUIRE(b.store->put(Put("k", "1").with_lease(99), b.batch).status() ==
          not_found("etcdserver: requested lease not found"));
  REQUIRE(b.store->revision() == Revision(1));
  b.put(Put("k", "1").with_lease(7));
  REQUIRE(b.leases.keys[7] == std::set<std::string>{"k"});
  b.put(Put("k", "2").keeping_lease());
  REQUIRE(b.get(Get("k")).kvs[0] == kv("k", "2", 2, 3, 2, 7));
  b.put(Put("k", "").keeping_value().with_lease(8));
  REQUIRE(b.get(Get("k")).kvs[0] == kv("k", "2", 2, 4, 3, 8));
  REQUIRE(b.leases.keys[7].empty());
  REQUIRE(b.leases.keys[8] == std::set<std::string>{"k"});
  b.put("k", "3");
  REQUIRE(b.leases.keys[8].empty());
  b.put(Put("k", "4").with_lease(8));
  b.del(Delete("k"));
  REQUIRE(b.leases.keys[8].empty());
}

TEST_CASE("ignore_value and ignore_lease need a key") {
  Bench b;
  const Status want = invalid_argument("etcdserver: key not found");
  REQUIRE(b.store->put(Put("k", "").keeping_value(), b.batch).status() == want);
  REQUIRE(b.store->put(Put("k", "").keeping_lease(), b.batch).status() == want);
  b.put("k", "1");
  b.del(Delete("k"));
  REQUIRE(b.store->put(Put("k", "").keeping_value(), b.batch).status() == want);
}

namespace {

// a=1@2, b=2@3, c=3@4, b=9@5 (version 2), d=0@6 deleted @7
void fill(Bench& b) {
  b.put("a", "1");
  b.put("b", "2");
  b.put("c", "3");
  b.put("b", "9");
  b.put("d", "0");
  b.del(Delete("d"));
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("what a range finds") {
  Bench b;
  fill(b);
  struct Case {
    const char* name;
    RangeRequest request;
    Keys keys;
    std::int64_t count;
    bool more;
  };
  const auto filter = [](std::int64_t min_mod, std::int64_t max_mod, std::int64_t min_create,
                         std::int64_t max_create) {
    Get get("a", "z");
    get.min_mod = Revision(min_mod);
    get.max_mod = Revision(max_mod);
    get.min_create = Revision(min_create);
    get.max_create = Revision(max_create);
    return get;
  };
  using enum SortOrder;
  using T = SortTarget;
  const auto c = GENERATE_COPY(values<Case>({
      {"one key", Get("b"), {"b"}, 1, false},
      {"half open", Get("a", "c"), {"a", "b"}, 2, false},
      {"from a key on", Get("b", kZero), {"b", "c"}, 2, false},
      {"everything", Get(kZero, kZero), {"a", "b", "c"}, 3, false},
      {"backward", Get("c", "a"), {}, 0, false},
      {"limit", Get("a", "z").max(2), {"a", "b"}, 3, true},
      {"limit met exactly", Get("a", "z").max(3), {"a", "b", "c"}, 3, false},
      {"negative limit", Get("a", "z").max(-1), {"a", "b", "c"}, 3, false},
      {"count only", Get("a", "z").counting(), {}, 3, false},
      {"count only ignores the limit", Get("a", "z").counting().max(1), {}, 3, false},
      {"past", Get("a", "z").at(6), {"a", "b", "c", "d"}, 4, false},
      {"past, limited", Get("a", "z").at(6).max(1), {"a"}, 4, true},
      {"past, counted", Get("a", "z").at(3).counting(), {}, 2, false},
      {"before it existed", Get("c").at(3), {}, 0, false},
      {"negative revision is now", Get("a", "z").at(-4), {"a", "b", "c"}, 3, false},
      {"keys down", Get("a", "z").sorted(T::kKey, kDescend), {"c", "b", "a"}, 3, false},
      {"keys down, limited", Get("a", "z").sorted(T::kKey, kDescend).max(1), {"c"}, 3, true},
      {"by mod", Get("a", "z").sorted(T::kMod, kAscend), {"a", "c", "b"}, 3, false},
      {"by mod, no order", Get("a", "z").sorted(T::kMod, kNone), {"a", "c", "b"}, 3, false},
      {"bare target cuts by key first",
       Get("a", "z").sorted(T::kMod, kNone).max(1),
       {"a"},
       3,
       true},
      {"by version down", Get("a", "z").sorted(T::kVersion, kDescend).max(1), {"b"}, 3, true},
      {"by create down", Get("a", "z").sorted(T::kCreate, kDescend), {"c", "b", "a"}, 3, false},
      {"by value down", Get("a", "z").sorted(T::kValue, kDescend), {"b", "c", "a"}, 3, false},
      {"by value in the past",
       Get("a", "z").at(4).sorted(T::kValue, kDescend),
       {"c", "b", "a"},
       3,
       false},
      {"min mod", filter(4, 0, 0, 0), {"b", "c"}, 3, false},
      {"max mod", filter(0, 4, 0, 0), {"a", "c"}, 3, false},
      {"min create", filter(0, 0, 3, 0), {"b", "c"}, 3, false},
      {"max create", filter(0, 0, 0, 3), {"a", "b"}, 3, false},
  }));
  CAPTURE(c.name);
  const RangeResult got = b.get(c.request);
  REQUIRE(keys_of(got) == c.keys);
  REQUIRE(got.count == c.count);
  REQUIRE(got.more == c.more);
  REQUIRE(got.revision == Revision(7));
  const RawRangeResult raw = b.store->range_raw(c.request).value();
  REQUIRE(raw.count == c.count);
  REQUIRE(raw.records.size() == got.kvs.size());
  for (std::size_t i = 0; i < got.kvs.size(); ++i) {
    CHECK(decode_kv(*raw.records[i]).value() == got.kvs[i]);
  }
}

TEST_CASE("keys_only clears the value and keeps the rest") {
  Bench b;
  b.put(Put("a", "1").with_lease(7));
  b.put("a", "2");
  b.put(Put("a", "3").with_lease(8));
  REQUIRE(b.get(Get("a").keys()).kvs == std::vector{kv("a", "", 2, 4, 3, 8)});
  REQUIRE(b.get(Get("a").at(2).keys()).kvs == std::vector{kv("a", "", 2, 2, 1, 7)});
}

TEST_CASE("reads of revisions that are not there") {
  Bench b;
  fill(b);
  REQUIRE(b.store->range(Get("a").at(8)).status() ==
          out_of_range("etcdserver: mvcc: required revision is a future revision"));
  REQUIRE(b.compact(5).ok());
  REQUIRE(b.store->range(Get("a").at(4)).status() ==
          out_of_range("etcdserver: mvcc: required revision has been compacted"));
  REQUIRE(keys_of(b.get(Get("a", "z").at(5))) == Keys{"a", "b", "c"});
}

TEST_CASE("reads in the middle of a turn see what is applied and not yet written") {
  Bench b;
  b.put("k", "1");
  REQUIRE(b.store->put(Put("k", "2"), b.batch).ok());
  REQUIRE(b.store->put(Put("j", "3").with_lease(7), b.batch).ok());
  REQUIRE(b.get(Get("j", "z")).kvs == std::vector{kv("j", "3", 4, 4, 1, 7), kv("k", "2", 2, 3, 2)});
  REQUIRE(b.get(Get("k").at(2)).kvs == std::vector{kv("k", "1", 2, 2, 1)});
  REQUIRE(b.store->put(Put("k", "4").with_prev(), b.batch).value().prev_kv ==
          kv("k", "2", 2, 3, 2));
  const auto changes = b.end_turn();
  REQUIRE(changes.size() == 3);
  REQUIRE(b.get(Get("k").at(3)).kvs == std::vector{kv("k", "2", 2, 3, 2)});
}

TEST_CASE("compaction refuses what is done and what is to come") {
  Bench b;
  fill(b);
  REQUIRE(b.compact(8) == err_future_revision());
  REQUIRE(b.compact(0).ok());
  REQUIRE(b.compact(0) == err_compacted());
  REQUIRE(b.compact(7).ok());
  REQUIRE(b.compact(7) == err_compacted());
  REQUIRE(b.compact(-1) == err_compacted());
}

TEST_CASE("compaction keeps the newest put and a tombstone exactly at its revision") {
  Bench b;
  fill(b);
  b.put("b", "10");  // 8
  REQUIRE(b.compact(7).ok());
  b.compact_fully(1);
  std::vector<std::int64_t> left;
  const auto list = [&] {
    left.clear();
    b.store->history(b.store->compacted(), b.store->revision(), [&](const Change& change) {
      left.push_back(change.revision.value);
      return true;
    });
    std::int64_t records = 0;
    b.state.scan(Family::kMvcc, {}, {}, [&](auto, auto) { return ++records > 0; });
    return records;
  };
  REQUIRE(list() == 5);  // a@2, c@4, b@5, d@7 (tombstone), b@8
  REQUIRE(left == std::vector<std::int64_t>{7, 8});
  REQUIRE(b.compact(8).ok());
  b.compact_fully(1);
  REQUIRE(list() == 3);
  REQUIRE(b.checker.whole(*b.store, b.state) == "");
  REQUIRE(keys_of(b.get(Get(kZero, kZero))) == Keys{"a", "b", "c"});
}

TEST_CASE("the revision survives the compaction of everything") {
  Bench b;
  b.put("k", "1");
  b.del(Delete("k"));
  b.put("j", "1");
  b.del(Delete("j"));
  REQUIRE(b.compact(5).ok());
  b.compact_fully();
  b.open();
  REQUIRE(b.store->revision() == Revision(5));
  REQUIRE(b.store->compacted() == Revision(5));
  REQUIRE(b.put("k", "2").revision == Revision(6));
}

TEST_CASE("a restart finds everything again") {
  Bench b;
  fill(b);
  b.put(Put("e", "x").with_lease(7));
  REQUIRE(b.compact(4).ok());
  const auto hash = b.store->hash_kv(Revision()).value();
  const auto before = b.get(Get(kZero, kZero));
  b.open();
  REQUIRE(b.store->compaction_pending());
  REQUIRE(b.get(Get(kZero, kZero)) == before);
  REQUIRE(b.store->hash_kv(Revision()).value() == hash);
  REQUIRE(b.leases.keys[7] == std::set<std::string>{"e"});
  REQUIRE(b.put(Put("b", "11").with_prev()).prev_kv == kv("b", "9", 3, 5, 2));
}

TEST_CASE("a damaged state does not open") {
  Bench b;
  WriteBatch bad;
  SECTION("a record") { bad.put(Family::kMvcc, "not a revision", "x"); }
  SECTION("a mark") { bad.put(Family::kMeta, "mvcc/compact_scheduled", "x"); }
  b.state.write(bad);
  REQUIRE(Store::open(b.state, b.leases).status().code() == Code::kDataLoss);
}

TEST_CASE("the hash does not depend on how far removal has come") {
  Bench b;
  fill(b);
  b.put("b", "12");
  REQUIRE(b.compact(7).ok());
  const auto marked = b.store->hash_kv(Revision()).value();
  b.compact_fully(1);
  REQUIRE(b.store->hash_kv(Revision()).value() == marked);
  REQUIRE(marked.compacted == Revision(7));
  REQUIRE(marked.hash_revision == Revision(8));
  REQUIRE(b.store->hash_kv(Revision(7)).value().hash != marked.hash);
  REQUIRE(b.store->hash_kv(Revision(6)).status() == err_compacted());
  REQUIRE(b.store->hash_kv(Revision(9)).status() == err_future_revision());
}

TEST_CASE("revoking deletes the keys that are there in one revision") {
  Bench b;
  b.put("a", "1");
  b.put("b", "1");
  REQUIRE(b.store->delete_keys({"a", "b", "none"}, b.batch) == DeleteResult{Revision(4), 2, {}});
  const auto changes = b.end_turn();
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].events.size() == 2);
  REQUIRE(b.store->delete_keys({"a"}, b.batch) == DeleteResult{Revision(4), 0, {}});
}
