#include "plugins/selector_cache.hpp"

#include <catch2/catch.hpp>

namespace coracle::scheduler {
namespace {

std::string numbered(std::size_t i) { return "device.driver == 'd" + std::to_string(i) + "'"; }

TEST_CASE("an expression is compiled once, and kept while it is used") {
  SelectorCache cache;
  const SelectorPtr first = *cache.get(numbered(0));
  CHECK(*cache.get(numbered(0)) == first);
  const SelectorPtr second = *cache.get(numbered(1));
  CHECK(second != first);
  for (std::size_t i = 2; i < SelectorCache::kMax; ++i) REQUIRE(cache.get(numbered(i)).ok());
  CHECK(cache.size() == SelectorCache::kMax);
  CHECK(*cache.get(numbered(0)) == first);  // so that the second is the longest unused
  REQUIRE(cache.get("true").ok());
  CHECK(cache.size() == SelectorCache::kMax);
  CHECK(*cache.get(numbered(0)) == first);
  CHECK(*cache.get(numbered(1)) != second);
}

TEST_CASE("of an expression that does not compile nothing is kept") {
  SelectorCache cache;
  const auto failed = cache.get("device.nope");
  CHECK(failed.status().code() == Code::kInvalidArgument);
  CHECK(cache.size() == 0);
}

}  // namespace
}  // namespace coracle::scheduler
