// Watches, from the request to the lines of the stream.
#include <catch2/catch.hpp>

#include "apiserver/registry/watch_stream.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::string>;

// "ADDED x", "BOOKMARK !" (! = the end of the initial events)
Lines lines(const FakeExchange& stream) {
  Lines out;
  for (const json::value& event : stream.events()) {
    std::string line(get_string(event, "type"));
    const json::value* mark =
        find_keys(event, {"object", "metadata", "annotations", "k8s.io/initial-events-end"});
    const std::string_view name = get_string(event, "object.metadata.name");
    if (!name.empty()) line += " " + std::string(name);
    if (mark != nullptr) line += " !";
    out.push_back(line);
  }
  return out;
}

std::string version(const json::value& tree) {
  return std::string(get_string(tree, "metadata.resourceVersion"));
}

TEST_CASE("a watch from a version gets what came after it") {
  ApiWorld w;
  const json::value first = w.tree(w.call("POST", kMaps, a_config_map("m1")));
  w.call("POST", kMaps, a_config_map("m2"));
  w.settle();
  const auto stream =
      w.call("GET", std::string(kMaps) + "?watch=1&resourceVersion=" + version(first));
  CHECK(stream->streaming);
  w.patch("merge-patch+json", std::string(kMaps) + "/m2", R"({"data":{"k":"v"}})");
  w.call("DELETE", std::string(kMaps) + "/m1");
  w.settle();
  CHECK(lines(*stream) == Lines{"ADDED m2", "MODIFIED m2", "DELETED m1"});
  const json::value removed = stream->events()[2];
  CHECK(std::stoll(version(*find(removed, "object"))) == w.store.revision());
  CHECK(get_string(removed, "object.kind") == "ConfigMap");
}

TEST_CASE("a watch that comes before the caches are filled waits for them") {
  ApiWorld w;
  const json::value first = w.tree(w.call("POST", kMaps, a_config_map("m1")));
  w.call("POST", kMaps, a_config_map("m2"));
  w.begin_restart();
  REQUIRE_FALSE(w.handler->ready());
  const auto from = [&](const std::string& version) {
    return w.begin(w.request("GET", std::string(kMaps) + "?watch=1&resourceVersion=" + version));
  };
  // What happened after it was forgotten by the apiserver that is gone.
  const auto old = from(version(first));
  const auto current = from(std::to_string(w.store.revision()));
  CHECK_FALSE(old->answered());
  CHECK(w.executor.run_until([&] { return w.handler->ready(); }));
  w.call("DELETE", std::string(kMaps) + "/m1");
  w.settle();
  REQUIRE(old->events().size() == 1);
  CHECK(get_string(old->events()[0], "type") == "ERROR");
  CHECK(get_int(old->events()[0], "object.code") == 410);
  CHECK(lines(*current) == Lines{"DELETED m1"});
}

