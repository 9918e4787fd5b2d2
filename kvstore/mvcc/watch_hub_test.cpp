#include "mvcc/watch_hub.hpp"

#include <catch2/catch.hpp>

#include "mvcc/testing.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

namespace {

const StreamId kOne(1), kTwo(2);

struct Watch : WatchCreate {
  explicit Watch(std::string k, std::string end = {}) {
    key = std::move(k);
    range_end = std::move(end);
  }
  Watch& from(std::int64_t r) { return start = Revision(r), *this; }
  Watch& id(std::int64_t given) { return watch_id = given, *this; }
  Watch& prev() { return prev_kv = true, *this; }
  Watch& progress() { return progress_notify = true, *this; }
  Watch& puts_only() { return no_delete = true, *this; }
  Watch& deletes_only() { return no_put = true, *this; }
};

// "1/0 @5 created", "1/0 @6 put k=v (u)", "1/0 @7 delete k"
std::string text(const Delivery& d) {
  const WatchResponse& r = d.response;
  std::string line = std::to_string(d.stream.value) + "/" + std::to_string(r.watch_id) + " @" +
                     std::to_string(r.revision.value);
  if (r.created) line += " created";
  if (r.canceled) line += " canceled";
  if (r.compact_revision != Revision()) {
    line += " compacted " + std::to_string(r.compact_revision.value);
  }
  if (!r.cancel_reason.empty()) line += ": " + r.cancel_reason;
  for (const WatchEvent& e : r.events) {
    const bool put = e.event->type == Event::Type::kPut;
    line += (put ? " put " : " delete ") + e.event->kv.key;
    if (put) line += "=" + e.event->kv.value;
    if (e.prev_kv) line += "(" + e.prev_kv->value + ")";
  }
  return line;
}

using Lines = std::vector<std::string>;

struct World : Bench {
  explicit World(WatchLimits limits = {}) : hub(*store, limits) {
    hub.open_stream(kOne);
    hub.open_stream(kTwo);
  }
  // Delivers and consumes at once, unless told to hold back.
  Lines lines(const Deliveries& deliveries) {
    Lines result;
    for (const Delivery& d : deliveries) {
      result.push_back(text(d));
      if (consume)
        hub.consumed(d.stream, d.response);
      else
        held.push_back(d);
    }
    return result;
  }
  Lines set(const std::string& key, const std::string& value) {
    put(key, value);
    return lines(hub.publish(last_changes));
  }
  Lines remove(const std::string& key, const std::string& end = {}) {
    del(Delete(key, end));
    return lines(hub.publish(last_changes));
  }
  Lines watch(const WatchCreate& request, StreamId stream = kOne) {
    return lines(hub.create(stream, request));
  }
  Lines catch_up() { return lines(hub.catch_up()); }
  void consume_held() {
    for (const Delivery& d : held) hub.consumed(d.stream, d.response);
    held.clear();
  }

  WatchHub hub;
  bool consume = true;
  Deliveries held;
};

}  // namespace

TEST_CASE("a watcher from now on gets what its range says") {
  World w;
  w.set("a", "0");
  REQUIRE(w.watch(Watch("k", prefix_end("k")).prev()) == Lines{"1/0 @2 created"});
  REQUIRE(w.watch(Watch("k1")) == Lines{"1/1 @2 created"});
  REQUIRE(w.watch(Watch(""), kTwo) == Lines{"2/0 @2 created"});
  REQUIRE(w.watch(Watch(kZero, kZero), kTwo) == Lines{"2/1 @2 created"});
  REQUIRE(w.watch(Watch("b", "k2"), kTwo) == Lines{"2/2 @2 created"});
  REQUIRE(w.watch(Watch("k1", kZero), kTwo) == Lines{"2/3 @2 created"});
  REQUIRE(w.set("k1", "x") == Lines{"1/0 @3 put k1=x", "1/1 @3 put k1=x", "2/1 @3 put k1=x",
                                    "2/2 @3 put k1=x", "2/3 @3 put k1=x"});
  REQUIRE(w.set("k2", "y") == Lines{"1/0 @4 put k2=y", "2/1 @4 put k2=y", "2/3 @4 put k2=y"});
  REQUIRE(w.set("a", "z") == Lines{"2/1 @5 put a=z"});
  REQUIRE(w.remove("k", "l") == Lines{"1/0 @6 delete k1(x) delete k2(y)", "1/1 @6 delete k1",
                                      "2/1 @6 delete k1 delete k2", "2/2 @6 delete k1",
                                      "2/3 @6 delete k1 delete k2"});
}

