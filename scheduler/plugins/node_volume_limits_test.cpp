#include "plugins/node_volume_limits.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;

a_pod with_disks(const char* name, int first, int count) {
  json::array volumes;
  for (int i = first; i < first + count; ++i) {
    const std::string id = "d" + std::to_string(i);
    volumes.push_back(
        json::object{{"name", id}, {"gcePersistentDisk", json::object{{"pdName", id}}}});
  }
  return a_pod(name).set("spec.volumes", json::value(volumes));
}

TEST_CASE("NodeVolumeLimits filters") {
  const Verdict no = Verdict::not_now("node(s) exceed max volume count"), yes = Verdict::yes();
  const std::vector<a_node> plain{a_node("n")};
  const std::vector<a_node> two{a_node("n").has("attachable-volumes-gce-pd", "2")};
  check_all(NodeVolumeLimits(),
            std::vector<FilterCase>{
                {"no disks: skipped", two, {}, a_pod("p"), {Verdict::skip()}},
                {"16 by default", plain, {}, with_disks("p", 0, 16), {yes}},
                {"one over the default", plain, {}, with_disks("p", 0, 17), {no}},
                {"what the node says", two, {}, with_disks("p", 0, 3), {no}},
                {"with those of others",
                 two,
                 {with_disks("a", 0, 1).on("n")},
                 with_disks("p", 1, 2),
                 {no}},
                {"the same disk counts once",
                 two,
                 {with_disks("a", 0, 1).on("n")},
                 with_disks("p", 0, 2),
                 {yes}},
                {"nothing new on a node that is over",
                 two,
                 {with_disks("a", 0, 3).on("n")},
                 with_disks("p", 0, 1),
                 {yes}},
                {"each kind by itself",
                 two,
                 {with_disks("a", 0, 2).on("n")},
                 a_pod("p").set("spec.volumes",
                                R"([{"name":"v","awsElasticBlockStore":{"volumeID":"d9"}}])"),
                 {yes}},
            });
}

TEST_CASE("NodeVolumeLimits: a bound claim counts as the disk behind it") {
  const std::vector<a_node> two{a_node("n").has("attachable-volumes-gce-pd", "2")};
  auto world =
      testing::a_world(two, {with_disks("a", 0, 1).on("n"), a_pod("b").claim("one").on("n")});
  const auto volume = [](const char* disk) {
    return *parse_volume(testing::parsed(
        std::string(R"({"spec":{"gcePersistentDisk":{"pdName":")") + disk + "\"}}}"));
  };
  world.volumes = {{"pv-1", volume("d1")}, {"pv-2", volume("d2")}};
  world.claims["default/one"].volume = "pv-1";
  world.claims["default/two"].volume = "pv-2";
  world.claims["default/unbound"] = {};
  struct Case {
    const char* name;
    a_pod pod;
    Verdict expected;
  };
  const Verdict no = Verdict::not_now("node(s) exceed max volume count");
  const std::vector<Case> cases{
      {"a disk that is there, by another name", with_disks("p", 1, 1), Verdict::yes()},
      {"a claim whose disk is there", a_pod("p").claim("one"), Verdict::yes()},
      {"a disk more", with_disks("p", 2, 1), no},
      {"a claim more", a_pod("p").claim("two"), no},
      {"not bound yet", a_pod("p").claim("unbound"), Verdict::skip()},
      {"not there", a_pod("p").claim("lost"), Verdict::skip()},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(testing::filtered(NodeVolumeLimits(), *c.pod.info(), world) ==
          testing::Verdicts{c.expected});
  }
}

TEST_CASE("NodeVolumeLimits: a CSINode says how many volumes of its driver the node takes") {
  const auto shared = [](const std::string& text) {
    return std::make_shared<json::value>(testing::parsed(text));
  };
  auto world = testing::a_world({a_node("n")}, {a_pod("a").claim("one").on("n")});
  Storage& storage = world.storage;
  for (const char* name : {"one", "two", "three"}) {
    storage.claims[std::string("default/") + name] = shared(
        std::string(R"({"spec":{"storageClassName":"fast","volumeName":"pv-)") + name + "\"}}");
    storage.volumes[std::string("pv-") + name] =
        shared(std::string(R"({"spec":{"csi":{"driver":"d","volumeHandle":")") + name + "\"}}}");
  }
  storage.claims["default/new"] = shared(R"({"spec":{"storageClassName":"fast"}})");
  storage.classes["fast"] = shared(R"({"provisioner":"d"})");
  const auto says = [&](const a_pod& pod) {
    return testing::filtered(NodeVolumeLimits(), *pod.info(), world).front();
  };
  const Verdict no = Verdict::not_now("node(s) exceed max volume count"), yes = Verdict::yes();
  CHECK(says(a_pod("p").claim("two").claim("three")) == yes);  // nobody says
  const auto limit = [&](const std::string& drivers) {
    storage.csi_nodes["n"] = shared(R"({"spec":{"drivers":[)" + drivers + "]}}");
  };
  limit(R"({"name":"other","allocatable":{"count":0}},{"name":"d"})");
  CHECK(says(a_pod("p").claim("two").claim("three")) == yes);
  limit(R"({"name":"d","allocatable":{"count":2}})");
  CHECK(says(a_pod("p").claim("two")) == yes);
  CHECK(says(a_pod("p").claim("two").claim("three")) == no);
  CHECK(says(a_pod("p").claim("one").claim("two")) == yes);  // one is there already
  CHECK(says(a_pod("p").claim("two").claim("new")) == no);   // is made by the driver
  limit(R"({"name":"d","allocatable":{"count":0}})");
  CHECK(says(a_pod("p").claim("one")) == yes);  // takes no place
  CHECK(says(a_pod("p").claim("new")) == no);
  // Of a volume that is not there, the class says whose it is.
  storage.claims["default/early"] =
      shared(R"({"spec":{"storageClassName":"fast","volumeName":"nowhere"}})");
  CHECK(says(a_pod("p").claim("early")) == no);
}

}  // namespace
}  // namespace coracle::scheduler
