#include <catch2/catch.hpp>

#include "mvcc/errors.hpp"
#include "mvcc/store.hpp"
#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

TEST_CASE("how a compare decides") {
  Bench b;
  b.put("a", "x");                     // 2
  b.put("b", "m");                     // 3
  b.put(Put("b", "n").with_lease(7));  // 4, version 2
  using R = Compare::Result;
  using T = Compare::Target;
  struct Case {
    const char* name;
    Compare compare;
    bool holds;
  };
  const auto c = GENERATE(values<Case>({
      {"version equal", if_number(T::kVersion, "b", R::kEqual, 2), true},
      {"version less", if_number(T::kVersion, "b", R::kLess, 2), false},
      {"create equal", if_number(T::kCreate, "b", R::kEqual, 3), true},
      {"mod greater", if_number(T::kMod, "b", R::kGreater, 3), true},
      {"mod not equal", if_number(T::kMod, "b", R::kNotEqual, 4), false},
      {"lease equal", if_number(T::kLease, "b", R::kEqual, 7), true},
      {"value equal", if_value("b", R::kEqual, "n"), true},
      {"value greater", if_value("b", R::kGreater, "m"), true},
      {"value less", if_value("b", R::kLess, "n"), false},
      {"missing key has version 0", if_number(T::kVersion, "z", R::kEqual, 0), true},
      {"missing key has mod 0", if_number(T::kMod, "z", R::kLess, 1), true},
      {"missing key has lease 0", if_number(T::kLease, "z", R::kEqual, 0), true},
      {"missing value equals nothing", if_value("z", R::kEqual, ""), false},
      {"missing value differs from nothing", if_value("z", R::kNotEqual, "x"), false},
      {"all of a range", if_number(T::kMod, "a", R::kGreater, 1, "c"), true},
      {"not all of a range", if_number(T::kMod, "a", R::kGreater, 2, "c"), false},
      {"all values of a range", if_value("a", R::kGreater, "l", kZero), true},
      {"empty range is one missing key", if_number(T::kCreate, "x", R::kEqual, 0, "z"), true},
      {"empty range has no value", if_value("x", R::kNotEqual, "v", "z"), false},
  }));
  CAPTURE(c.name);
  REQUIRE(b.txn(Txn().when(c.compare)).succeeded == c.holds);
  REQUIRE(b.store->revision() == Revision(4));
}

TEST_CASE("compares are a conjunction and an empty one is true") {
  Bench b;
  const auto yes = if_number(Compare::Target::kVersion, "a", Compare::Result::kEqual, 0);
  const auto no = if_number(Compare::Target::kVersion, "a", Compare::Result::kEqual, 1);
  REQUIRE(b.txn(Txn()) == TxnResult{Revision(1), true, {}});
  REQUIRE(b.txn(Txn().when(yes).when(yes)).succeeded);
  REQUIRE(!b.txn(Txn().when(yes).when(no)).succeeded);
}

TEST_CASE("the operations of a txn share a revision and see each other") {
  Bench b;
  b.put("a", "0");  // 2
  const TxnResult got = b.txn(Txn()
                                  .then(Get("a", "c"))
                                  .then(Put("b", "1").with_prev())
                                  .then(Get("a", "c"))
                                  .then(Delete("a").with_prev())
                                  .then(Get("a", "c").keys())
                                  .then(Get("a").at(2)));
  TxnResult want{Revision(3), true, {}};
  want.responses = {
      {RangeResult{Revision(2), {kv("a", "0", 2, 2, 1)}, false, 1}},
      {PutResult{Revision(3), std::nullopt}},
      {RangeResult{Revision(3), {kv("a", "0", 2, 2, 1), kv("b", "1", 3, 3, 1)}, false, 2}},
      {DeleteResult{Revision(3), 1, {kv("a", "0", 2, 2, 1)}}},
      {RangeResult{Revision(3), {kv("b", "", 3, 3, 1)}, false, 1}},
      {RangeResult{Revision(3), {kv("a", "0", 2, 2, 1)}, false, 1}},
  };
  REQUIRE(got == want);
  REQUIRE(b.last_changes.size() == 1);
  REQUIRE(b.last_changes[0].events.size() == 2);
  REQUIRE(b.last_changes[0].events[1]->type == Event::Type::kDelete);
}

