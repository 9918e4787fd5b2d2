#include "bench_api/text.hpp"

#include <catch2/catch.hpp>

namespace coracle::bench {
namespace {

TEST_CASE("numbers come into names") {
  CHECK(filled("/nodes/{n}/pods/p-{i}-{i}", 7, 3) == "/nodes/3/pods/p-7-7");
  CHECK(filled("plain", 1, 2) == "plain");
}

TEST_CASE("events are found however the bytes are cut") {
  const std::string stream =
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"w-12\"}}}\n"
      "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"w-13\"}}}\n"
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"other\"}}}\n"
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"w-14\"}}}\n"
      "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"w-15\"}}}";  // has not ended
  const std::size_t slice = GENERATE(1u, 2u, 7u, 64u, 1000u);
  CAPTURE(slice);
  EventScanner scanner("\"name\":\"w-");
  std::vector<std::uint64_t> found;
  for (std::size_t at = 0; at < stream.size(); at += slice) {
    scanner.feed(std::string_view(stream).substr(at, slice),
                 [&](std::uint64_t number) { found.push_back(number); });
  }
  CHECK(found == std::vector<std::uint64_t>{12, 14});
}

TEST_CASE("percentiles") {
  std::vector<double> none, some = {5, 1, 4, 2, 3};
  CHECK(percentile(none, 0.5) == 0);
  CHECK(percentile(some, 0.5) == 3);
  CHECK(percentile(some, 1.0) == 5);
}

}  // namespace
}  // namespace coracle::bench
