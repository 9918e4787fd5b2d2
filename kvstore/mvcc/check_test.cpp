#include "mvcc/check.hpp"

#include <catch2/catch.hpp>

#include "mvcc/errors.hpp"
#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

TEST_CASE("single requests are checked with etcd's words") {
  struct Case {
    const char* name;
    Status got;
    Status want;
  };
  PutRequest value_given = Put("k", "v").keeping_value();
  PutRequest lease_given = Put("k", "v").with_lease(1).keeping_lease();
  const auto c = GENERATE_COPY(values<Case>({
      {"range of nothing", check_range(Get("")),
       invalid_argument("etcdserver: key is not provided")},
      {"good range", check_range(Get("a", "b")), {}},
      {"unknown order", check_range(Get("a").sorted(SortTarget::kKey, SortOrder(3))),
       invalid_argument("etcdserver: invalid sort option")},
      {"unknown target", check_range(Get("a").sorted(SortTarget(5), SortOrder::kNone)),
       invalid_argument("etcdserver: invalid sort option")},
      {"put of nothing", check_put(Put("", "v")), err_empty_key()},
      {"empty value", check_put(Put("k", "")), {}},
      {"value and ignore_value", check_put(value_given),
       invalid_argument("etcdserver: value is provided")},
      {"lease and ignore_lease", check_put(lease_given),
       invalid_argument("etcdserver: lease is provided")},
      {"delete of nothing", check_delete(Delete("")), err_empty_key()},
      {"backward delete", check_delete(Delete("b", "a")), {}},
  }));
  CAPTURE(c.name);
  REQUIRE(c.got == c.want);
}

TEST_CASE("writes of one txn must not collide") {
  struct Case {
    const char* name;
    TxnRequest txn;
    Status want;
  };
  const Status dup = invalid_argument("etcdserver: duplicate key given in txn request");
  const auto c = GENERATE_COPY(values<Case>({
      {"two keys", Txn().then(Put("a", "")).then(Put("b", "")), {}},
      {"same key twice", Txn().then(Put("a", "")).then(Put("a", "")), dup},
      {"in the failure branch", Txn().otherwise(Put("a", "")).otherwise(Put("a", "")), dup},
      {"once in each branch", Txn().then(Put("a", "")).otherwise(Put("a", "")), {}},
      {"under a delete", Txn().then(Delete("a", "c")).then(Put("b", "")), dup},
      {"under a later delete", Txn().then(Put("b", "")).then(Delete("a", "c")), dup},
      {"at a delete's end", Txn().then(Delete("a", "c")).then(Put("c", "")), {}},
      {"under a delete without an end",  // etcd takes the end literally and sees no clash
       Txn().then(Delete("a", kZero)).then(Put("z", "")),
       {}},
      {"beside a delete of a key", Txn().then(Delete("a")).then(Put("a0", "")), {}},
      {"under a backward delete", Txn().then(Delete("c", "a")).then(Put("b", "")), {}},
      {"overlapping deletes", Txn().then(Delete("a", "c")).then(Delete("b", "d")), {}},
      {"between two deletes",
       Txn().then(Delete("d", "e")).then(Delete("a", "b")).then(Put("c", "")),
       {}},
      {"in merged deletes",
       Txn()
           .then(Delete("a", "c"))
           .then(Delete("e", "g"))
           .then(Delete("b", "f"))
           .then(Put("d", "")),
       dup},
      {"child put and parent put", Txn().then(Txn().then(Put("a", ""))).then(Put("a", "")), dup},
      {"child put and parent delete", Txn().then(Txn().then(Put("a", ""))).then(Delete("a")), dup},
      {"child delete and parent put", Txn().then(Txn().then(Delete("a"))).then(Put("a", "")), dup},
      {"both branches of a child",
       Txn().then(Txn().then(Put("a", "")).otherwise(Put("a", ""))),
       {}},
      {"put in one branch, deleted in the other",
       Txn().then(Txn().then(Put("a", "")).otherwise(Delete("a"))),
       {}},
      {"two children", Txn().then(Txn().then(Put("a", ""))).then(Txn().otherwise(Put("a", ""))),
       dup},
      {"a later child deletes",
       Txn().then(Txn().then(Put("a", ""))).then(Txn().then(Delete("a"))),
       {}},
      {"an earlier child deletes",
       Txn().then(Txn().then(Delete("a"))).then(Txn().then(Put("a", ""))), dup},
  }));
  CAPTURE(c.name);
  REQUIRE(check_txn(c.txn) == c.want);
}

TEST_CASE("a txn's operations are counted and looked at on every level") {
  const Status many = invalid_argument("etcdserver: too many operations in txn request");
  const auto gets = [](int n) {
    Txn txn;
    for (int i = 0; i < n; ++i) txn.then(Get("k"));
    return txn;
  };
  REQUIRE(check_txn(gets(128)) == Status());
  REQUIRE(check_txn(gets(129)) == many);
  Txn compares;
  for (int i = 0; i < 129; ++i) compares.when(if_value("k", Compare::Result::kEqual, ""));
  REQUIRE(check_txn(compares) == many);
  // A child has what its parent's widest list leaves.
  REQUIRE(check_txn(gets(27).then(gets(100))) == Status());
  REQUIRE(check_txn(gets(28).then(gets(100))) == many);
  REQUIRE(check_txn(Txn().when(if_value("", Compare::Result::kEqual, ""))) == err_empty_key());
  REQUIRE(check_txn(Txn().then(Txn().otherwise(Get("")))) == err_empty_key());
  TxnRequest hollow;
  hollow.success.emplace_back();
  REQUIRE(check_txn(hollow) == invalid_argument("etcdserver: key not found"));
  REQUIRE(check_txn(Txn()) == Status());
}

TEST_CASE("what kind of txn it is") {
  Get local("k");
  local.serializable = true;
  REQUIRE(is_read_only(Txn()));
  REQUIRE(is_read_only(Txn().then(Get("k")).otherwise(local)));
  REQUIRE(!is_read_only(Txn().then(Txn())));
  REQUIRE(!is_read_only(Txn().otherwise(Delete("k"))));
  REQUIRE(is_serializable(Txn().then(local)));
  REQUIRE(!is_serializable(Txn().then(local).otherwise(Get("k"))));
  REQUIRE(has_put(Txn().then(Txn().otherwise(Put("k", "")))));
  REQUIRE(!has_put(Txn().then(Delete("k")).otherwise(Get("k"))));
}
