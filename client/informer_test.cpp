#include "client/informer.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const Gvr kPods{"", "v1", "pods"};

json::value pod(const std::string& name, const std::string& version, const std::string& node = {},
                const std::string& uid = {}) {
  json::value v = json::object();
  set_path(v, "kind", json::value("Pod"));
  set_path(v, "metadata.name", json::value(name));
  set_path(v, "metadata.namespace", json::value("default"));
  set_path(v, "metadata.uid", json::value(uid.empty() ? "u-" + name : uid));
  set_path(v, "metadata.resourceVersion", json::value(version));
  if (!node.empty()) set_path(v, "spec.nodeName", json::value(node));
  return v;
}

json::value pod_list(const std::string& version, const std::vector<json::value>& items,
                     const std::string& next = {}) {
  json::value v = json::object();
  set_path(v, "kind", json::value("PodList"));
  set_path(v, "apiVersion", json::value("v1"));
  set_path(v, "metadata.resourceVersion", json::value(version));
  if (!next.empty()) set_path(v, "metadata.continue", json::value(next));
  v.as_object()["items"] = json::array(items.begin(), items.end());
  return v;
}

json::value bookmark(const std::string& version, bool initial_end) {
  json::value v = json::object();
  set_path(v, "kind", json::value("Pod"));
  set_path(v, "metadata.resourceVersion", json::value(version));
  if (initial_end) {
    make_object(v, "metadata.annotations")["k8s.io/initial-events-end"] = "true";
  }
  return v;
}

struct World {
  explicit World(bool watch_list = false, bool stubs = false) {
    InformerOptions options{.gvr = kPods, .use_watch_list = watch_list};
    if (stubs) options.stub = stub_of;
    informer = std::make_unique<Informer>(executor, api, Rng(7), options);
    informer->add_index("node", index_by_node_name);
    InformerHandler handler;
    handler.on_add = [this](const ObjectPtr& o, bool initial) {
      log.push_back((initial ? "init " : "add ") + text(*o));
    };
    handler.on_update = [this](const ObjectPtr& before, const ObjectPtr& after) {
      log.push_back("update " + text(*before) + " " + text(*after));
    };
    handler.on_delete = [this](const ObjectPtr& o, bool unknown) {
      log.push_back((unknown ? "lost " : "delete ") + text(*o));
    };
    informer->add_handler(handler);
    informer->start();
  }
  static std::string text(const json::value& o) {
    return std::string(get_string(o, "metadata.name")) + "@" +
           std::string(get_string(o, "metadata.resourceVersion"));
  }
  void answer_list(const std::string& target, const json::value& list) {
    api.expect("GET", target).reply(200, list);
    executor.run_ready();
  }
  std::shared_ptr<FakeApi::Stream> watching() {
    auto stream = api.only_stream();
    api.head(*stream);
    return stream;
  }
  Lines take_log() { return std::exchange(log, {}); }

  ManualExecutor executor;
  FakeApi api{executor};
  Lines log;
  std::unique_ptr<Informer> informer;
};

const std::string kFirstList = "/api/v1/pods?limit=500&resourceVersion=0";

TEST_CASE("a slow pace: bookmarks until the list has ended, then long watches without") {
  ManualExecutor executor;
  FakeApi api{executor};
  Informer informer(executor, api, Rng(7), {.gvr = kPods, .watch = {6h, 12h, false}});
  informer.start();
  const auto seconds_of = [](const std::string& target) {
    return std::stoll(target.substr(target.find("timeoutSeconds=") + 15));
  };
  auto stream = api.only_stream();
  const std::string first = stream->request.target;
  CHECK(first.find("allowWatchBookmarks=true") != std::string::npos);
  CHECK((300 <= seconds_of(first) && seconds_of(first) <= 600));
  api.head(*stream);
  api.event(*stream, "ADDED", pod("a", "3"));
  api.event(*stream, "BOOKMARK", bookmark("10", true));
  CHECK(informer.has_synced());
  executor.advance(400s);
  api.end(*stream);
  executor.run_ready();

  const std::string then = api.only_stream()->request.target;
  CHECK(then.find("allowWatchBookmarks") == std::string::npos);
  CHECK(then.find("resourceVersion=10") != std::string::npos);
  CHECK((21'600 <= seconds_of(then) && seconds_of(then) <= 43'200));
}

