#include "base/regex.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace coracle;

TEST_CASE("regex: searches, and refuses what is no pattern") {
  const auto word = Regex::compile("^[a-z]+(-[a-z]+)*$");
  REQUIRE(word.ok());
  CHECK(word->search("blue-green"));
  CHECK_FALSE(word->search("blue_green"));
  CHECK(Regex::compile("b")->search("abc"));
  CHECK(Regex::compile("(").status().code() == Code::kInvalidArgument);
  // A long text neither overflows the stack nor takes for ever.
  const std::string many(1 << 20, 'a');
  CHECK_FALSE(Regex::compile("^(a|aa)+$")->search(many + "b"));
}
