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

}  // namespace
}  // namespace coracle::scheduler
