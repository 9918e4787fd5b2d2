// What the scheduler writes to the status of a claim to devices, as the server takes it.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

const std::string kClaims = "/apis/resource.k8s.io/v1/namespaces/a/resourceclaims";
const std::string kStatus = kClaims + "/c/status";

// The claim "c", allocated and reserved for the pods p and q.
struct Claimed : ApiWorld {
  Claimed() {
    CHECK(call("POST", kClaims, R"({"metadata":{"name":"c"},"spec":{"devices":{"requests":[
        {"name":"r","exactly":{"deviceClassName":"gpu"}}]}}})")
              ->status == 201);
    CHECK(write(R"({"status":{"allocation":{"devices":{"results":[{"request":"r",
        "driver":"d.example.com","pool":"n1","device":"gpu-0"}]}},"reservedFor":[
        {"resource":"pods","name":"p","uid":"u-p"},{"resource":"pods","name":"q","uid":"u-q"}]}})")
              ->status == 200);
  }
  std::shared_ptr<FakeExchange> write(const std::string& body) {
    return patch("strategic-merge-patch+json", kStatus, body);
  }
  json::value claim() { return get(kClaims + "/c"); }
};

TEST_CASE("one pod's reservation is taken back, however often; the allocation stays") {
  Claimed w;
  const std::string of_p = R"({"status":{"reservedFor":[{"$patch":"delete","uid":"u-p"}]}})";
  for (int i = 0; i < 2; ++i) {
    CHECK(w.write(of_p)->status == 200);
    const json::value claim = w.claim();
    REQUIRE(get_array(claim, "status.reservedFor").size() == 1);
    CHECK(get_string(get_array(claim, "status.reservedFor").at(0), "name") == "q");
    CHECK(find(claim, "status.allocation") != nullptr);
  }
  CHECK(w.write(R"({"status":{"reservedFor":[{"$patch":"delete","uid":"u-q"}]}})")->status == 200);
  CHECK(get_array(w.claim(), "status.reservedFor").empty());
}

TEST_CASE("an allocation is given back in the version that was seen, and in no other") {
  Claimed w;
  const std::string seen(get_string(w.claim(), "metadata.resourceVersion"));
  const auto give_back = [&](const std::string& version) {
    return w.write(R"({"metadata":{"resourceVersion":")" + version +
                   R"("},"status":{"allocation":null,"devices":null,"reservedFor":null}})");
  };
  CHECK(w.write(R"({"status":{"reservedFor":[{"resource":"pods","name":"s","uid":"u-s"}]}})")
            ->status == 200);
  CHECK(give_back(seen)->status == 409);
  CHECK(find(w.claim(), "status.allocation") != nullptr);
  CHECK(give_back(std::string(get_string(w.claim(), "metadata.resourceVersion")))->status == 200);
  CHECK(find(w.claim(), "status.allocation") == nullptr);
  CHECK(get_array(w.claim(), "status.reservedFor").empty());
}

}  // namespace
}  // namespace coracle::apiserver