TEST_CASE("a watch without a version begins with what is there") {
  ApiWorld w;
  w.call("POST", kMaps, a_config_map("m1"));
  const std::string how = GENERATE("", "&resourceVersion=0", "&allowWatchBookmarks=true",
                                   "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                                   "&allowWatchBookmarks=1");
  CAPTURE(how);
  w.settle();
  const auto stream = w.call("GET", std::string(kMaps) + "?watch=True" + how);
  w.call("POST", kMaps, a_config_map("m2"));
  w.settle();
  const bool bookmarks = how.find("Bookmarks") != std::string::npos;
  const Lines with = {"ADDED m1", "BOOKMARK !", "ADDED m2"}, without = {"ADDED m1", "ADDED m2"};
  CHECK(lines(*stream) == (bookmarks ? with : without));
}

TEST_CASE("objects that leave the selection are deleted there, that enter are added") {
  ApiWorld w;
  const json::value made = w.tree(w.call("POST", kPods, a_pod("p", R"(,"labels":{"app":"x"})")));
  w.settle();
  const std::string from = std::string(kPods) + "?watch=1&resourceVersion=" + version(made);
  const auto x = w.call("GET", from + "&labelSelector=app%3Dx");
  const auto y = w.call("GET", from + "&labelSelector=app%3Dy");
  w.patch("merge-patch+json", std::string(kPods) + "/p", R"({"metadata":{"labels":{"app":"y"}}})");
  w.settle();
  CHECK(lines(*x) == Lines{"DELETED p"});
  CHECK(lines(*y) == Lines{"ADDED p"});
  const json::value gone = *find(x->events()[0], "object");
  CHECK(get_string(gone, "metadata.labels.app") == "x");             // the previous body ...
  CHECK(version(gone) == version(*find(y->events()[0], "object")));  // ... under the new version
}

TEST_CASE("a node's watch sees its pods come and nothing else") {
  ApiWorld w;
  const auto stream = w.call("GET", "/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1");
  w.call("POST", kPods, a_pod("p"));
  w.call("POST", kPods, a_pod("q"));
  w.call("POST", std::string(kPods) + "/p/binding", R"({"target":{"name":"n1"}})");
  w.call("POST", std::string(kPods) + "/q/binding", R"({"target":{"name":"n2"}})");
  w.settle();
  CHECK(lines(*stream) == Lines{"ADDED p"});
}

TEST_CASE("a compacted version is one ERROR event, and with sendInitialEvents a fresh start") {
  ApiWorld w;
  w.restart();  // a server that was not there then
  const auto old =
      w.call("GET", std::string(kMaps) + "?watch=1&resourceVersion=1&allowWatchBookmarks=1");
  CHECK(old->status == 200);
  CHECK(old->ended);
  const json::value event = old->events().at(0);
  CHECK(get_string(event, "type") == "ERROR");
  CHECK(get_int(event, "object.code") == 410);
  CHECK(get_string(event, "object.reason") == "Expired");
  w.call("POST", kMaps, a_config_map("m1"));
  w.settle();
  const auto fresh = w.call("GET", std::string(kMaps) +
                                       "?watch=1&resourceVersion=1&sendInitialEvents=true"
                                       "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1");
  CHECK(lines(*fresh) == Lines{"ADDED m1", "BOOKMARK !"});
}

TEST_CASE("options that make no sense are refused, not ignored") {
  ApiWorld w;
  CHECK(w.call("GET", std::string(kMaps) + "?watch=1&sendInitialEvents=true")->status == 422);
  CHECK(w.call("GET", std::string(kMaps) + "?watch=1&resourceVersionMatch=NotOlderThan")->status ==
        422);
}

TEST_CASE("bookmarks come every minute and before the end; the end comes when it was asked for") {
  ApiWorld w;
  w.settle();
  const auto stream = w.call("GET", std::string(kMaps) + "?watch=1&resourceVersion=" +
                                        std::to_string(w.handler->revision()) +
                                        "&allowWatchBookmarks=1&timeoutSeconds=100");
  w.executor.advance(seconds(61));
  CHECK(lines(*stream) == Lines{"BOOKMARK"});
  w.executor.advance(seconds(38));
  CHECK(lines(*stream) == Lines{"BOOKMARK", "BOOKMARK"});
  CHECK_FALSE(stream->ended);
  w.executor.advance(seconds(2));
  CHECK(stream->ended);
}

TEST_CASE("a reader too slow for the stream is cut off; others are not") {
  ApiWorld w;
  const auto slow = w.call("GET", std::string(kMaps) + "?watch=1");
  const auto good = w.call("GET", std::string(kMaps) + "?watch=1");
  slow->queued = WatchStream::kBacklogMax + 1;
  w.call("POST", kMaps, a_config_map("m1"));
  w.call("POST", kMaps, a_config_map("m2"));
  w.settle();
  CHECK(slow->aborted);
  CHECK(lines(*good) == Lines{"ADDED m1", "ADDED m2"});
}

TEST_CASE("a client that goes away leaves nothing behind") {
  ApiWorld w;
  std::weak_ptr<FakeExchange> weak;
  {
    const auto stream = w.call("GET", std::string(kMaps) + "?watch=1");
    weak = stream;
    stream->leave();
  }
  w.settle();
  CHECK(weak.expired());
}

TEST_CASE("tables carry their columns once; metadata-only watches have no spec") {
  ApiWorld w;
  const auto table = w.begin(
      w.request("GET", std::string(kMaps) + "?watch=1", "",
                {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}}));
  const auto partial = w.begin(
      w.request("GET", std::string(kMaps) + "?watch=1", "",
                {{"Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}}));
  w.settle();
  w.call("POST", kMaps, a_config_map("m1", R"({"k":"v"})"));
  w.call("POST", kMaps, a_config_map("m2"));
  w.settle();
  const auto rows = table->events();
  REQUIRE(rows.size() == 2);
  CHECK(get_string(rows[0], "object.kind") == "Table");
  CHECK(get_array(rows[0], "object.columnDefinitions").size() == 3);
  CHECK(find(rows[1], "object.columnDefinitions")->is_null());
  const auto metas = partial->events();
  REQUIRE(metas.size() == 2);
  CHECK(get_string(metas[0], "object.kind") == "PartialObjectMetadata");
  CHECK(find(metas[0], "object.data") == nullptr);
}

TEST_CASE("a lost store watch loses no event") {
  ApiWorld w;
  const auto stream = w.call("GET", std::string(kMaps) + "?watch=1");
  w.store.end_watches(unavailable("stream lost"));
  w.call("POST", kMaps, a_config_map("m1"));
  w.executor.advance(seconds(3));
  CHECK(lines(*stream) == Lines{"ADDED m1"});
}

}  // namespace
}  // namespace coracle::apiserver