TEST_CASE("creations that are refused") {
  World w;
  w.watch(Watch("k").id(5));
  struct Case {
    const char* name;
    WatchCreate request;
    std::string line;
  };
  const auto c = GENERATE(values<Case>({
      {"negative start", Watch("k").from(-1),
       "1/-1 @1 created canceled: etcdserver: mvcc: required revision has been compacted"},
      {"empty range", Watch("b", "a"), "1/-1 @1 created canceled: mvcc: watcher range is empty"},
      {"used id", Watch("k").id(5),
       "1/-1 @1 created canceled: mvcc: duplicate watch ID provided on the WatchStream"},
  }));
  CAPTURE(c.name);
  REQUIRE(w.watch(c.request) == Lines{c.line});
  REQUIRE(w.hub.watchers() == 1);
}

TEST_CASE("picked ids step over given ones") {
  World w;
  REQUIRE(w.watch(Watch("k").id(1)) == Lines{"1/1 @1 created"});
  REQUIRE(w.watch(Watch("k")) == Lines{"1/0 @1 created"});
  REQUIRE(w.watch(Watch("k")) == Lines{"1/2 @1 created"});
  REQUIRE(w.watch(Watch("k").id(1), kTwo) == Lines{"2/1 @1 created"});
}

TEST_CASE("a watcher from the past reads the history, then goes on live") {
  World w;
  w.set("k", "1");
  w.set("j", "1");
  w.set("k", "2");
  w.remove("k");
  REQUIRE(w.watch(Watch("k").from(2).prev()) == Lines{"1/0 @5 created"});
  REQUIRE(w.hub.needs_catch_up());
  REQUIRE(w.catch_up() == Lines{"1/0 @5 put k=1 put k=2(1) delete k(2)"});
  REQUIRE(!w.hub.needs_catch_up());
  REQUIRE(w.set("k", "3") == Lines{"1/0 @6 put k=3"});
}

TEST_CASE("what happens while a watcher catches up reaches it once") {
  World w({.max_history_revisions = 2});
  for (int i = 0; i < 5; ++i) w.set("k", std::to_string(i));
  w.watch(Watch("k").from(3));
  REQUIRE(w.catch_up() == Lines{"1/0 @6 put k=1 put k=2"});
  REQUIRE(w.set("k", "5") == Lines{});
  REQUIRE(w.catch_up() == Lines{"1/0 @7 put k=3 put k=4"});
  REQUIRE(w.catch_up() == Lines{"1/0 @7 put k=5"});
  REQUIRE(!w.hub.needs_catch_up());
  REQUIRE(w.set("k", "6") == Lines{"1/0 @8 put k=6"});
}

TEST_CASE("one reading of the history serves all who are there") {
  World w({.max_history_revisions = 2});
  for (int i = 0; i < 4; ++i) w.set("k", std::to_string(i));
  w.watch(Watch("k").from(2));
  w.watch(Watch("k").from(3));
  w.watch(Watch("k").from(5), kTwo);
  REQUIRE(w.catch_up() == Lines{"1/0 @5 put k=0 put k=1", "1/1 @5 put k=1"});
  REQUIRE(w.catch_up() ==
          Lines{"1/0 @5 put k=2 put k=3", "1/1 @5 put k=2 put k=3", "2/0 @5 put k=3"});
}

TEST_CASE("bytes bound a piece of history too, but not below one revision") {
  World w({.max_history_bytes = 10});
  w.set("k", std::string(50, 'x'));
  w.set("k", "y");
  w.watch(Watch("k").from(2));
  REQUIRE(w.catch_up() == Lines{"1/0 @3 put k=" + std::string(50, 'x')});
  REQUIRE(w.catch_up() == Lines{"1/0 @3 put k=y"});
}

TEST_CASE("a revision is never split") {
  World w({.max_history_revisions = 1});
  w.txn(Txn().then(Put("a", "1")).then(Put("b", "1")));
  w.hub.publish(w.last_changes);
  w.set("c", "1");
  w.watch(Watch("a", kZero).from(1));
  REQUIRE(w.catch_up() == Lines{"1/0 @3 put a=1 put b=1"});
}

