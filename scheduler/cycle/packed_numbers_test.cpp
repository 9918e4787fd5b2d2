#include "cycle/packed_numbers.hpp"

#include <catch2/catch.hpp>

#include "base/rng.hpp"

namespace coracle::scheduler {
namespace {

TEST_CASE("packed numbers are the numbers") {
  using Column = std::vector<std::int64_t>;
  const auto columns = GENERATE(values<std::vector<Column>>({
      {{}, {}},
      {{0}, {-1}, {1 << 20}},
      {{100, 100, 100}, {0, 0, 0}, {-7, -7, -7}},
      {{0, 255}, {0, 256}, {-1, 5}, {1, 1}, {INT64_MIN, INT64_MAX}},
  }));
  PackedNumbers packed;
  Column all;
  for (const Column& column : columns) {
    packed.add(column);
    all.insert(all.end(), column.begin(), column.end());
  }
  REQUIRE(packed.size() == all.size());
  for (size_t i = 0; i < all.size(); ++i) CHECK(packed[i] == all[i]);
  if (!all.empty()) CHECK(packed.back() == all.back());
}

TEST_CASE("packed numbers take the room they need") {
  const auto bytes = [](std::int64_t a, std::int64_t b) {
    std::vector<std::int64_t> column(1000, a);
    column[500] = b;
    PackedNumbers packed;
    packed.add(column);
    return packed.bytes();
  };
  CHECK(bytes(100, 100) < 100);
  CHECK(bytes(100, 99) < 1100);
  CHECK(bytes(100, -1) >= 8000);
}

TEST_CASE("random packed numbers") {
  Rng rng(11);
  for (int round = 0; round < 200; ++round) {
    PackedNumbers packed;
    std::vector<std::int64_t> all;
    const auto rows = 1 + rng.below(20);
    for (auto columns = rng.below(6); columns > 0; --columns) {
      const auto top = static_cast<std::int64_t>(std::uint64_t{1} << rng.below(20)) - 1;
      std::vector<std::int64_t> column(rows);
      for (auto& number : column) number = rng.between(rng.below(4) == 0 ? -top : 0, top);
      packed.add(column);
      all.insert(all.end(), column.begin(), column.end());
    }
    CAPTURE(round);
    REQUIRE(packed.size() == all.size());
    for (size_t i = 0; i < all.size(); ++i) REQUIRE(packed[i] == all[i]);
  }
}

}  // namespace
}  // namespace coracle::scheduler
