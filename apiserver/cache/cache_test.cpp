#include <catch2/catch.hpp>

#include "apiserver/cache/feed.hpp"
#include "base/manual_executor.hpp"
#include "client/memory_store.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ObjectShape pods() { return {"pods", "Pod", "v1", true, {"spec.nodeName", "status.phase"}}; }

std::string pod(const std::string& name, const std::string& node = "",
                const std::string& label = "") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name +
         R"(","labels":{"app":")" + label + R"("}},"spec":{"nodeName":")" + node + R"("}})";
}

client::KeyValue kv(std::int64_t revision, std::string value, std::int64_t created = 0) {
  client::KeyValue out;
  out.value = std::move(value);
  out.mod_revision = revision;
  out.create_revision = created ? created : revision;
  return out;
}

// Writes down what it is offered: "5 + a/x", "6 ~ a/x", "7 - a/x".
struct Recorder : WatchClient {
  std::vector<std::string> seen;
  void on_event(const EventPtr& event) override {
    const char* sign = !event->now() ? " - " : event->before() ? " ~ " : " + ";
    const ObjectPtr& any = event->now() ? event->now() : event->before();
    seen.push_back(std::to_string(event->revision()) + sign + any->key());
  }
};

using Lines = std::vector<std::string>;

TEST_CASE("a tail carries its revision and can change it") {
  const std::string head = pods().head();
  struct Case {
    std::string name, stored, tail;
  };
  const auto c = GENERATE(values<Case>({
      {"fields follow", R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"spec":{}})",
       R"("metadata":{"resourceVersion":"7","name":"x"},"spec":{}})"},
      {"empty metadata", R"({"kind":"Pod","apiVersion":"v1","metadata":{}})",
       R"("metadata":{"resourceVersion":"7"}})"},
      {"another key order", R"({"apiVersion":"v1","kind":"Pod","metadata":{}})", ""},
  }));
  CAPTURE(c.name);
  CHECK(tail_of(head, c.stored, 7) == c.tail);
  if (!c.tail.empty()) CHECK(retail(retail(c.tail, 123), 7) == c.tail);
}

TEST_CASE("objects of another server are brought into our form") {
  auto object = CachedObject::parse(
      pods(), "a/x",
      R"({"apiVersion":"v1","spec":{"nodeName":"n1"},"kind":"Pod",)"
      R"("metadata":{"name":"x","resourceVersion":"1","labels":{"b":"2","a":"1"}}})",
      9, 9);
  REQUIRE(object.ok());
  CHECK(*(*object)->tail() ==
        R"("metadata":{"resourceVersion":"9","name":"x","labels":{"b":"2","a":"1"}},)"
        R"("spec":{"nodeName":"n1"}})");
  CHECK((*object)->labels() == json::object{{"a", "1"}, {"b", "2"}});
  CHECK((*object)->field(0) == "n1");
  CHECK((*object)->field(1) == "");
  CHECK((*object)->ns() == "a");
  CHECK((*object)->name() == "x");
}

TEST_CASE("bytes that are no object are refused with the key") {
  auto object = CachedObject::parse(pods(), "a/x", "k8s\x01", 3, 3);
  REQUIRE_FALSE(object.ok());
  CHECK(object.status() == data_loss("stored object pods/a/x is not a JSON object"));
}

TEST_CASE("watchers are offered the changes of their scope, each once") {
  ResourceCache cache(pods());
  cache.replace({{"a/old", kv(3, pod("old", "n1"))}}, 5);
  Recorder all, in_a, on_n1, named;
  REQUIRE(cache.watch({}, 5, &all).ok());
  REQUIRE(cache.watch({.ns = "a"}, 5, &in_a).ok());
  REQUIRE(cache.watch({.node = "n1"}, 5, &on_n1).ok());
  REQUIRE(cache.watch({.ns = "b", .name = "y"}, 5, &named).ok());

  REQUIRE(cache.put("b/y", kv(6, pod("y"))).ok());
  REQUIRE(cache.put("b/y", kv(7, pod("y", "n1"), 6)).ok());
  REQUIRE(cache.put("a/old", kv(8, pod("old", "n2"), 3)).ok());
  cache.remove("b/y", 9);

  CHECK(all.seen == Lines{"6 + b/y", "7 ~ b/y", "8 ~ a/old", "9 - b/y"});
  CHECK(in_a.seen == Lines{"8 ~ a/old"});
  CHECK(on_n1.seen == Lines{"7 ~ b/y", "8 ~ a/old", "9 - b/y"});
  CHECK(named.seen == Lines{"6 + b/y", "7 ~ b/y", "9 - b/y"});
}

