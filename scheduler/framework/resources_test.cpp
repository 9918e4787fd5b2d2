#include "framework/resources.hpp"

#include <catch2/catch.hpp>

#include <limits>

#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

json::value pod_of(const std::string& spec) {
  return testing::parsed(R"({"kind":"Pod","spec":)" + spec + "}");
}

std::string container(const std::string& cpu, const std::string& more = {}) {
  return R"({"resources":{"requests":{"cpu":")" + cpu + R"("}})" + more + "}";
}

const std::string kSidecar = R"(,"restartPolicy":"Always")";

TEST_CASE("what a pod requests of cpu") {
  struct Case {
    const char* name;
    std::string spec;
    std::int64_t milli;
  };
  const std::vector<Case> cases{
      {"containers add up", R"({"containers":[)" + container("1") + "," + container("250m") + "]}",
       1250},
      {"an init step that is less",
       R"({"initContainers":[)" + container("500m") + R"(],"containers":[)" + container("1") + "]}",
       1000},
      {"the largest init step, not their sum",
       R"({"initContainers":[)" + container("2") + "," + container("3") + R"(],"containers":[)" +
           container("1") + "]}",
       3000},
      {"a sidecar runs beside the containers",
       R"({"initContainers":[)" + container("500m", kSidecar) + R"(],"containers":[)" +
           container("1") + "]}",
       1500},
      {"an init step runs beside the sidecars before it only",
       R"({"initContainers":[)" + container("500m", kSidecar) + "," + container("2") + "," +
           container("100m", kSidecar) + R"(],"containers":[)" + container("1") + "]}",
       2500},
      {"pod-level requests take the place of the sum",
       R"({"resources":{"requests":{"cpu":"4"}},"containers":[)" + container("1") + "]}", 4000},
      {"overhead comes on top",
       R"({"overhead":{"cpu":"100m"},"containers":[)" + container("1") + "]}", 1100},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(pod_requests(pod_of(c.spec), false).cpu_milli == c.milli);
  }
}

TEST_CASE("pod-level requests of huge pages take the place of the sum, also where they are none") {
  const auto pages = [](const std::string& of_pod) {
    return pod_requests(pod_of(R"({"resources":{"requests":{)" + of_pod + R"(}},"containers":[)" +
                               R"({"resources":{"requests":{"hugepages-2Mi":"4Mi"}}}]})"),
                        false)
        .scalars;
  };
  using Scalars = decltype(Resources::scalars);
  CHECK(pages(R"("cpu":"1")") == Scalars{{"hugepages-2Mi", 4 << 20}});
  CHECK(pages(R"("hugepages-2Mi":"8Mi")") == Scalars{{"hugepages-2Mi", 8 << 20}});
  CHECK(pages(R"("hugepages-2Mi":"0")") == Scalars{});
}

TEST_CASE("containers that together ask for more than a number can hold ask for the most") {
  const std::string half = R"({"resources":{"requests":{"memory":"5E","cpu":"9E"}}})";
  const Resources all =
      pod_requests(pod_of(R"({"containers":[)" + half + "," + half + "]}"), false);
  CHECK(all.memory == std::numeric_limits<std::int64_t>::max());
  CHECK(all.cpu_milli == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("for scores, what is not named is taken for the defaults; what is zero stays zero") {
  const Resources none = pod_requests(pod_of(R"({"containers":[{},{}]})"), true);
  CHECK(none.cpu_milli == 200);
  CHECK(none.memory == 2 * 200LL * 1024 * 1024);
  const Resources zero = pod_requests(pod_of(R"({"containers":[)" + container("0") + "]}"), true);
  CHECK(zero.cpu_milli == 0);
  CHECK(zero.memory == 200LL * 1024 * 1024);
}

TEST_CASE("amounts are parsed; what is no amount is left out") {
  const json::value amounts = testing::parsed(
      R"({"cpu":"1.5","memory":"1Ki","ephemeral-storage":"2k","pods":"9","example.com/b":"2",
          "example.com/a":1,"bad":"x","none":"0"})");
  Resources expected;
  expected.cpu_milli = 1500;
  expected.memory = 1024;
  expected.ephemeral_storage = 2000;
  expected.scalars = {{"example.com/a", 1}, {"example.com/b", 2}};
  CHECK(parse_resources(amounts.as_object()) == expected);
}

TEST_CASE("subtract undoes add") {
  const Resources a = parse_resources(
      testing::parsed(R"({"cpu":"1","memory":"5","example.com/a":"1"})").as_object());
  const Resources b = parse_resources(
      testing::parsed(R"({"cpu":"2","example.com/a":"3","example.com/b":"4"})").as_object());
  Resources sum = a;
  sum.add(b);
  CHECK(sum.amount("cpu") == 3000);
  CHECK(sum.amount("example.com/a") == 4);
  sum.subtract(b);
  CHECK(sum == a);
}

}  // namespace
}  // namespace coracle::scheduler
