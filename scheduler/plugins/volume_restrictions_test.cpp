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

TEST_CASE("VolumeRestrictions: a ReadWriteOncePod claim is held by one pod anywhere") {
  const std::string claim = R"("persistentVolumeClaim":{"claimName":"c"})";
  auto world = a_world({a_node("n"), a_node("m")}, {with_volume("a", claim).on("n")});
  const PodPtr pod = with_volume("p", claim).info();
  CHECK(testing::filtered(VolumeRestrictions(), *pod, world) ==
        testing::Verdicts{Verdict::skip(), Verdict::skip()});
  world.claims["default/c"].one_pod_only = true;
  const Verdict no = Verdict::not_now(
      "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access "
      "mode");
  CHECK(testing::filtered(VolumeRestrictions(), *pod, world) == testing::Verdicts{no, no});
}

}  // namespace
}  // namespace coracle::scheduler
