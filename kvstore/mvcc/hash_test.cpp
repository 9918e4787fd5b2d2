// HashKV against numbers that stock etcd 3.4.23 gave for the same operations.
#include <catch2/catch.hpp>

#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

TEST_CASE("the hash is etcd's") {
  // Removal that has not begun, or not come far, must not show.
  const std::size_t steps = GENERATE(0u, 1u, 1000u);
  CAPTURE(steps);
  Bench b;
  const auto hash = [&](std::int64_t at) { return b.store->hash_kv(Revision(at)).value().hash; };
  const auto remove_some = [&] {
    for (std::size_t i = 0; i < steps && b.store->compact_step(1, b.batch); ++i) b.end_turn();
    b.end_turn();
  };
  b.put("a", "1");
  b.put("b", "2");
  b.put("c", "3");
  b.put("b", "9");
  b.put("d", "0");
  b.del(Delete("d"));
  REQUIRE(hash(0) == 3138224292);
  REQUIRE(hash(4) == 962318141);
  REQUIRE(hash(6) == 580583663);
  b.put("b", "10");
  REQUIRE(b.compact(7).ok());
  remove_some();
  REQUIRE(hash(0) == 462410709);
  b.put("a", "2");
  REQUIRE(hash(0) == 3816507401);
  REQUIRE(hash(8) == 462410709);
  b.del(Delete("a", "z"));
  REQUIRE(hash(0) == 3145465301);  // nothing is alive
  REQUIRE(hash(9) == 3816507401);
  REQUIRE(b.compact(10).ok());
  remove_some();
  REQUIRE(hash(0) == 1084519789);
}

TEST_CASE("a negative revision is taken literally: the hash of nothing") {
  Bench b;
  b.put("a", "1");
  b.put("a", "2");
  REQUIRE(b.compact(3).ok());
  b.end_turn();
  REQUIRE(b.store->hash_kv(Revision(-2)).value() == HashKv{1084519789, Revision(3), Revision(-2)});
}

TEST_CASE("a hash that was planned is that of its moment") {
  Bench b;
  b.put("a", "1");
  b.put("b", "2");
  b.put("a", "3");
  REQUIRE(b.compact(3).ok());
  b.end_turn();
  const HashKv now = b.store->hash_kv(Revision(0)).value();
  const HashPlan plan = b.store->plan_hash(Revision(0)).value();
  const auto snapshot = b.state.snapshot();
  b.put("a", "4");
  b.del(Delete("b"));
  REQUIRE(b.compact(6).ok());
  while (b.store->compact_step(10, b.batch)) b.end_turn();
  b.end_turn();
  REQUIRE(run_hash(*snapshot, plan) == now);
  REQUIRE(b.store->hash_kv(Revision(0)).value() != now);
}
