#include "config/config.hpp"

#include <catch2/catch.hpp>

namespace coracle::scheduler {
namespace {

const std::string kHead =
    "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

TEST_CASE("profiles choose plugins and weights") {
  Config config;
  REQUIRE(parse_config(kHead + "leaderElection: {leaderElect: false}\nprofiles:\n"
                               "- schedulerName: packer\n  plugins:\n    score:\n"
                               "      disabled: [{name: '*'}]\n"
                               "      enabled: [{name: NodeResourcesFit, weight: 7}]\n",
                       &config)
              .ok());
  CHECK(!config.leader_elect);
  REQUIRE(config.profiles.size() == 1);
  CHECK(config.profiles[0].name == "packer");
  REQUIRE(config.profiles[0].scorers.size() == 1);
  CHECK(config.profiles[0].scorers[0].plugin->name() == "NodeResourcesFit");
  CHECK(config.profiles[0].scorers[0].weight == 7);
}

TEST_CASE("what is wrong is named") {
  struct Case {
    const char* name;
    std::string text, message;
  };
  const std::vector<Case> cases{
      {"unknown field", kHead + "profile: []\n", "unknown field \"profile\""},
      {"unknown plugin", kHead + "profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]\n",
       "profiles[0].plugins.filter.enabled[0].name: unknown plugin \"Nope\""},
      {"a filter is no score",
       kHead + "profiles: [{plugins: {score: {enabled: [{name: NodePorts}]}}}]\n",
       "profiles[0].plugins.score.enabled[0].name: plugin \"NodePorts\" has no such part"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Config config;
    CHECK(parse_config(c.text, &config).message() == c.message);
  }
}

}  // namespace
}  // namespace coracle::scheduler
