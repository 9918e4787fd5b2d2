#include "text/flags.hpp"

#include <catch2/catch.hpp>

namespace coracle::text {
namespace {

const std::vector<FlagSpec> kSpecs = {
    {"namespace", 'n', FlagType::kString, ""},
    {"all", 'A', FlagType::kBool, "false"},
    {"watch", 'w', FlagType::kBool, "false"},
    {"replicas", 0, FlagType::kInt, "1"},
    {"timeout", 0, FlagType::kDuration, "30s"},
    {"filename", 'f', FlagType::kList, ""},
    {"env", 0, FlagType::kArray, ""},
    {"dry-run", 0, FlagType::kString, "none", "", "unchanged"},
};

struct Good {
  const char* name;
  std::vector<std::string> words;
  const char* flag;
  std::string value;
  std::vector<std::string> args;
};

TEST_CASE("flags are read as kubectl reads them") {
  const auto c = GENERATE(values<Good>({
      {"equals", {"--namespace=a", "x"}, "namespace", "a", {"x"}},
      {"next word", {"--namespace", "a", "x"}, "namespace", "a", {"x"}},
      {"shorthand", {"-n", "a", "x"}, "namespace", "a", {"x"}},
      {"shorthand joined", {"-na"}, "namespace", "a", {}},
      {"shorthand equals", {"-n=a"}, "namespace", "a", {}},
      {"combined", {"-Awn", "a"}, "namespace", "a", {}},
      {"combined sets the first", {"-Aw"}, "all", "true", {}},
      {"after the arguments", {"pods", "x", "--namespace=a"}, "namespace", "a", {"pods", "x"}},
      {"a default", {"x"}, "replicas", "1", {"x"}},
      {"the last wins", {"--replicas=2", "--replicas=3"}, "replicas", "3", {}},
      {"a bool takes no word", {"--all", "false"}, "all", "true", {"false"}},
      {"a bool with a value", {"--all=0"}, "all", "false", {}},
      {"bare", {"--dry-run", "x"}, "dry-run", "unchanged", {"x"}},
      {"a dash is an argument", {"-f", "-", "-"}, "filename", "-", {"-"}},
      {"two dashes end the flags",
       {"a", "--", "--all", "-n"},
       "all",
       "false",
       {"a", "--all", "-n"}},
  }));
  CAPTURE(c.name);
  const auto flags = parse_flags(kSpecs, c.words);
  REQUIRE(flags.ok());
  CHECK(flags->get(c.flag) == c.value);
  CHECK(flags->args == c.args);
}

TEST_CASE("bad flags are named with pflag's texts") {
  struct Bad {
    std::vector<std::string> words;
    std::string error;
  };
  const auto c = GENERATE(values<Bad>({
      {{"--foo"}, "unknown flag: --foo"},
      {{"-z"}, "unknown shorthand flag: 'z' in -z"},
      {{"--namespace"}, "flag needs an argument: --namespace"},
      {{"-n"}, "flag needs an argument: 'n' in -n"},
      {{"--replicas=x"},
       "invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid "
       "syntax"},
      {{"---x"}, "bad flag syntax: ---x"},
  }));
  CAPTURE(c.error);
  const auto flags = parse_flags(kSpecs, c.words);
  REQUIRE_FALSE(flags.ok());
  CHECK(flags.status() == invalid_argument(c.error));
}

TEST_CASE("lists split at commas, arrays do not") {
  const auto flags =
      parse_flags(kSpecs, {"-f", "a,b", "--filename=c", "--env", "x=1,2", "--env=y=3"});
  REQUIRE(flags.ok());
  CHECK(flags->list("filename") == std::vector<std::string>{"a", "b", "c"});
  CHECK(flags->list("env") == std::vector<std::string>{"x=1,2", "y=3"});
  CHECK(flags->list("namespace").empty());
}

TEST_CASE("the words after two dashes are counted") {
  const auto flags = parse_flags(kSpecs, {"once", "--", "echo", "hi"});
  REQUIRE(flags.ok());
  CHECK(flags->dash_args == std::optional<size_t>(1));
}

}  // namespace
}  // namespace coracle::text
