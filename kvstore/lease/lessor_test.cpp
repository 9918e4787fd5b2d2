#include "lease/lessor.hpp"

#include <catch2/catch.hpp>

#include "mvcc/errors.hpp"
#include "mvcc/memory_state_store.hpp"

using namespace coracle;
using namespace coracle::lease;
using namespace std::chrono_literals;

namespace {

TimePoint at(Duration since_start) { return TimePoint(since_start); }

std::vector<LeaseId> ids(std::initializer_list<std::int64_t> numbers) {
  std::vector<LeaseId> result;
  for (const std::int64_t number : numbers) result.emplace_back(number);
  return result;
}

struct World {
  World() { open(); }
  void open() {
    lessor = Lessor::open(state, {}).value();
    store = mvcc::Store::open(state, *lessor).value();
  }
  void end_turn() {
    state.write(batch);
    batch.clear();
    store->take_changes();
  }
  void grant(std::int64_t id, std::int64_t ttl, Duration now = 0s) {
    const Result<Granted> granted = lessor->grant(LeaseId(id), ttl, at(now), batch);
    REQUIRE(granted.ok());
    end_turn();
  }
  void put(const std::string& key, std::int64_t lease) {
    mvcc::PutRequest request;
    request.key = key;
    request.lease = LeaseId(lease);
    REQUIRE(store->put(request, batch).ok());
    end_turn();
  }
  Result<mvcc::DeleteResult> revoke(std::int64_t id) {
    auto result = lessor->revoke(LeaseId(id), *store, batch);
    end_turn();
    return result;
  }

  mvcc::MemoryStateStore state;
  mvcc::WriteBatch batch;
  std::unique_ptr<Lessor> lessor;
  std::unique_ptr<mvcc::Store> store;
};

}  // namespace

TEST_CASE("what a grant gives") {
  struct Case {
    const char* name;
    std::int64_t asked, given;
  };
  const auto c = GENERATE(values<Case>({{"plain", 60, 60},
                                        {"the floor", 2, 2},
                                        {"below the floor", 1, 2},
                                        {"zero", 0, 2},
                                        {"negative", -7, 2},
                                        {"the ceiling", 9'000'000'000, 9'000'000'000}}));
  CAPTURE(c.name);
  World w;
  w.lessor->promote(at(0s), 1s);
  const Granted granted = w.lessor->grant(LeaseId(5), c.asked, at(0s), w.batch).value();
  REQUIRE(granted.id == LeaseId(5));
  REQUIRE(granted.ttl_seconds == c.given);
  REQUIRE(w.lessor->expiring(at(std::chrono::seconds(1)), 10).empty());
}

