#include "mvcc/key_index.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "base/rng.hpp"

using namespace coracle;
using namespace coracle::mvcc;

namespace {

VersionRef version(std::int64_t main, bool tombstone = false) {
  VersionRef ref;
  ref.main = main;
  ref.tombstone = tombstone ? 1 : 0;
  return ref;
}

std::size_t naive_count(const std::map<std::string, bool>& keys, const KeyRange& range) {
  std::size_t count = 0;
  for (const auto& [key, live] : keys) count += live && range.contains(key) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("the version of a key at a revision") {
  KeyIndex index;
  KeyIndex::Entry& entry = index.find_or_insert("k");
  index.push_live(entry, version(3), 3, 1, 0);
  index.push_live(entry, version(7), 3, 2, 0);
  index.push_tombstone(entry, version(9, true));
  REQUIRE(entry.at(2) == nullptr);
  REQUIRE(entry.at(3)->main == 3);
  REQUIRE(entry.at(6)->main == 3);
  REQUIRE(entry.at(8)->main == 7);
  REQUIRE(entry.at(100)->tombstone == 1);
  REQUIRE(!entry.live());
}

TEST_CASE("the index agrees with a map, whatever happens") {
  const auto seed = GENERATE(range(1u, 9u));
  CAPTURE(seed);
  Rng rng(seed);
  KeyIndex index;
  std::map<std::string, bool> naive;
  const auto any_key = [&] { return "k" + std::to_string(rng.below(400)); };
  for (int i = 1; i < 4000; ++i) {
    const std::string key = any_key();
    const auto what = rng.below(10);
    if (what < 5) {
      index.push_live(index.find_or_insert(key), version(i), i, 1, 0);
      naive[key] = true;
    } else if (what < 8) {
      index.push_tombstone(index.find_or_insert(key), version(i, true));
      naive[key] = false;
    } else {
      index.erase(key);
      naive.erase(key);
    }
    const KeyRange range = rng.chance(0.2)   ? KeyRange::of(any_key(), std::string(1, '\0'))
                           : rng.chance(0.2) ? KeyRange::of(any_key(), "")
                                             : KeyRange::of(any_key(), any_key());
    REQUIRE(index.count_live(range) == naive_count(naive, range));
    REQUIRE(index.size() == naive.size());
  }
  auto expected = naive.begin();
  for (const auto* entry = index.seek(""); entry != nullptr; entry = index.next(*entry)) {
    REQUIRE(entry->key == expected->first);
    REQUIRE(entry->live() == expected->second);
    ++expected;
  }
  REQUIRE(expected == naive.end());
  REQUIRE(index.live_size() == naive_count(naive, KeyRange::of("", std::string(1, '\0'))));
}

TEST_CASE("ranges name what etcd's do") {
  const std::string zero(1, '\0');
  REQUIRE(KeyRange::of("a", "").contains("a"));
  REQUIRE(!KeyRange::of("a", "").contains(std::string("a\0", 2)));
  REQUIRE(KeyRange::of("a", zero).contains("\xff\xff"));
  REQUIRE(!KeyRange::of("b", zero).contains("a"));
  REQUIRE(KeyRange::of(zero, zero).contains(zero));
  REQUIRE(KeyRange::of("b", "a").empty());
  REQUIRE(KeyRange::of("a", "a").empty());
  REQUIRE(prefix_end("abc") == "abd");
  REQUIRE(prefix_end("ab\xff\xff") == "ac");
  REQUIRE(prefix_end("\xff") == zero);
  REQUIRE(prefix_end("") == zero);
}
