#include "plugins/volume_restrictions.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::check_all;
using testing::FilterCase;

a_pod with_volume(const char* name, const std::string& source) {
  return a_pod(name).set("spec.volumes", R"([{"name":"v",)" + source + "}]");
}

const Verdict kNo = Verdict::not_now("node(s) had no available disk");
const Verdict kYes = Verdict::yes();

TEST_CASE("VolumeRestrictions: which disks two pods of a node may share") {
  struct Case {
    const char* name;
    std::string taken, wanted;
    Verdict expected;
  };
  const std::string rbd = R"("rbd":{"pool":"p","image":"i","monitors":["m1","m2"]})";
  const std::vector<Case> cases{
      {"gce, both write", R"("gcePersistentDisk":{"pdName":"d"})",
       R"("gcePersistentDisk":{"pdName":"d"})", kNo},
      {"gce, one writes", R"("gcePersistentDisk":{"pdName":"d","readOnly":true})",
       R"("gcePersistentDisk":{"pdName":"d"})", kNo},
      {"gce, both read", R"("gcePersistentDisk":{"pdName":"d","readOnly":true})",
       R"("gcePersistentDisk":{"pdName":"d","readOnly":true})", kYes},
      {"gce, another disk", R"("gcePersistentDisk":{"pdName":"d"})",
       R"("gcePersistentDisk":{"pdName":"e"})", kYes},
      {"ebs, never shared", R"("awsElasticBlockStore":{"volumeID":"d","readOnly":true})",
       R"("awsElasticBlockStore":{"volumeID":"d","readOnly":true})", kNo},
      {"a name of another kind", R"("awsElasticBlockStore":{"volumeID":"d"})",
       R"("gcePersistentDisk":{"pdName":"d"})", kYes},
      {"iscsi, both write", R"("iscsi":{"iqn":"q","targetPortal":"a"})",
       R"("iscsi":{"iqn":"q","targetPortal":"b"})", kNo},
      {"iscsi, both read", R"("iscsi":{"iqn":"q","readOnly":true})",
       R"("iscsi":{"iqn":"q","readOnly":true})", kYes},
      {"rbd, a monitor in common", rbd, R"("rbd":{"pool":"p","image":"i","monitors":["m2","m3"]})",
       kNo},
      {"rbd, another cluster", rbd, R"("rbd":{"pool":"p","image":"i","monitors":["m3"]})", kYes},
      {"rbd, another pool", rbd, R"("rbd":{"pool":"q","image":"i","monitors":["m1"]})", kYes},
      {"rbd, both read", R"("rbd":{"image":"i","monitors":["m"],"readOnly":true})",
       R"("rbd":{"image":"i","monitors":["m"],"readOnly":true})", kYes},
      {"cinder: its attacher decides", R"("cinder":{"volumeID":"d"})",
       R"("cinder":{"volumeID":"d"})", kYes},
      {"no disk: skipped", R"("gcePersistentDisk":{"pdName":"d"})", R"("emptyDir":{})",
       Verdict::skip()},
  };
  for (const Case& c : cases) {
    check_all(VolumeRestrictions(), std::vector<FilterCase>{{c.name,
                                                             {a_node("n")},
                                                             {with_volume("a", c.taken).on("n")},
                                                             with_volume("p", c.wanted),
                                                             {c.expected}}});
  }
}

TEST_CASE("VolumeRestrictions: a disk taken on another node is no matter here") {
  const std::string disk = R"("gcePersistentDisk":{"pdName":"d"})";
  check_all(VolumeRestrictions(), std::vector<FilterCase>{{"two nodes",
                                                           {a_node("n"), a_node("m")},
                                                           {with_volume("a", disk).on("n")},
                                                           with_volume("p", disk),
                                                           {kNo, kYes}}});
}

const Verdict kTaken = Verdict::not_now(
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
    "in-use by another pod");

// Two nodes; a pod on the first uses the claims "many" (for anyone) and "one" (for one pod only).
Snapshot claims_world() {
  auto world = a_world({a_node("n"), a_node("m")}, {a_pod("a").claim("many").claim("one").on("n")});
  for (const char* name : {"default/many", "default/one", "default/free", "other/one"}) {
    world.claims[name].one_pod_only = std::string(name) != "default/many";
  }
  return world;
}

TEST_CASE("VolumeRestrictions: a ReadWriteOncePod claim is held by one pod anywhere") {
  struct Case {
    const char* name;
    a_pod pod;
    Verdict expected;  // on both nodes
  };
  const std::vector<Case> cases{
      {"for anyone", a_pod("p").claim("many"), Verdict::skip()},
      {"for one, and nobody has it", a_pod("p").claim("free"), Verdict::yes()},
      {"for one, and a pod has it", a_pod("p").claim("one"), kTaken},
      {"one of several", a_pod("p").claim("free").claim("many").claim("one"), kTaken},
      {"of that name in another namespace", a_pod("p", "other").claim("one"), Verdict::yes()},
      {"not there", a_pod("p").claim("free").claim("lost"),
       Verdict::never("persistentvolumeclaim \"lost\" not found")},
      {"made for the pod alone, and not there yet",
       a_pod("p").set("spec.volumes", R"([{"name":"v","ephemeral":{}}])"), Verdict::skip()},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(testing::filtered(VolumeRestrictions(), *c.pod.info(), claims_world()) ==
          testing::Verdicts{c.expected, c.expected});
  }
}

TEST_CASE("VolumeRestrictions: a claim is reserved while the bind is under way") {
  const VolumeRestrictions plugin;
  auto world = claims_world();
  const PodPtr first = a_pod("p").claim("free").claim("many").info();
  const PodPtr second = a_pod("q").claim("free").claim("many").info();
  CHECK(plugin.reserve(*first, "n", world, world.reservations).is_yes());
  CHECK(testing::filtered(plugin, *first, world) ==
        testing::Verdicts{Verdict::yes(), Verdict::yes()});
  CHECK(testing::filtered(plugin, *second, world) == testing::Verdicts{kTaken, kTaken});
  CHECK(plugin.reserve(*second, "m", world, world.reservations) == kTaken);
  plugin.unreserve(*second, "m", world.reservations);
  CHECK(testing::filtered(plugin, *second, world) == testing::Verdicts{kTaken, kTaken});
  plugin.unreserve(*first, "n", world.reservations);
  CHECK(world.reservations.empty());
  CHECK(plugin.reserve(*second, "m", world, world.reservations).is_yes());
}

TEST_CASE("VolumeRestrictions: what helps a pod that waits for a claim") {
  const PodPtr waiting = a_pod("p").claim("one").info();
  const PodPtr user = a_pod("a").claim("one").info(), other = a_pod("b").claim("two").info();
  const PodPtr elsewhere = a_pod("c", "other").claim("one").info();
  const VolumeRestrictions plugin;
  const auto gone = [&](const PodPtr& pod) {
    return plugin.helps(*waiting, {event::kPodGone, nullptr, pod});
  };
  CHECK(gone(user));
  CHECK_FALSE(gone(other));
  CHECK_FALSE(gone(elsewhere));
  CHECK(plugin.helps(*waiting, {.events = event::kClaim, .claim = "default/one"}));
  CHECK_FALSE(plugin.helps(*waiting, {.events = event::kClaim, .claim = "default/two"}));
  CHECK((plugin.helped_by() & event::kClaim) != 0);
}

}  // namespace
}  // namespace coracle::scheduler