TEST_CASE("a watch from the past replays the ring; before the ring it is refused") {
  ResourceCache cache(pods(), {.events_max = 3});
  cache.replace({}, 5);
  for (int i = 6; i <= 10; ++i) REQUIRE(cache.put("a/p", kv(i, pod("p"), 6)).ok());
  CHECK(cache.oldest_revision() == 7);
  Recorder from8, from7, future;
  REQUIRE(cache.watch({}, 8, &from8).ok());
  REQUIRE(cache.watch({}, 7, &from7).ok());
  REQUIRE(cache.watch({}, 11, &future).ok());
  CHECK(cache.watch({}, 6, &from8).status() == out_of_range("too old resource version: 6 (8)"));
  REQUIRE(cache.put("a/p", kv(11, pod("p"), 6)).ok());
  REQUIRE(cache.put("a/p", kv(12, pod("p"), 6)).ok());
  CHECK(from8.seen == Lines{"9 ~ a/p", "10 ~ a/p", "11 ~ a/p", "12 ~ a/p"});
  CHECK(from7.seen == Lines{"8 ~ a/p", "9 ~ a/p", "10 ~ a/p", "11 ~ a/p", "12 ~ a/p"});
  CHECK(future.seen == Lines{"12 ~ a/p"});
}

TEST_CASE("a watcher may leave from inside its own event") {
  ResourceCache cache(pods());
  cache.replace({}, 5);
  struct Leaver : Recorder {
    ResourceCache* cache;
    ResourceCache::WatcherId id = 0;
    void on_event(const EventPtr& event) override {
      Recorder::on_event(event);
      cache->unwatch(id);
    }
  } leaver;
  Recorder stays;
  leaver.cache = &cache;
  leaver.id = *cache.watch({}, 5, &leaver);
  REQUIRE(cache.watch({}, 5, &stays).ok());
  REQUIRE(cache.put("a/p", kv(6, pod("p"))).ok());
  REQUIRE(cache.put("a/p", kv(7, pod("p"), 6)).ok());
  CHECK(leaver.seen == Lines{"6 + a/p"});
  CHECK(stays.seen == Lines{"6 + a/p", "7 ~ a/p"});
  CHECK(cache.watchers() == 1);
}

TEST_CASE("a second list becomes events: changed, made again, gone, new") {
  ResourceCache cache(pods());
  cache.replace({{"a/changed", kv(2, pod("changed"))},
                 {"a/gone", kv(3, pod("gone"))},
                 {"a/reborn", kv(4, pod("reborn"))},
                 {"a/same", kv(5, pod("same"))}},
                5);
  Recorder all;
  REQUIRE(cache.watch({}, 5, &all).ok());
  cache.replace({{"a/changed", kv(8, pod("changed"), 2)},
                 {"a/new", kv(11, pod("new"))},
                 {"a/reborn", kv(10, pod("reborn"))},
                 {"a/same", kv(5, pod("same"))}},
                20);
  CHECK(all.seen ==
        Lines{"8 ~ a/changed", "9 - a/reborn", "10 + a/reborn", "11 + a/new", "20 - a/gone"});
  CHECK(cache.find("a/gone") == nullptr);
  CHECK(cache.size() == 4);
}

TEST_CASE("scan walks one namespace, from a key on") {
  ResourceCache cache(pods());
  cache.replace({{"a/1", kv(1, pod("1"))},
                 {"a/2", kv(2, pod("2"))},
                 {"a-b/1", kv(3, pod("1"))},
                 {"b/1", kv(4, pod("1"))}},
                5);
  const auto keys = [&](std::string_view ns, std::string_view from) {
    Lines out;
    cache.scan(ns, from, [&](const ObjectPtr& object) {
      out.push_back(object->key());
      return true;
    });
    return out;
  };
  CHECK(keys("", "") == Lines{"a-b/1", "a/1", "a/2", "b/1"});
  CHECK(keys("a", "") == Lines{"a/1", "a/2"});
  CHECK(keys("a", "a/2") == Lines{"a/2"});
  CHECK(keys("", "a/3") == Lines{"b/1"});
}

