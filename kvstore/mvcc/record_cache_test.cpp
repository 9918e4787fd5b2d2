#include "mvcc/record_cache.hpp"

#include <catch2/catch.hpp>

using namespace coracle::mvcc;

namespace {

constexpr std::size_t kBytes = 100;  // of one record here
constexpr std::size_t kCost = kBytes + RecordCache::kOverheadBytes;

VersionRef at(std::int64_t main, std::uint32_t sub = 0) {
  VersionRef ref;
  ref.main = main;
  ref.sub = sub;
  return ref;
}
Record record(char c) { return std::make_shared<const std::string>(kBytes, c); }

}  // namespace

TEST_CASE("a record is found under its revision and sub-revision only") {
  RecordCache cache(100 * kCost);
  cache.put(at(7, 1), record('a'));
  REQUIRE(cache.find(at(7, 1)) != nullptr);
  CHECK(*cache.find(at(7, 1)) == std::string(kBytes, 'a'));
  CHECK(cache.find(at(7)) == nullptr);
  CHECK(cache.find(at(8, 1)) == nullptr);
  CHECK(cache.bytes() == kCost);
}

TEST_CASE("the bound holds: what was not used goes first, what was used gets another round") {
  RecordCache cache(10 * kCost);
  for (std::int64_t main = 1; main <= 10; ++main) cache.put(at(main), record('a'));
  const Record held = cache.find(at(1));
  for (std::int64_t main = 11; main <= 15; ++main) cache.put(at(main), record('b'));
  CHECK(cache.bytes() == 10 * kCost);
  CHECK(cache.find(at(1)) == held);
  for (std::int64_t main = 2; main <= 6; ++main) CHECK(cache.find(at(main)) == nullptr);
  for (std::int64_t main = 7; main <= 15; ++main) CHECK(cache.find(at(main)) != nullptr);
}

TEST_CASE("a record that would push out many others is not kept") {
  RecordCache cache(10 * kCost);
  cache.put(at(1), record('a'));
  cache.put(at(2), std::make_shared<const std::string>(2 * kCost, 'x'));
  CHECK(cache.find(at(1)) != nullptr);
  CHECK(cache.find(at(2)) == nullptr);
}
