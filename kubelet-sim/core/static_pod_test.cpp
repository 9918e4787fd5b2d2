#include "kubelet/static_pod.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"

using namespace coracle;
using namespace coracle::kubelet;

namespace {

const std::string kWeb =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\n"
    "spec: {containers: [{name: c, image: nginx}], tolerations: [{key: a, operator: Exists}]}\n";

}  // namespace

TEST_CASE("a manifest becomes the node's pod") {
  const json::value pod = *read_static_pod(kWeb, "web.yaml", "node-1");
  CHECK(api::name_of(pod) == "web-node-1");
  CHECK(api::namespace_of(pod) == "default");
  CHECK(api::uid_of(pod).size() == 32);
  CHECK(api::annotation_of(pod, "kubernetes.io/config.hash") == api::uid_of(pod));
  CHECK(api::annotation_of(pod, "kubernetes.io/config.source") == "file");
  CHECK(get_string(pod, "spec.nodeName") == "node-1");
  CHECK(get_array(pod, "spec.tolerations").size() == 2);
}

TEST_CASE("it is another pod on another node, in another file, with other content") {
  const auto uid = [](const std::string& text, const char* file, const char* node) {
    return std::string(api::uid_of(*read_static_pod(text, file, node)));
  };
  const std::string first = uid(kWeb, "web.yaml", "node-1");
  CHECK(uid(kWeb, "web.yaml", "node-1") == first);
  CHECK(uid(kWeb, "web.yaml", "node-2") != first);
  CHECK(uid(kWeb, "other.yaml", "node-1") != first);
  CHECK(uid(kWeb + "\n# more\n", "web.yaml", "node-1") == first);
  std::string changed = kWeb;
  changed.replace(changed.find("nginx"), 5, "httpd");
  CHECK(uid(changed, "web.yaml", "node-1") != first);
}

TEST_CASE("its mirror names it and is the node's") {
  const json::value pod = *read_static_pod(kWeb, "web.yaml", "node-1");
  const json::value mirror = mirror_of(pod, "node-uid");
  CHECK(mirrored_uid(mirror) == api::uid_of(pod));
  CHECK(mirrored_uid(pod).empty());
  CHECK(api::uid_of(mirror).empty());
  CHECK(get_string(api::owner_references_of(mirror).at(0), "uid") == "node-uid");
}

TEST_CASE("what is no pod is refused") {
  const auto why = [](const std::string& text) {
    return read_static_pod(text, "f", "n").status().message();
  };
  CHECK(why("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n") == "it is no Pod of v1");
  CHECK(why("apiVersion: v1\nkind: Pod\nspec: {}\n") == "metadata.name: Required value");
  CHECK(why("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n") ==
        "spec.containers: Required value");
  CHECK_FALSE(why("{").empty());
}