TEST_CASE("a txn that changes nothing has no revision of its own") {
  Bench b;
  b.put("a", "0");
  const TxnResult got = b.txn(Txn().then(Delete("x")).then(Get("a").counting()));
  REQUIRE(got.revision == Revision(2));
  REQUIRE(std::get<DeleteResult>(got.responses[0].response).revision == Revision(2));
  REQUIRE(b.last_changes.empty());
}

TEST_CASE("a nested txn is chosen before anything runs, and its header is empty") {
  Bench b;
  const auto absent = if_number(Compare::Target::kVersion, "a", Compare::Result::kEqual, 0);
  const TxnResult got =
      b.txn(Txn()
                .when(absent)
                .then(Put("a", "1"))
                .then(Txn().when(absent).then(Put("b", "2")).otherwise(Put("c", "3"))));
  TxnResult inner{Revision(), true, {{PutResult{Revision(2), std::nullopt}}}};
  TxnResult want{Revision(2), true, {{PutResult{Revision(2), std::nullopt}}, {inner}}};
  REQUIRE(got == want);
  REQUIRE(keys_of(b.get(Get(kZero, kZero))) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an old value that the txn itself deleted counts as empty") {
  Bench b;
  b.put("a", "old");
  b.txn(Txn().then(Delete("a", kZero)).then(Put("a", "").keeping_value()));
  REQUIRE(b.get(Get("a")).kvs == std::vector{kv("a", "", 3, 3, 1)});
}

TEST_CASE("a key put by one child and deleted by a later one") {
  Bench b;
  b.txn(Txn().then(Txn().then(Put("a", "1"))).then(Txn().then(Delete("a"))));
  REQUIRE(b.store->revision() == Revision(2));
  REQUIRE(b.last_changes[0].events.size() == 2);
  REQUIRE(b.get(Get("a")).count == 0);
  REQUIRE(b.get(Get("a").at(2)).count == 0);
  b.open();
  REQUIRE(b.get(Get("a")).count == 0);
  REQUIRE(b.compact(2).ok());
  b.compact_fully();
  REQUIRE(b.checker.whole(*b.store, b.state) == "");
}

TEST_CASE("one refused operation refuses the whole txn") {
  Bench b;
  b.put("a", "0");
  b.put("a", "1");
  REQUIRE(b.compact(3).ok());
  struct Case {
    const char* name;
    TxnRequest txn;
    Status want;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"its own revision is the future", Txn().then(Put("x", "")).then(Get("a").at(4)),
       err_future_revision()},
      {"a negative revision is one of long ago", Txn().then(Put("x", "")).then(Get("a").at(-2)),
       err_compacted()},
      {"compacted", Txn().then(Put("x", "")).then(Get("a").at(2)), err_compacted()},
      {"lease", Txn().then(Put("x", "")).then(Put("y", "").with_lease(1)), err_lease_not_found()},
      {"ignored value", Txn().then(Put("x", "")).then(Put("y", "").keeping_value()),
       err_key_not_found()},
      {"in a nested txn", Txn().then(Put("x", "")).then(Txn().then(Get("a").at(9))),
       err_future_revision()},
  }));
  CAPTURE(c.name);
  const std::size_t before = b.batch.ops().size();
  REQUIRE(b.store->txn(c.txn, b.batch).status() == c.want);
  REQUIRE(b.batch.ops().size() == before);
  REQUIRE(b.end_turn().empty());
  REQUIRE(b.store->revision() == Revision(3));
  // The same in the branch not taken does no harm.
  Txn other;
  other.failure = c.txn.success;
  REQUIRE(b.txn(other).succeeded);
}

TEST_CASE("a read-only txn is a set of reads") {
  Bench b;
  b.put("a", "0");
  const auto absent = if_number(Compare::Target::kVersion, "a", Compare::Result::kEqual, 0);
  const TxnResult got =
      b.store->read_txn(Txn().when(absent).then(Get("x")).otherwise(Get("a"))).value();
  TxnResult want{
      Revision(2), false, {{RangeResult{Revision(2), {kv("a", "0", 2, 2, 1)}, false, 1}}}};
  REQUIRE(got == want);
  REQUIRE(b.store->read_txn(Txn().then(Get("a").at(3))).status() == err_future_revision());
}