TEST_CASE("list in pages, then watch: adds, updates and deletes reach handlers and indexes") {
  World world;
  CHECK_FALSE(world.informer->has_synced());
  world.answer_list(kFirstList, pod_list("10", {pod("a", "3", "n1")}, "next"));
  CHECK(world.log.empty());  // half a list is nothing
  world.answer_list("/api/v1/pods?limit=500&continue=next&resourceVersion=0",
                    pod_list("10", {pod("b", "4")}));
  CHECK(world.take_log() == Lines{"init a@3", "init b@4"});
  CHECK(world.informer->has_synced());

  auto stream = world.watching();
  CHECK(stream->request.target.find("allowWatchBookmarks=true") != std::string::npos);
  CHECK(stream->request.target.find("resourceVersion=10") != std::string::npos);
  world.api.event(*stream, "ADDED", pod("c", "11", "n1"));
  world.api.event(*stream, "MODIFIED", pod("a", "12", "n2"));
  world.api.event(*stream, "DELETED", pod("b", "13"));
  world.api.event(*stream, "BOOKMARK", bookmark("20", false));
  CHECK(world.take_log() == Lines{"add c@11", "update a@3 a@12", "delete b@13"});
  CHECK(world.informer->resource_version() == "20");
  CHECK(world.informer->cache().size() == 2);
  REQUIRE(world.informer->cache().by_index("node", "n1").size() == 1);
  CHECK(World::text(*world.informer->cache().by_index("node", "n1")[0]) == "c@11");
  CHECK(world.informer->cache().by_index("node", "n2").size() == 1);
  CHECK(world.informer->cache().by_index("namespace", "default").size() == 2);
}

TEST_CASE("items of a list get the kind and apiVersion that events have") {
  World world;
  json::value bare = pod("a", "3");
  bare.as_object().erase("kind");
  world.answer_list(kFirstList, pod_list("10", {bare}));
  const ObjectPtr kept = world.informer->cache().get("default", "a");
  REQUIRE(kept);
  CHECK(get_string(*kept, "kind") == "Pod");
  CHECK(get_string(*kept, "apiVersion") == "v1");
}

TEST_CASE("with stubs the handlers are shown whole objects, and the cache keeps what names them") {
  World world(false, true);
  std::vector<std::string> nodes;
  world.informer->add_handler(
      {[&](const ObjectPtr& o, bool) { nodes.emplace_back(get_string(*o, "spec.nodeName")); },
       [&](const ObjectPtr& before, const ObjectPtr& after) {
         CHECK(find(*before, "spec") == nullptr);
         nodes.emplace_back(get_string(*after, "spec.nodeName"));
       },
       [&](const ObjectPtr& o, bool unknown) {
         nodes.emplace_back(unknown ? "?" : get_string(*o, "spec.nodeName"));
       }});
  world.answer_list("/api/v1/pods?limit=500&resourceVersion=0",
                    pod_list("10", {pod("a", "3", "n1"), pod("b", "4", "n2")}));
  const auto stream = world.watching();
  world.api.event(*stream, "MODIFIED", pod("a", "11", "n3"));
  world.api.event(*stream, "DELETED", pod("b", "12", "n2"));
  world.executor.run_ready();
  CHECK(nodes == std::vector<std::string>{"n1", "n2", "n3", "n2"});
  CHECK(*world.informer->cache().get("default/a") ==
        *parse_json(R"({"metadata":{"name":"a","namespace":"default","uid":"u-a",
                        "resourceVersion":"11"}})"));
}

TEST_CASE("a watch that ends in order goes on from the last version") {
  World world;
  world.answer_list(kFirstList, pod_list("10", {}));
  auto stream = world.watching();
  world.api.event(*stream, "ADDED", pod("a", "15"));
  world.executor.advance(10s);
  world.api.end(*stream);
  auto next = world.watching();
  CHECK(next->request.target.find("resourceVersion=15") != std::string::npos);
  CHECK(world.api.idle());
}

