#include "plugins/image_locality.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::ScoreCase;

a_node with_image(const char* name, const std::string& image, std::int64_t megabytes) {
  return a_node(name).set("status.images", R"([{"names":[")" + image + R"("],"sizeBytes":)" +
                                               std::to_string(megabytes * 1024 * 1024) + "}]");
}

// Bytes times the share of nodes that have the image; 23 MB and less is 0, 1000 MB a container 100.
TEST_CASE("ImageLocality scores") {
  const a_pod two_containers = a_pod("p").set(
      "spec.containers", R"([{"name":"c","image":"a:1"},{"name":"d","image":"b:1"}])");
  check_all(
      ImageLocality(),
      std::vector<ScoreCase>{
          {"known nowhere: skipped", {a_node("n")}, {}, a_pod("p").image("a:1"), {}},
          // (500 - 23) / 977 = 48.8.
          {"one of two nodes",
           {with_image("n", "a:1", 1000), a_node("m")},
           {},
           a_pod("p").image("a:1"),
           {48, 0}},
          {"all nodes",
           {with_image("n", "a:1", 1000), with_image("m", "a:1", 1000)},
           {},
           a_pod("p").image("a:1"),
           {100, 100}},
          {"capped", {with_image("n", "a:1", 5000)}, {}, a_pod("p").image("a:1"), {100}},
          {"at the lower threshold",
           {with_image("n", "a:1", 23)},
           {},
           a_pod("p").image("a:1"),
           {0}},
          // 10 / 977 = 1.02.
          {"above the lower threshold",
           {with_image("n", "a:1", 33)},
           {},
           a_pod("p").image("a:1"),
           {1}},
          // (1000 - 23) / (2000 - 23) = 49.4.
          {"one image of two containers", {with_image("n", "a:1", 1000)}, {}, two_containers, {49}},
          {"no tag is latest",
           {with_image("n", "docker.io/a:latest", 1000)},
           {},
           a_pod("p").image("docker.io/a"),
           {100}},
          {"a port is no tag",
           {with_image("n", "registry:5000/a:latest", 1000)},
           {},
           a_pod("p").image("registry:5000/a"),
           {100}},
          {"another tag: skipped", {with_image("n", "a:2", 1000)}, {}, a_pod("p").image("a:1"), {}},
      });
}

}  // namespace
}  // namespace coracle::scheduler
