// Writes to pods/ephemeralcontainers and pods/resize.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

std::string patch_of(const std::string& container) {
  return R"({"metadata":{"labels":{"x":"y"}},"spec":{"ephemeralContainers":[)" + container + "]}}";
}

TEST_CASE("ephemeral containers come by their subresource alone, and stay") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  const std::string pod = std::string(kPods) + "/p", part = pod + "/ephemeralcontainers";
  const std::string look = R"({"name":"look","image":"busybox"})";
  CHECK(w.patch("strategic-merge-patch+json", pod, patch_of(look))->status == 422);
  CHECK(w.patch("strategic-merge-patch+json", part, patch_of(look))->status == 200);
  CHECK(w.patch("strategic-merge-patch+json", part, patch_of(R"({"name":"two","image":"x"})"))
            ->status == 200);
  const json::value made = w.get(pod);
  CHECK(get_array(made, "spec.ephemeralContainers").size() == 2);
  CHECK(find(made, "metadata.labels") == nullptr);  // nothing else is changed
  const auto changed =
      w.patch("strategic-merge-patch+json", part, patch_of(R"({"name":"look","image":"other"})"));
  CHECK(changed->status == 422);
  CHECK(get_string(w.tree(changed), "message")
            .find("existing ephemeral containers \"look\" may not be changed") !=
        std::string_view::npos);
  const auto removed = w.patch("merge-patch+json", part, R"({"spec":{"ephemeralContainers":[]}})");
  CHECK(removed->status == 422);
  CHECK(w.patch("merge-patch+json", pod, R"({"metadata":{"labels":{"a":"b"}}})")->status == 200);
}

TEST_CASE("a resize changes resources and nothing else") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  const std::string pod = std::string(kPods) + "/p";
  const std::string more =
      R"({"spec":{"containers":[{"name":"c","image":"other","resources":{"requests":{"cpu":"1"}}}]}})";
  CHECK(w.patch("strategic-merge-patch+json", pod + "/resize", more)->status == 200);
  const json::value made = w.get(pod);
  const json::value& container = get_array(made, "spec.containers").at(0);
  CHECK(get_string(container, "image") == "nginx");
  CHECK(get_string(container, "resources.requests.cpu") == "1");
}

}  // namespace
}  // namespace coracle::apiserver
