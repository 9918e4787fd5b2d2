#include "cluster_sim/shared_lines.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::cluster_sim;

TEST_CASE("a line is parsed once, and all are given one tree") {
  SharedLines lines;
  const std::string line =
      R"({"type":"ADDED","object":{"metadata":{"name":"p","managedFields":[{"manager":"m"}]},"n":1}})";
  const auto tree = lines.event(line);
  REQUIRE(tree != nullptr);
  CHECK(to_json(*tree) == R"({"type":"ADDED","object":{"metadata":{"name":"p"},"n":1}})");
  CHECK(lines.event(std::string(line)) == tree);
  CHECK(lines.parsed() == 1);
  // Another text is another tree, however little it differs.
  CHECK(lines.event(R"({"type":"ADDED","object":{"metadata":{"name":"p"},"n":2}})") != tree);
  CHECK(lines.parsed() == 2);
}

TEST_CASE("what is no JSON has no tree, and what is no object stays as it is") {
  SharedLines lines;
  CHECK(lines.event(R"({"type":)") == nullptr);
  CHECK(to_json(*lines.event(R"({"object":"text"})")) == R"({"object":"text"})");
  CHECK(to_json(*lines.event("[1]")) == "[1]");
}

TEST_CASE("old lines are forgotten, their trees stay with those who hold them") {
  SharedLines lines;
  const auto numbered = [](int i) {
    return "{\"object\":{\"n\":" + std::to_string(i) + ",\"pad\":\"" + std::string(4096, 'x') +
           "\"}}";
  };
  const auto first = lines.event(numbered(0));
  const int many = static_cast<int>(SharedLines::kBytesMax / 4096) + 10;
  for (int i = 1; i < many; ++i) (void)lines.event(numbered(i));
  const auto parsed = lines.parsed();
  (void)lines.event(numbered(many - 1));
  CHECK(lines.parsed() == parsed);
  CHECK(lines.event(numbered(0)) != first);
  CHECK(lines.parsed() == parsed + 1);
  CHECK(get_int(*first, "object.n") == 0);
  // Longer than all that may stay: given, not kept.
  const std::string huge = "{\"pad\":\"" + std::string(SharedLines::kBytesMax, 'x') + "\"}";
  CHECK(lines.event(huge) != nullptr);
  CHECK(lines.event(huge) != nullptr);
  CHECK(lines.parsed() == parsed + 3);
}
