#include "client_testing/store_conformance.hpp"

namespace coracle::client {
namespace {

using Lines = std::vector<std::string>;

std::vector<std::string> keys_of(const std::vector<KeyValue>& kvs) {
  std::vector<std::string> keys;
  for (const auto& kv : kvs) keys.push_back(kv.key);
  return keys;
}

// "+a=1", "-a": what happened, without revisions.
std::vector<std::string> brief(const std::vector<WatchEvent>& events) {
  std::vector<std::string> lines;
  for (const auto& event : events) {
    lines.push_back(event.is_delete ? "-" + event.kv.key
                                    : "+" + event.kv.key + "=" + event.kv.value);
  }
  return lines;
}

void store_conformance_writes(StoreWorld& world, const std::string& p) {
  SECTION("create, update, conflict, delete") {
    const auto created = world.put(p + "a", "1", 0);
    REQUIRE(created.succeeded);
    const auto again = world.put(p + "a", "x", 0);
    CHECK_FALSE(again.succeeded);
    REQUIRE(again.current.size() == 1);
    CHECK(again.current[0].value == "1");
    CHECK(again.current[0].mod_revision == created.revision);

    const auto updated = world.put(p + "a", "2", created.revision);
    REQUIRE(updated.succeeded);
    CHECK(updated.revision == created.revision + 1);
    const auto read = world.range({.key = p + "a"});
    REQUIRE(read.kvs.size() == 1);
    CHECK(read.kvs[0].key == p + "a");
    CHECK(read.kvs[0].value == "2");
    CHECK(read.kvs[0].create_revision == created.revision);
    CHECK(read.kvs[0].mod_revision == updated.revision);
    CHECK(read.kvs[0].version == 2);
    CHECK(read.revision == updated.revision);

    CHECK_FALSE(world.remove(p + "a", created.revision).succeeded);
    const auto removed = world.remove(p + "a", updated.revision);
    REQUIRE(removed.succeeded);
    CHECK(removed.revision == updated.revision + 1);
    CHECK(world.range({.key = p + "a"}).kvs.empty());
    const auto gone = world.put(p + "a", "3", updated.revision);
    CHECK_FALSE(gone.succeeded);
    CHECK(gone.current.empty());
    const auto back = world.put(p + "a", "4", 0);
    REQUIRE(back.succeeded);
    CHECK(world.range({.key = p + "a"}).kvs[0].version == 1);
  }
  SECTION("a conflict without read_on_conflict tells nothing") {
    world.put(p + "a", "1", 0);
    auto result = world.get(world.store().write({.key = p + "a", .read_on_conflict = false}));
    REQUIRE(result.ok());
    CHECK_FALSE(result->succeeded);
    CHECK(result->current.empty());
  }
  SECTION("a refused or empty write leaves the revision alone") {
    const auto before = world.put(p + "a", "1", 0).revision;
    world.put(p + "a", "2", 0);
    CHECK(world.remove(p + "none", 0).succeeded);
    CHECK(world.range({.key = p + "a"}).revision == before);
  }
  SECTION("values are bytes, and may be empty") {
    const std::string bytes("\0\xff\n\x80", 4);
    world.put(p + "b", bytes, 0);
    world.put(p + "e", "", 0);
    CHECK(world.range({.key = p + "b"}).kvs[0].value == bytes);
    CHECK(world.range({.key = p + "e"}).kvs[0].value.empty());
  }
  SECTION("a value that is too large, an empty key, an unknown lease") {
    auto large =
        world.get(world.store().write({.key = p + "big", .value = std::string(1600 * 1024, 'x')}));
    CHECK(large.status() == invalid_argument("etcdserver: request is too large"));
    auto empty = world.get(world.store().write({.key = "", .value = "x"}));
    CHECK(empty.status() == invalid_argument("etcdserver: key is not provided"));
    auto lease = world.get(world.store().write({.key = p + "l", .lease = 77}));
    CHECK(lease.status() == not_found("etcdserver: requested lease not found"));
    CHECK(world.range({.key = p, .range_end = prefix_end(p)}).count == 0);
  }
}

void store_conformance_ranges(StoreWorld& world, const std::string& p) {
  SECTION("order, limit, more, count, keys_only, count_only") {
    for (const char* name : {"c", "a", "b", "d"}) world.put(p + name, name, 0);
    const std::string end = prefix_end(p);
    const auto all = world.range({.key = p, .range_end = end});
    CHECK(keys_of(all.kvs) == Lines{p + "a", p + "b", p + "c", p + "d"});
    CHECK(all.count == 4);
    CHECK_FALSE(all.more);
    const auto two = world.range({.key = p, .range_end = end, .limit = 2});
    CHECK(keys_of(two.kvs) == Lines{p + "a", p + "b"});
    CHECK(two.count == 4);
    CHECK(two.more);
    const auto rest =
        world.range({.key = p + "b" + std::string(1, '\0'), .range_end = end, .limit = 2});
    CHECK(keys_of(rest.kvs) == Lines{p + "c", p + "d"});
    CHECK_FALSE(rest.more);
    CHECK(rest.count == 2);
    const auto names = world.range({.key = p, .range_end = end, .keys_only = true});
    REQUIRE(names.kvs.size() == 4);
    CHECK(names.kvs[0].value.empty());
    const auto count = world.range({.key = p, .range_end = end, .count_only = true});
    CHECK(count.kvs.empty());
    CHECK(count.count == 4);
  }
  SECTION("the past stays readable, the future is refused") {
    const auto first = world.put(p + "a", "1", 0).revision;
    const auto second = world.put(p + "a", "2", first).revision;
    const auto third = world.remove(p + "a", second).revision;
    CHECK(world.range({.key = p + "a", .revision = first}).kvs[0].value == "1");
    const auto old = world.range({.key = p + "a", .revision = second});
    CHECK(old.kvs[0].value == "2");
    CHECK(old.revision == third);
    CHECK(world.range({.key = p + "a", .revision = third}).kvs.empty());
    auto future = world.get(world.store().range({.key = p + "a", .revision = third + 1000}));
    CHECK(future.status() ==
          out_of_range("etcdserver: mvcc: required revision is a future revision"));
  }
}

void store_conformance_watches(StoreWorld& world, const std::string& p) {
  const auto soon = std::chrono::seconds(10);
  SECTION("history, then live, in order, with previous values") {
    const auto first = world.put(p + "a", "1", 0).revision;
    const auto second = world.put(p + "a", "2", first).revision;
    WatchLog log;
    log.open(world.store(), {.key = p, .range_end = prefix_end(p), .start_revision = first + 1});
    REQUIRE(world.run_until([&] { return log.events.size() == 1; }, soon));
    world.put(p + "b", "1", 0);
    world.remove(p + "a", second);
    REQUIRE(world.run_until([&] { return log.events.size() == 3; }, soon));
    CHECK(brief(log.events) == Lines{"+" + p + "a=2", "+" + p + "b=1", "-" + p + "a"});
    CHECK(log.events[0].kv.mod_revision == second);
    REQUIRE(log.events[0].has_previous);
    CHECK(log.events[0].previous.value == "1");
    CHECK_FALSE(log.events[1].has_previous);
    REQUIRE(log.events[2].has_previous);
    CHECK(log.events[2].previous.value == "2");
    CHECK(log.events[2].kv.value.empty());
    CHECK(log.events[2].kv.mod_revision == second + 2);
    CHECK_FALSE(log.ended.has_value());
  }
  SECTION("only the range, and nothing from before now") {
    const auto here = world.put(p + "b", "0", 0).revision;
    WatchLog one;
    one.open(world.store(), {.key = p + "b", .start_revision = here + 1});
    world.put(p + "a", "1", 0);
    world.put(p + "b", "1", here);
    world.put(p + "bb", "1", 0);
    REQUIRE(world.run_until([&] { return !one.events.empty(); }, soon));
    one.watch->request_progress();
    REQUIRE(world.run_until([&] { return one.revision >= here + 3; }, soon));
    CHECK(brief(one.events) == Lines{"+" + p + "b=1"});
  }
  SECTION("progress on request covers what was written before it") {
    WatchLog log;
    const auto start = world.put(p + "a", "1", 0).revision;
    log.open(world.store(), {.key = p + "none/", .range_end = prefix_end(p + "none/")});
    const auto written = world.put(p + "b", "1", 0).revision;
    REQUIRE(world.run_until(
        [&] {
          if (log.progress_notices == 0) log.watch->request_progress();
          return log.revision >= written;
        },
        soon));
    CHECK(log.events.empty());
    CHECK(log.revision > start);
  }
  SECTION("a destroyed watch is silent, the others go on") {
    const auto here = world.put(p + "x", "0", 0).revision;
    WatchLog kept, dropped;
    kept.open(world.store(), {.key = p, .range_end = prefix_end(p), .start_revision = here + 1});
    dropped.open(world.store(), {.key = p, .range_end = prefix_end(p), .start_revision = here + 1});
    world.put(p + "a", "1", 0);
    REQUIRE(world.run_until([&] { return dropped.events.size() == 1; }, soon));
    dropped.watch.reset();
    world.put(p + "b", "1", 0);
    REQUIRE(world.run_until([&] { return kept.events.size() == 2; }, soon));
    CHECK(dropped.events.size() == 1);
    CHECK_FALSE(dropped.ended.has_value());
  }
}

void store_conformance_compaction(StoreWorld& world, const std::string& p) {
  SECTION("compaction takes the past away, from reads and watches") {
    const auto first = world.put(p + "a", "1", 0).revision;
    const auto second = world.put(p + "a", "2", first).revision;
    const auto third = world.put(p + "a", "3", second).revision;
    REQUIRE(world.get(world.store().compact(second)).ok());
    auto old = world.get(world.store().range({.key = p + "a", .revision = first}));
    const auto compacted = out_of_range("etcdserver: mvcc: required revision has been compacted");
    CHECK(old.status() == compacted);
    CHECK(world.range({.key = p + "a", .revision = second}).kvs[0].value == "2");
    CHECK(world.range({.key = p + "a"}).kvs[0].mod_revision == third);
    CHECK(world.get(world.store().compact(first)).status() == compacted);
    CHECK(world.get(world.store().compact(third + 1000)).status() ==
          out_of_range("etcdserver: mvcc: required revision is a future revision"));
    WatchLog log;
    log.open(world.store(), {.key = p + "a", .start_revision = first});
    REQUIRE(world.run_until([&] { return log.ended.has_value(); }, std::chrono::seconds(10)));
    CHECK(log.ended->code() == Code::kOutOfRange);
    CHECK(log.events.empty());
    WatchLog from_mark;
    from_mark.open(world.store(), {.key = p + "a", .start_revision = second});
    REQUIRE(
        world.run_until([&] { return from_mark.events.size() == 2; }, std::chrono::seconds(10)));
    CHECK(brief(from_mark.events) == Lines{"+" + p + "a=2", "+" + p + "a=3"});
  }
}

void store_conformance_leases(StoreWorld& world, const std::string& p) {
  SECTION("a lease takes its keys along, in one revision") {
    auto lease = world.get(world.store().grant_lease(2));
    REQUIRE(lease.ok());
    REQUIRE(*lease > 0);
    const auto a = world.put(p + "a", "1", 0, *lease).revision;
    world.put(p + "b", "1", 0, *lease);
    const auto c = world.put(p + "c", "1", 0, *lease).revision;
    const auto last = world.put(p + "c", "2", c, 0).revision;  // detached
    CHECK(world.range({.key = p + "a"}).kvs[0].lease == *lease);
    WatchLog log;
    log.open(world.store(), {.key = p, .range_end = prefix_end(p), .start_revision = last + 1});
    REQUIRE(world.run_until([&] { return log.events.size() == 2; }, std::chrono::seconds(15)));
    CHECK(brief(log.events) == Lines{"-" + p + "a", "-" + p + "b"});
    CHECK(log.events[0].kv.mod_revision == log.events[1].kv.mod_revision);
    CHECK(log.events[0].previous.mod_revision == a);
    CHECK(keys_of(world.range({.key = p, .range_end = prefix_end(p)}).kvs) == Lines{p + "c"});
  }
  SECTION("a lease that is too long is refused; status answers") {
    auto lease = world.get(world.store().grant_lease(9'000'000'001));
    CHECK(lease.status() == out_of_range("etcdserver: too large lease TTL"));
    auto status = world.get(world.store().status());
    REQUIRE(status.ok());
    CHECK(status->version.substr(0, 2) == "3.");
    CHECK(status->db_size_bytes >= 0);
  }
}

}  // namespace

void store_conformance(StoreWorld& world) {
  static int run = 0;
  const std::string p = "/conformance/" + std::to_string(++run) + "/";
  store_conformance_writes(world, p);
  store_conformance_ranges(world, p);
  store_conformance_watches(world, p);
  store_conformance_compaction(world, p);
  store_conformance_leases(world, p);
}

}  // namespace coracle::client
