#include "plugin_abi/shared_object.hpp"

#include <catch2/catch.hpp>

#include "config/config.hpp"
#include "cycle/cycle.hpp"
#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::parsed;

Result<LoadedPlugin> load(const std::string& path, json::value args = nullptr) {
  return load_shared_object({"Mine", path, std::move(args)}, PLUGIN_FOLDER);
}

// The default profile and the plugin, with a weight above all others together.
Result<Profile> profile_of(const std::string& path, const std::string& args) {
  Config config;
  const Status read = parse_config(
      "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
      "profiles:\n- plugins: {multiPoint: {enabled: [{name: Mine, weight: 1000}]}}\n"
      "  pluginConfig:\n  - name: Mine\n    args: {apiVersion: lab.coracle.dev/v1alpha1, kind: "
      "SharedObjectArgs, path: " +
          path + args + "}\n",
      &config,
      [](const SharedObjectSpec& spec) { return load_shared_object(spec, PLUGIN_FOLDER); });
  if (!read.ok()) return read;
  return config.profiles[0];
}

Decision decided(const Profile& profile, const a_pod& pod, const Snapshot& world) {
  Rotation rotation;
  return decide(profile, pod.info(), world, rotation);
}

const Snapshot kWorld = a_world({a_node("empty"), a_node("half"), a_node("full")},
                                {a_pod("x").cpu("2").on("half"), a_pod("y").cpu("3").on("full")});

TEST_CASE("the sample packs where the defaults spread, and keeps its reserve") {
  const auto packs = profile_of("best_fit.so", "");
  REQUIRE(packs.ok());
  const a_pod pod = a_pod("p").cpu("500m");
  CHECK(decided(default_profile(), pod, kWorld).node == "empty");
  const Decision d = decided(*packs, pod, kWorld);
  CHECK(d.node == "full");
  CHECK(d.why.scorers.back().name == "Mine");
  const auto reserves = profile_of("best_fit.so", ", args: {reserve: 1000}");
  REQUIRE(reserves.ok());
  CHECK(decided(*reserves, pod, kWorld).node == "half");
  CHECK(decided(*reserves, a_pod("p").cpu("3500m"), kWorld)
            .message.starts_with(
                "0/3 nodes are available: 1 would keep less than 1000m cpu, 2 Insufficient cpu."));
}

TEST_CASE("a plugin that counts before it filters and scores") {
  const auto profile = profile_of("counting_plugin.so", "");
  REQUIRE(profile.ok());
  const Snapshot world =
      a_world({a_node("a"), a_node("b"), a_node("c").label("always", "yes")},
              {a_pod("1").on("a"), a_pod("2").on("a"), a_pod("3").on("a"), a_pod("4").on("b"),
               a_pod("5").on("c"), a_pod("6").on("c"), a_pod("7").on("c")});  // two a node
  Decision d = decided(*profile, a_pod("p"), world);
  CHECK(d.node == "b");
  const Snapshot uneven = a_world({a_node("a"), a_node("b"), a_node("c").label("always", "yes")},
                                  {a_pod("1").on("a"), a_pod("2").on("a"), a_pod("3").on("a"),
                                   a_pod("4").on("c"), a_pod("5").on("c")});
  d = decided(*profile, a_pod("p"), uneven);
  CHECK(d.node == "b");
  REQUIRE(d.why.scored() == 2);
  CHECK(d.why.raw[d.why.raw.size() - 1] == 2);         // of c
  CHECK(d.why.normalized[d.why.raw.size() - 1] == 0);  // 100 - 50 x 2
  CHECK(d.why.text(d.why.at(0, d.why.filters.size() - 1)) == Verdict::not_now("too many pods"));
  CHECK(decided(*profile, a_pod("never"), uneven)
            .message.starts_with("0/3 nodes are available: not this pod."));
  CHECK(decided(*profile, a_pod("broken"), uneven).message ==
        "running PreFilter plugin \"Mine\": Internal: no data");
  d = decided(*profile, a_pod("skip"), uneven);
  CHECK(d.kind == Decision::Kind::kPlaced);
  CHECK(d.why.skipped.back()->name() == "Mine");
}

TEST_CASE("what is wrong with a shared object is said") {
  CHECK(load("future_plugin.so").status().message() ==
        "it is built for version 99 of coracle_plugin.h, this scheduler has 1");
  CHECK(load("none.so").status().message().find("No such file") != std::string::npos);
  CHECK(load("../CMakeCache.txt").status().message().find("invalid ELF header") !=
        std::string::npos);
  CHECK(load("counting_plugin.so", parsed("{}")).status().message() ==
        "it refuses its args: it takes none");
  CHECK(load("best_fit.so", parsed(R"({"keep":1})")).status().message() ==
        R"(it refuses its args: want {"reserve": THOUSANDTHS}, got {"keep":1})");
  CHECK(profile_of("future_plugin.so", "").status().message() ==
        "profiles[0].pluginConfig[0].args.path: Invalid value: \"future_plugin.so\": it is built "
        "for version 99 of coracle_plugin.h, this scheduler has 1");
}

}  // namespace
}  // namespace coracle::scheduler