TEST_CASE("nothing below a future start, neither events nor progress") {
  World w;
  w.watch(Watch("k").from(4).progress());
  REQUIRE(w.set("k", "2") == Lines{});
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{});
  REQUIRE(w.lines(w.hub.progress_tick(kOne)) == Lines{});
  REQUIRE(w.set("k", "3") == Lines{});
  REQUIRE(w.set("k", "4") == Lines{"1/0 @4 put k=4"});
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{"1/-1 @4"});
}

TEST_CASE("a start that is compacted is created and then canceled") {
  World w;
  for (int i = 0; i < 4; ++i) w.set("k", std::to_string(i));
  REQUIRE(w.compact(4).ok());
  REQUIRE(w.watch(Watch("k").from(3)) == Lines{"1/0 @5 created"});
  REQUIRE(w.watch(Watch("k").from(4)) == Lines{"1/1 @5 created"});
  REQUIRE(w.catch_up() == Lines{"1/0 @0 canceled compacted 4", "1/1 @5 put k=2 put k=3"});
  REQUIRE(w.hub.watchers() == 1);
}

TEST_CASE("an id that compaction ended is taken until it is canceled") {
  World w;
  for (int i = 0; i < 4; ++i) w.set("k", std::to_string(i));
  REQUIRE(w.compact(4).ok());
  w.watch(Watch("k").from(3));
  REQUIRE(w.catch_up() == Lines{"1/0 @0 canceled compacted 4"});
  REQUIRE(w.watch(Watch("k")) == Lines{"1/1 @5 created"});
  REQUIRE(w.lines(w.hub.cancel(kOne, 0)) == Lines{"1/0 @5 canceled"});
  REQUIRE(w.lines(w.hub.cancel(kOne, 0)) == Lines{});
  // It holds up nobody's progress meanwhile.
  w.watch(Watch("k").from(3));
  w.catch_up();
  REQUIRE(w.lines(w.hub.request_progress(kOne)).size() == 1);
}

TEST_CASE("prev_kv is left out when compacted") {
  World w;
  w.set("k", "1");
  w.set("k", "2");
  w.set("k", "3");
  REQUIRE(w.compact(3).ok());
  w.watch(Watch("k").from(3).prev());
  REQUIRE(w.catch_up() == Lines{"1/0 @4 put k=2 put k=3(2)"});
}

TEST_CASE("a tombstone at the compacted revision is still seen") {
  World w;
  w.set("k", "1");
  w.remove("k");
  w.set("j", "1");
  REQUIRE(w.compact(3).ok());
  w.compact_fully();
  w.watch(Watch("j", "l").from(3));
  REQUIRE(w.catch_up() == Lines{"1/0 @4 delete k put j=1"});
}

TEST_CASE("filters drop events, and responses they empty") {
  World w;
  w.watch(Watch("k").puts_only());
  w.watch(Watch("k").deletes_only());
  REQUIRE(w.set("k", "1") == Lines{"1/0 @2 put k=1"});
  REQUIRE(w.remove("k") == Lines{"1/1 @3 delete k"});
  w.watch(Watch("k").from(2).deletes_only(), kTwo);
  REQUIRE(w.catch_up() == Lines{"2/0 @3 delete k"});
}

TEST_CASE("cancel is answered once and ends the events") {
  World w;
  w.watch(Watch("k"));
  REQUIRE(w.lines(w.hub.cancel(kOne, 7)) == Lines{});
  REQUIRE(w.lines(w.hub.cancel(kOne, 0)) == Lines{"1/0 @1 canceled"});
  REQUIRE(w.lines(w.hub.cancel(kOne, 0)) == Lines{});
  REQUIRE(w.set("k", "1") == Lines{});
  w.watch(Watch("k").from(2));
  REQUIRE(w.lines(w.hub.cancel(kOne, 1)) == Lines{"1/1 @2 canceled"});
  REQUIRE(w.catch_up() == Lines{});
}

TEST_CASE("a closed stream takes its watchers along") {
  World w;
  w.set("k", "0");
  w.watch(Watch("k"));
  w.watch(Watch("j", "z").from(2));
  w.watch(Watch("k"), kTwo);
  w.hub.close_stream(kOne);
  REQUIRE(w.hub.watchers() == 1);
  REQUIRE(!w.hub.needs_catch_up());
  REQUIRE(w.set("k", "1") == Lines{"2/0 @3 put k=1"});
}