TEST_CASE("410 in the stream lists the newest, and no deletion is missed") {
  World world;
  world.answer_list(kFirstList, pod_list("10", {pod("a", "1"), pod("b", "2"), pod("c", "3")}));
  world.take_log();
  auto stream = world.watching();
  json::value expired = json::object();
  set_path(expired, "kind", json::value("Status"));
  set_path(expired, "code", json::value(410));
  set_path(expired, "reason", json::value("Expired"));
  world.api.event(*stream, "ERROR", expired);
  world.executor.advance(2s);
  // c was replaced by another object of the same name meanwhile.
  world.answer_list("/api/v1/pods",
                    pod_list("50", {pod("a", "1"), pod("c", "40", "", "u-new"), pod("d", "41")}));
  CHECK(world.take_log() == Lines{"lost b@2", "lost c@3", "add c@40", "add d@41"});
  CHECK(world.watching()->request.target.find("resourceVersion=50") != std::string::npos);
}

TEST_CASE("lost connections back off, doubled, and then the watch goes on") {
  World world;
  world.answer_list(kFirstList, pod_list("10", {}));
  for (int i = 0; i < 3; ++i) {
    auto stream = world.api.only_stream();
    world.api.end(*stream, unavailable("EOF"));
    CHECK(world.api.open_streams().empty());
    world.executor.advance(790ms * (1 << i));  // less than the backoff
    CHECK(world.api.open_streams().empty());
    world.executor.advance(830ms * (1 << i));
    CHECK(world.api.open_streams().size() == 1);
  }
  CHECK(world.informer->last_error() == "EOF");
  CHECK(world.informer->counters().errors == 3);
  CHECK(world.api.idle());
}

TEST_CASE("a failing list is tried again") {
  World world;
  world.api.expect("GET", kFirstList).fail(500, "InternalError", "boom");
  world.executor.run_ready();
  CHECK(world.informer->last_error() == "boom");
  world.executor.advance(2s);
  world.answer_list(kFirstList, pod_list("10", {pod("a", "1")}));
  CHECK(world.informer->has_synced());
}

TEST_CASE("WatchList: initial events count only when the annotated bookmark has come") {
  World world(true);
  auto stream = world.watching();
  CHECK(stream->request.target.find("sendInitialEvents=true") != std::string::npos);
  CHECK(stream->request.target.find("resourceVersionMatch=NotOlderThan") != std::string::npos);
  world.api.event(*stream, "ADDED", pod("a", "3"));
  world.api.event(*stream, "ADDED", pod("b", "4"));
  CHECK(world.log.empty());
  world.api.event(*stream, "BOOKMARK", bookmark("9", true));
  CHECK(world.take_log() == Lines{"init a@3", "init b@4"});
  CHECK(world.informer->has_synced());
  world.api.event(*stream, "DELETED", pod("a", "10"));
  CHECK(world.take_log() == Lines{"delete a@10"});
  CHECK(world.api.idle());
}

TEST_CASE("WatchList refused falls back to a list; ignored, after some patience") {
  SECTION("refused") {
    World world(true);
    auto stream = world.api.only_stream();
    world.api.head(*stream, 422);
    world.api.data(*stream, R"({"kind":"Status","code":422,"message":"sendInitialEvents is forbi)");
    world.api.data(*stream, R"(dden"})");
    world.api.end(*stream);
    world.answer_list(kFirstList, pod_list("10", {pod("a", "1")}));
    CHECK(world.informer->has_synced());
  }
  SECTION("ignored") {
    World world(true);
    auto stream = world.watching();
    world.api.event(*stream, "ADDED", pod("a", "3"));
    world.executor.advance(61s);
    world.answer_list(kFirstList, pod_list("10", {pod("a", "3")}));
    CHECK(world.take_log() == Lines{"init a@3"});
  }
}

