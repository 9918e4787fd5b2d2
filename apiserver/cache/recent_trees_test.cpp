#include "apiserver/cache/recent_trees.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using apiserver::RecentTrees;

namespace {

json::value pod(int n) {
  return json::object{{"kind", "Pod"},
                      {"metadata", json::object{{"name", "p"}, {"resourceVersion", "7"}}},
                      {"spec", json::object{{"n", n}}}};
}

std::string text(int n) {
  return R"({"kind":"Pod","metadata":{"name":"p"},"spec":{"n":)" + std::to_string(n) + "}}";
}

}  // namespace

TEST_CASE("a tree is seen by its bytes and taken by its revision") {
  RecentTrees trees;
  trees.keep("/registry/pods/a/p", text(1), pod(1), false);
  CHECK_FALSE(trees.take("/registry/pods/a/p", 0));  // not seen yet
  CHECK(trees.seen("/registry/pods/a/q", text(1), 5) == nullptr);
  const json::value* seen = trees.seen("/registry/pods/a/p", text(1), 5);
  REQUIRE(seen != nullptr);
  CHECK(*seen == *parse_json(text(1)));  // without what is not stored
  CHECK_FALSE(trees.take("/registry/pods/a/p", 4));
  const auto taken = trees.take("/registry/pods/a/p", 5);
  REQUIRE(taken);
  CHECK(*taken == *parse_json(text(1)));
  CHECK_FALSE(trees.take("/registry/pods/a/p", 5));
  CHECK(trees.bytes() == 0);
}

TEST_CASE("somebody else's write makes a tree useless") {
  RecentTrees trees;
  trees.keep("k", text(1), pod(1), false);
  REQUIRE(trees.seen("k", text(1), 5) != nullptr);
  CHECK(trees.seen("k", text(2), 6) == nullptr);
  CHECK_FALSE(trees.take("k", 6));
  // A write under way: what was there before is seen first.
  trees.keep("k", text(3), pod(3), false);
  CHECK(trees.seen("k", text(2), 6) == nullptr);
  REQUIRE(trees.seen("k", text(3), 7) != nullptr);
  CHECK(trees.take("k", 7));
}

TEST_CASE("what nobody will change goes when it was seen") {
  RecentTrees trees;
  trees.keep("k", text(1), pod(1), true);
  const json::value* seen = trees.seen("k", text(1), 5);
  REQUIRE(seen != nullptr);
  CHECK(*seen == *parse_json(text(1)));
  CHECK(trees.bytes() == 0);
  CHECK_FALSE(trees.take("k", 5));
}

TEST_CASE("the oldest trees go first, and none that is too large comes in") {
  RecentTrees trees;
  const std::string filler(RecentTrees::kBytesMax / 4, 'x');
  for (int i = 0; i < 6; ++i) {
    const std::string key = "k" + std::to_string(i);
    trees.keep(key, filler, pod(i), false);
    CHECK(trees.bytes() <= RecentTrees::kBytesMax);
  }
  CHECK(trees.seen("k1", filler, 9) == nullptr);
  CHECK(trees.seen("k2", filler, 9) != nullptr);
  trees.keep("large", std::string(RecentTrees::kBytesMax + 1, 'x'), pod(1), false);
  CHECK(trees.seen("k5", filler, 9) != nullptr);
}

TEST_CASE("the same key again replaces its tree") {
  RecentTrees trees;
  for (int i = 0; i < 1000; ++i) trees.keep("k", text(1), pod(1), false);
  CHECK(trees.bytes() == text(1).size());
}