TEST_CASE("progress is told when asked, if all of the stream are there") {
  World w;
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{});
  w.set("k", "1");
  w.watch(Watch("k"));
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{"1/-1 @2"});
  w.watch(Watch("k").from(2));
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{});
  w.catch_up();
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{"1/-1 @2"});
  REQUIRE(w.lines(w.hub.request_progress(kTwo)) == Lines{});
}

TEST_CASE("progress_notify comes on a tick without events before it") {
  World w;
  w.watch(Watch("k").progress());
  w.watch(Watch("k"));
  REQUIRE(w.lines(w.hub.progress_tick(kOne)) == Lines{"1/0 @1"});
  w.set("k", "1");
  REQUIRE(w.lines(w.hub.progress_tick(kOne)) == Lines{});
  w.set("other", "1");
  REQUIRE(w.lines(w.hub.progress_tick(kOne)) == Lines{"1/0 @3"});
}

TEST_CASE("a slow consumer is parked, holds up nobody and loses nothing") {
  World w({.max_outstanding_bytes = 200});
  w.watch(Watch("k"));
  w.watch(Watch("k"), kTwo);
  w.consume = false;
  REQUIRE(w.set("k", std::string(300, 'x')).size() == 2);
  REQUIRE(w.set("k", "2") == Lines{});
  REQUIRE(w.hub.slow_watchers() == 2);
  REQUIRE(w.catch_up() == Lines{});
  REQUIRE(w.lines(w.hub.request_progress(kOne)) == Lines{});
  REQUIRE(w.set("k", "3") == Lines{});
  const Delivery first = w.held.front();
  w.hub.consumed(first.stream, first.response);
  REQUIRE(w.catch_up() == Lines{"1/0 @4 put k=2 put k=3"});
  w.held.clear();
  REQUIRE(w.hub.slow_watchers() == 1);
}

TEST_CASE("a parked watcher that is overtaken by compaction is told") {
  World w({.max_outstanding_bytes = 100});
  w.watch(Watch("k"));
  w.consume = false;
  w.set("k", std::string(100, 'x'));
  w.set("k", "3");
  w.set("k", "4");
  REQUIRE(w.compact(4).ok());
  w.consume_held();
  REQUIRE(w.catch_up() == Lines{"1/0 @0 canceled compacted 4"});
}

TEST_CASE("after a leader's snapshot everyone goes on from where he was") {
  World w, other;
  for (World* world : {&w, &other}) world->set("k", "1");
  w.watch(Watch("k"));
  w.watch(Watch("k").from(2), kTwo);
  w.watch(Watch("k").from(9));
  other.set("j", "1");
  other.set("k", "2");
  w.hub.restored(*other.store);
  REQUIRE(w.catch_up() == Lines{"2/0 @4 put k=1 put k=2", "1/0 @4 put k=2"});
  REQUIRE(!w.hub.needs_catch_up());
  REQUIRE(w.hub.watchers() == 3);
}

TEST_CASE("a large response falls into parts that end with one unmarked") {
  WatchResponse whole;
  whole.watch_id = 4;
  whole.bytes = 48;
  for (int i = 0; i < 5; ++i) {
    Event event;
    event.kv = kv("k" + std::to_string(i), std::string(i == 2 ? 1000 : 100, 'v'), 1, 1, 1);
    whole.events.push_back({std::make_shared<const Event>(event), nullptr});
    whole.bytes += wire_size(whole.events.back());
  }
  const auto parts = fragment_response(whole, 400);
  std::vector<std::size_t> sizes;
  std::vector<bool> marks;
  std::size_t bytes = 0;
  for (const WatchResponse& part : parts) {
    REQUIRE(part.watch_id == 4);
    sizes.push_back(part.events.size());
    marks.push_back(part.fragment);
    bytes += part.bytes;
  }
  REQUIRE(sizes == std::vector<std::size_t>{2, 1, 2});
  REQUIRE(marks == std::vector<bool>{true, true, false});
  REQUIRE(bytes == whole.bytes);
  REQUIRE(fragment_response(whole, 10000).size() == 1);
}