TEST_CASE("grants that are refused") {
  World w;
  w.grant(5, 10);
  REQUIRE(w.lessor->grant(LeaseId(5), 10, at(0s), w.batch).status() ==
          failed_precondition("etcdserver: lease already exists"));
  REQUIRE(w.lessor->grant(LeaseId(6), 9'000'000'001, at(0s), w.batch).status() ==
          out_of_range("etcdserver: too large lease TTL"));
  REQUIRE(w.batch.empty());
  REQUIRE(w.lessor->leases() == ids({5}));
}

TEST_CASE("a revoke deletes the keys in one revision, sorted, with the lease") {
  World w;
  w.grant(5, 10);
  w.put("b", 5);
  w.put("a", 5);
  w.put("c", 5);
  w.put("c", 0);
  REQUIRE(w.lessor->revoke(LeaseId(5), *w.store, w.batch).value() ==
          mvcc::DeleteResult{Revision(6), 2, {}});
  const auto changes = w.store->take_changes();
  REQUIRE(changes.size() == 1);
  REQUIRE(changes[0].events[0]->kv.key == "a");
  REQUIRE(changes[0].events[1]->kv.key == "b");
  w.end_turn();
  REQUIRE(!w.state.get(mvcc::Family::kLease, std::string("\0\0\0\0\0\0\0\5", 8)));
  REQUIRE(w.revoke(5).status() == not_found("etcdserver: requested lease not found"));
}

TEST_CASE("revoking an empty lease is no revision") {
  World w;
  w.grant(5, 10);
  REQUIRE(w.revoke(5).value() == mvcc::DeleteResult{Revision(1), 0, {}});
  REQUIRE(w.lessor->size() == 0);
}

TEST_CASE("a follower has no clock") {
  World w;
  w.grant(5, 2);
  REQUIRE(w.lessor->expiring(at(1h), 10).empty());
  REQUIRE(w.lessor->next_deadline() == std::nullopt);
  REQUIRE(w.lessor->renew(LeaseId(5), at(0s)).outcome == Renewed::Outcome::kNotPrimary);
  const auto ttl = w.lessor->time_to_live(LeaseId(5), at(1h));
  REQUIRE(ttl->ttl_seconds == -1);
  REQUIRE(ttl->granted_seconds == 2);
}

TEST_CASE("leases expire at their deadline and not before") {
  World w;
  w.lessor->promote(at(0s), 1s);
  w.grant(1, 10);
  w.grant(2, 5);
  w.grant(3, 20);
  REQUIRE(w.lessor->next_deadline() == at(5s));
  REQUIRE(w.lessor->expiring(at(4999ms), 10).empty());
  REQUIRE(w.lessor->expiring(at(10s), 1) == ids({2}));
  REQUIRE(w.lessor->expiring(at(10s), 10) == ids({1}));
  // Proposed; asked again only after a while, in case the proposal was lost.
  REQUIRE(w.lessor->expiring(at(12s), 10).empty());
  REQUIRE(w.lessor->expiring(at(13s), 10) == ids({1, 2}));
  REQUIRE(w.revoke(1).ok());
  REQUIRE(w.lessor->expiring(at(19s), 10) == ids({2}));
}

TEST_CASE("a renewal starts the time over") {
  World w;
  w.lessor->promote(at(0s), 1s);
  w.grant(5, 10);
  const Renewed renewed = w.lessor->renew(LeaseId(5), at(9s));
  REQUIRE(renewed.outcome == Renewed::Outcome::kRenewed);
  REQUIRE(renewed.ttl_seconds == 10);
  REQUIRE(w.lessor->expiring(at(18s), 10).empty());
  REQUIRE(w.lessor->time_to_live(LeaseId(5), at(9500ms))->ttl_seconds == 9);
  REQUIRE(w.lessor->renew(LeaseId(5), at(19s)).outcome == Renewed::Outcome::kExpired);
  REQUIRE(w.lessor->expiring(at(19s), 10) == ids({5}));
  REQUIRE(w.lessor->renew(LeaseId(5), at(19s)).outcome == Renewed::Outcome::kExpired);
  REQUIRE(w.lessor->time_to_live(LeaseId(5), at(30s))->ttl_seconds == 0);
  REQUIRE(w.lessor->renew(LeaseId(6), at(0s)).outcome == Renewed::Outcome::kUnknown);
  REQUIRE(w.lessor->time_to_live(LeaseId(6), at(0s)) == std::nullopt);
}

TEST_CASE("a new leader gives every lease its full time and more") {
  World w;
  w.grant(5, 10);
  w.lessor->promote(at(100s), 1s);
  REQUIRE(w.lessor->next_deadline() == at(111s));
  w.lessor->demote();
  REQUIRE(w.lessor->expiring(at(1000s), 10).empty());
  w.lessor->promote(at(200s), 1s);
  REQUIRE(w.lessor->next_deadline() == at(211s));
}

TEST_CASE("a checkpoint shortens the time under the next leader, until renewed") {
  World w;
  w.grant(5, 100);
  REQUIRE(w.lessor->checkpoint(LeaseId(5), 30, w.batch).ok());
  w.end_turn();
  w.open();
  w.lessor->promote(at(0s), 1s);
  REQUIRE(w.lessor->next_deadline() == at(31s));
  REQUIRE(w.lessor->needs_checkpoint(LeaseId(5)));
  REQUIRE(w.lessor->renew(LeaseId(5), at(1s)).ttl_seconds == 100);
  REQUIRE(w.lessor->next_deadline() == at(101s));
  REQUIRE(w.lessor->checkpoint(LeaseId(5), 0, w.batch).ok());
  REQUIRE(!w.lessor->needs_checkpoint(LeaseId(5)));
  REQUIRE(w.lessor->checkpoint(LeaseId(6), 1, w.batch) == mvcc::err_lease_not_found());
}

TEST_CASE("leases and their keys survive a restart") {
  World w;
  w.grant(5, 10);
  w.grant(INT64_MAX, 9'000'000'000);
  w.put("a", 5);
  w.put("b", 5);
  w.put("b", INT64_MAX);
  w.open();
  REQUIRE(w.lessor->leases() == ids({5, INT64_MAX}));
  REQUIRE(w.lessor->time_to_live(LeaseId(5), at(0s))->keys == std::vector<std::string>{"a"});
  REQUIRE(w.lessor->time_to_live(LeaseId(INT64_MAX), at(0s))->granted_seconds == 9'000'000'000);
  w.lessor->promote(at(0s), 1s);
  REQUIRE(w.lessor->expiring(at(24h), 10) == ids({5}));
}

TEST_CASE("a damaged lease does not open") {
  const auto bytes = GENERATE(values<std::string>({"\x08", "x", std::string("\x08\x05", 2)}));
  mvcc::MemoryStateStore state;
  mvcc::WriteBatch batch;
  batch.put(mvcc::Family::kLease, "12345678", bytes);
  state.write(batch);
  REQUIRE(Lessor::open(state, {}).status().code() == Code::kDataLoss);
}

TEST_CASE("picked ids are positive and free") {
  World w;
  Rng rng(3), same(3);
  const LeaseId first = w.lessor->pick_id(rng);
  REQUIRE(first.value > 0);
  w.grant(first.value, 10);
  REQUIRE(w.lessor->pick_id(same) != first);
}

TEST_CASE("a long lease is checkpointed, a new leader goes on from there") {
  World w;
  w.lessor->promote(at(0s), 0s);
  w.grant(7, 1000);
  w.grant(8, 200);  // ends before the first checkpoint would come
  REQUIRE(w.lessor->due_checkpoints(at(299s), 10).empty());
  REQUIRE(w.lessor->due_checkpoints(at(300500ms), 10) ==
          std::vector{Checkpoint{LeaseId(7), 700}});  // 699.5 s are left
  REQUIRE(w.lessor->due_checkpoints(at(301s), 10).empty());
  REQUIRE(w.lessor->checkpoint(LeaseId(7), 700, w.batch).ok());
  w.end_turn();
  REQUIRE(w.lessor->needs_checkpoint(LeaseId(7)));
  REQUIRE(w.lessor->due_checkpoints(at(601s), 10) == std::vector{Checkpoint{LeaseId(7), 399}});

  w.open();
  w.lessor->promote(at(1000s), 1s);
  REQUIRE(w.lessor->time_to_live(LeaseId(7), at(1000s))->ttl_seconds == 701);
  REQUIRE(w.lessor->expiring(at(1700s), 10) == ids({8}));
  REQUIRE(w.lessor->expiring(at(1701s), 10) == ids({7}));
}

TEST_CASE("checkpoints follow a renewal, and end with the leadership") {
  World w;
  w.lessor->promote(at(0s), 0s);
  w.grant(7, 1000);
  REQUIRE(w.lessor->renew(LeaseId(7), at(200s)).ttl_seconds == 1000);
  REQUIRE(w.lessor->due_checkpoints(at(499s), 10).empty());
  REQUIRE(w.lessor->due_checkpoints(at(500s), 10) == std::vector{Checkpoint{LeaseId(7), 700}});
  w.lessor->demote();
  REQUIRE(w.lessor->due_checkpoints(at(9000s), 10).empty());
  w.lessor->promote(at(10000s), 0s);
  REQUIRE(w.revoke(7).ok());
  REQUIRE(w.lessor->due_checkpoints(at(20000s), 10).empty());
}

TEST_CASE("a client may give a lease a negative id, and the longest time") {
  World w;
  w.lessor->promote(at(0s), 0s);
  w.grant(-5, kMaxTtlSeconds);
  REQUIRE(w.lessor->time_to_live(LeaseId(-5), at(0s))->ttl_seconds == kMaxTtlSeconds);
  w.open();
  REQUIRE(w.lessor->leases() == ids({-5}));
}