// A store, a feed and one cache on virtual time.
struct World {
  ManualExecutor executor;
  client::MemoryStore store{executor};
  ResourceCache cache{pods()};
  StoreFeed feed{executor, store};

  World() { feed.add(&cache); }
  void start() {
    feed.start();
    REQUIRE(executor.run_until([&] { return feed.synced(); }));
  }
  std::int64_t put(const std::string& key, const std::string& value, std::int64_t expected = 0) {
    std::optional<Result<client::GuardedResult>> result;
    client::GuardedWrite write;
    write.key = key;
    write.value = value;
    write.expected_mod_revision = expected;
    spawn(store.write(write), std::function<void(Result<client::GuardedResult>)>(
                                  [&](auto r) { result.emplace(std::move(r)); }));
    REQUIRE(executor.run_until([&] { return result.has_value(); }));
    REQUIRE(result->ok());
    REQUIRE((*result)->succeeded);
    return (*result)->revision;
  }
  std::optional<Status> barrier;
  void ask() {
    spawn(feed.read_barrier(),
          std::function<void(Status)>([this](Status s) { barrier = std::move(s); }));
  }
};

TEST_CASE("the feed lists, then follows") {
  World w;
  w.put("/registry/pods/a/one", pod("one"));
  w.put("/registry/unknown/a/one", "bytes");
  w.start();
  REQUIRE(w.cache.find("a/one"));
  Recorder all;
  REQUIRE(w.cache.watch({}, w.feed.revision(), &all).ok());
  const auto revision = w.put("/registry/pods/a/two", pod("two"));
  w.executor.advance(milliseconds(10));
  CHECK(all.seen == Lines{std::to_string(revision) + " + a/two"});
  CHECK(w.feed.revision() == revision);
}

TEST_CASE("a read barrier sees what was written before it, wherever it was written") {
  World w;
  w.start();
  const auto revision = w.put("/elsewhere", "x");
  w.ask();
  REQUIRE(w.executor.run_until([&] { return w.barrier.has_value(); }));
  CHECK(*w.barrier == Status());
  CHECK(w.feed.revision() >= revision);
}

TEST_CASE("a barrier without a store fails, and works again when the store is back") {
  World w;
  w.start();
  w.store.set_reachable(false);
  w.ask();
  REQUIRE(w.executor.run_until([&] { return w.barrier.has_value(); }));
  CHECK(w.barrier->code() == Code::kUnavailable);
  w.store.set_reachable(true);
  w.barrier.reset();
  w.put("/registry/pods/a/two", pod("two"));
  w.ask();
  REQUIRE(w.executor.run_until([&] { return w.barrier.has_value(); }));
  CHECK(*w.barrier == Status());
  CHECK(w.cache.find("a/two"));
}

TEST_CASE("a lost watch resumes, a compacted one lists again; watchers stay") {
  const bool compacted = GENERATE(false, true);
  CAPTURE(compacted);
  World w;
  w.start();
  Recorder all;
  REQUIRE(w.cache.watch({}, w.feed.revision(), &all).ok());
  w.store.end_watches(compacted ? out_of_range("compacted") : unavailable("stream lost"));
  const auto revision = w.put("/registry/pods/a/two", pod("two"));
  REQUIRE(w.executor.run_until([&] { return w.feed.revision() >= revision; }));
  CHECK(all.seen == Lines{std::to_string(revision) + " + a/two"});
}

TEST_CASE("waiting for a revision that does not come times out") {
  World w;
  w.start();
  std::optional<Status> ended;
  spawn(w.feed.wait_for(1000), std::function<void(Status)>([&](Status s) { ended = s; }));
  w.executor.advance(seconds(2));
  CHECK_FALSE(ended.has_value());
  w.executor.advance(seconds(2));
  REQUIRE(ended.has_value());
  CHECK(*ended == deadline_exceeded("revision 1000 was not reached"));
}

}  // namespace
}  // namespace coracle::apiserver
