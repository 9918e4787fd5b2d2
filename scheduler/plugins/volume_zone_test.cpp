#include "plugins/volume_zone.hpp"

#include <tuple>

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace testing;

TEST_CASE("VolumeZone: a labelled volume is reached from its zones, and from nodes of none") {
  struct Case {
    const char* name;
    const char* zone;
    std::vector<bool> fits;  // a node in a, in b, without labels
  };
  const std::vector<Case> cases = {{"one zone", "a", {true, false, true}},
                                   {"two zones", "b__c", {false, true, true}},
                                   {"a longer name is another", "ab", {false, false, true}}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Snapshot world = a_world({a_node("n1").zone("a"), a_node("n2").zone("b"), a_node("n3")});
    world.storage.claims["default/c"] = std::make_shared<json::value>(
        parsed(R"({"metadata":{"name":"c","namespace":"default"},"spec":{"volumeName":"v"}})"));
    json::value volume = parsed(R"({"metadata":{"name":"v","labels":{}}})");
    make_object(volume, "metadata.labels")["topology.kubernetes.io/zone"] = c.zone;
    world.storage.volumes["v"] = std::make_shared<json::value>(volume);
    Verdicts expected;
    for (const bool fits : c.fits) {
      expected.push_back(fits ? Verdict::yes()
                              : Verdict::never("node(s) had no available volume zone"));
    }
    CHECK(filtered(VolumeZone(), *a_pod("p").claim("c").info(), world) == expected);
  }
}

Snapshot with_volume(const std::vector<a_node>& nodes, const json::value& volume) {
  Snapshot world = a_world(nodes);
  world.storage.claims["default/c"] = std::make_shared<json::value>(
      parsed(R"({"metadata":{"name":"c","namespace":"default"},"spec":{"volumeName":"v"}})"));
  if (!volume.is_null()) world.storage.volumes["v"] = std::make_shared<json::value>(volume);
  return world;
}

TEST_CASE("VolumeZone: a volume's old label is met by a node's new one, not the other way round") {
  const Verdict no = Verdict::never("node(s) had no available volume zone");
  const std::string old_zone = "failure-domain.beta.kubernetes.io/zone";
  const std::string old_region = "failure-domain.beta.kubernetes.io/region";
  const std::string zone = "topology.kubernetes.io/zone", region = "topology.kubernetes.io/region";
  const std::vector<std::tuple<std::string, std::string, Verdict>> cases = {
      {old_zone, zone, Verdict::yes()},
      {old_region, region, Verdict::yes()},
      {old_zone, old_zone, Verdict::yes()},
      {zone, old_zone, no},
      {old_zone, region, no}};
  for (const auto& [of_volume, of_node, expected] : cases) {
    CAPTURE(of_volume, of_node);
    json::value volume = parsed(R"({"metadata":{"name":"v","labels":{}}})");
    make_object(volume, "metadata.labels")[of_volume] = "a";
    const Snapshot world = with_volume({a_node("n").label(of_node, "a")}, volume);
    CHECK(filtered(VolumeZone(), *a_pod("p").claim("c").info(), world) == Verdicts{expected});
  }
}

TEST_CASE("VolumeZone: a volume that is not there is named") {
  const Snapshot world = with_volume({a_node("n")}, nullptr);
  CHECK(filtered(VolumeZone(), *a_pod("p").claim("c").info(), world) ==
        Verdicts{Verdict::never("persistentvolume \"v\" not found")});
}

TEST_CASE("VolumeZone: a pod without zoned volumes is none of its business") {
  StatePtr state;
  const Snapshot world = a_world({a_node("n1")});
  CHECK(VolumeZone().pre_filter(*a_pod("p").claim("c").info(), world, &state).is_skip());
}

}  // namespace
}  // namespace coracle::scheduler
