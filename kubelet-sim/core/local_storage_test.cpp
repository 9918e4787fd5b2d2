#include "kubelet/local_storage.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::kubelet;

namespace {

const json::value kPod = *parse_yaml_one(R"(
spec:
  volumes:
  - {name: small, emptyDir: {sizeLimit: 1Mi}}
  - {name: memory, emptyDir: {medium: Memory, sizeLimit: 2Mi}}
  - {name: free, emptyDir: {}}
  containers:
  - {name: a, resources: {limits: {ephemeral-storage: 4Mi}}}
  - {name: b, resources: {limits: {ephemeral-storage: 2Mi}}}
)");
constexpr std::int64_t kMi = 1 << 20;

}  // namespace

TEST_CASE("what a pod keeps on its node's disk, and how much it may") {
  struct Case {
    const char* name;
    StorageUse use;
    const char* message;  // null: it stays
  };
  const auto c = GENERATE(values<Case>({
      {"nothing", {}, nullptr},
      {"all it may",
       {{{"a", 3 * kMi}, {"b", 2 * kMi}}, {{"small", kMi}, {"memory", 2 * kMi}}},
       nullptr},
      {"a volume over its limit",
       {{}, {{"small", kMi + 1}}},
       "Usage of EmptyDir volume \"small\" exceeds the limit \"1Mi\". "},
      {"one in memory",
       {{}, {{"memory", 3 * kMi}}},
       "Usage of EmptyDir volume \"memory\" exceeds the limit \"2Mi\". "},
      {"a container over its own",
       {{{"b", 2 * kMi + 1}}, {}},
       "Container b exceeded its local ephemeral storage limit \"2Mi\". "},
      {"all together: files and volumes count",
       {{{"a", 3 * kMi}, {"b", kMi}}, {{"free", 3 * kMi}}},
       "Pod ephemeral local storage usage exceeds the total limit of containers 6Mi. "},
      {"the volume is told first",
       {{{"a", 9 * kMi}}, {{"small", 9 * kMi}}},
       "Usage of EmptyDir volume \"small\" exceeds the limit \"1Mi\". "},
  }));
  CAPTURE(c.name);
  const auto why = over_storage_limit(kPod, c.use);
  CHECK(why.has_value() == (c.message != nullptr));
  if (c.message != nullptr) CHECK(why.value_or("") == c.message);
}

TEST_CASE("pods without limits are not looked at") {
  CHECK(has_storage_limit(kPod));
  CHECK_FALSE(has_storage_limit(*parse_yaml_one("spec: {containers: [{name: c}]}")));
  CHECK_FALSE(has_storage_limit(
      *parse_yaml_one("spec: {volumes: [{name: v, emptyDir: {sizeLimit: '0'}}]}")));
}
