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

TEST_CASE("regex: what groups matched") {
  const auto path = Regex::compile("^/api(/|$)(.*)");
  std::vector<std::string> groups;
  REQUIRE(path->search("/api/users", &groups));
  CHECK(groups == std::vector<std::string>{"/api/users", "/", "users"});
  CHECK_FALSE(path->search("/apis", &groups));
  CHECK(Regex::compile("a|(b)")->search("a", &groups));
  CHECK(groups == std::vector<std::string>{"a", ""});
}