TEST_CASE("events cut anywhere are put together; bytes that are no event end the watch") {
  World world;
  world.answer_list(kFirstList, pod_list("10", {}));
  auto stream = world.watching();
  const std::string line =
      to_json(json::object{{"type", "ADDED"}, {"object", pod("a", "11")}}) + "\n";
  for (char c : line) world.api.data(*stream, std::string(1, c));
  world.api.data(*stream, line + line);
  CHECK(world.take_log() == Lines{"add a@11", "update a@11 a@11", "update a@11 a@11"});
  world.api.data(*stream, "{nonsense\n");
  CHECK(world.api.open_streams().empty());
  CHECK(world.informer->counters().errors == 1);
}

TEST_CASE("a long list is taken in piece by piece, and events wait until it is in") {
  World world(true);
  const size_t many = 2500;
  size_t seen_meanwhile = 0;
  bool synced_meanwhile = true;
  InformerHandler handler;
  handler.on_add = [&](const ObjectPtr&, bool) {
    if (world.log.size() != 1) return;
    world.executor.post([&] {
      seen_meanwhile = world.log.size();
      synced_meanwhile = world.informer->has_synced();
      world.api.event(*world.api.open_streams().front(), "MODIFIED", pod("p1000", "5000"));
    });
  };
  world.informer->add_handler(handler);
  auto stream = world.watching();
  for (size_t i = 0; i < many; ++i) {
    world.api.event(*stream, "ADDED", pod("p" + std::to_string(1000 + i), std::to_string(i + 1)));
  }
  world.api.event(*stream, "BOOKMARK", bookmark("4000", true));
  world.executor.run_ready();
  CHECK(seen_meanwhile >= 1);
  CHECK(seen_meanwhile < many);
  CHECK_FALSE(synced_meanwhile);
  CHECK(world.informer->has_synced());
  REQUIRE(world.log.size() == many + 1);
  CHECK(world.log.back() == "update p1000@1 p1000@5000");
  CHECK(world.informer->resource_version() == "5000");
}

TEST_CASE("stopped while a long list is taken in, it reads it anew, and not an older one") {
  World world;
  std::vector<json::value> items;
  for (int i = 0; i < 1500; ++i) items.push_back(pod("p" + std::to_string(1000 + i), "1"));
  InformerHandler handler;
  handler.on_add = [&](const ObjectPtr&, bool) {
    if (world.log.size() == 1) world.executor.post([&] { world.informer->stop(); });
  };
  world.informer->add_handler(handler);
  world.answer_list(kFirstList, pod_list("10", items));
  CHECK(world.log.size() == 1000);
  CHECK_FALSE(world.informer->has_synced());
  world.take_log();
  world.informer->start();
  world.answer_list("/api/v1/pods", pod_list("11", items));
  CHECK(world.log.size() == 500);
  CHECK(world.informer->has_synced());
}

TEST_CASE("stopped and destroyed informers are silent") {
  World world;
  world.answer_list(kFirstList, pod_list("10", {pod("a", "1")}));
  auto stream = world.watching();
  world.take_log();
  bool late = false;
  InformerHandler handler;
  handler.on_add = [&](const ObjectPtr&, bool) { late = true; };
  world.informer->add_handler(handler);
  CHECK(late);  // a late handler is given what is there
  world.informer->stop();
  CHECK(world.api.open_streams().empty());
  world.informer.reset();
  world.executor.advance(1h);
  CHECK(world.log.empty());
  CHECK(world.api.idle());
}

TEST_CASE("the factory shares informers by what they select, and knows when all are synced") {
  ManualExecutor executor;
  FakeApi api(executor);
  InformerFactory factory(executor, api, Rng(1));
  Informer& all = factory.get({.gvr = kPods, .use_watch_list = false});
  CHECK(&factory.get({.gvr = kPods, .use_watch_list = false}) == &all);
  Informer& mine =
      factory.get({.gvr = kPods, .field_selector = "spec.nodeName=n1", .use_watch_list = false});
  CHECK(&mine != &all);
  bool synced = false;
  factory.when_synced([&] { synced = true; });
  factory.start();
  api.next_call().reply(200, pod_list("10", {}));
  executor.run_ready();
  CHECK_FALSE(synced);
  auto second = api.expect(
      "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=500&resourceVersion=0");
  second.reply(200, pod_list("10", {}));
  executor.run_ready();
  CHECK(synced);
  CHECK(factory.has_synced());
}

}  // namespace
}  // namespace coracle::client
