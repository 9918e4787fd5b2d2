// Admin access to devices: which namespaces may ask for it, and may be given it.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

const std::string kGroup = "/apis/resource.k8s.io/v1/namespaces/a/";
const std::string kWhy =
    "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the "
    "containing namespace";

std::string spec_of(bool admin) {
  return std::string(R"("spec":{"devices":{"requests":[{"name":"x","exactly":{)") +
         R"("deviceClassName":"gpu"}},{"name":"r","exactly":{"deviceClassName":"gpu",)" +
         R"("allocationMode":"All","adminAccess":)" + (admin ? "true" : "false") + "}}]}}";
}
std::string claim_of(bool admin) { return R"({"metadata":{"name":"c"},)" + spec_of(admin) + "}"; }
std::string template_of(bool admin) {
  return R"({"metadata":{"name":"t"},"spec":{)" + spec_of(admin) + "}}";
}
const std::string kGiven = R"({"status":{"allocation":{"devices":{"results":[{"request":"r",
    "driver":"d.example.com","pool":"n1","device":"gpu-0","adminAccess":true}]}}}})";

void label(ApiWorld& w, const std::string& value) {
  CHECK(w.patch("merge-patch+json", "/api/v1/namespaces/a",
                R"({"metadata":{"labels":{"resource.kubernetes.io/admin-access":)" + value + "}}}")
            ->status == 200);
}

TEST_CASE("claims and templates with admin access are for namespaces with the label") {
  ApiWorld w;
  const auto refused = [&](const std::string& kind, const std::string& plural,
                           const std::string& body) {
    const auto answer = w.call("POST", kGroup + plural, body);
    CHECK(answer->status == 422);
    CHECK(get_string(w.tree(answer), "message") ==
          kind + " is invalid: spec.devices.requests[1].adminAccess: Forbidden: " + kWhy);
  };
  const std::string claim = "ResourceClaim.resource.k8s.io \"c\"";
  refused(claim, "resourceclaims", claim_of(true));
  refused("ResourceClaimTemplate.resource.k8s.io \"t\"", "resourceclaimtemplates",
          template_of(true));
  label(w, R"("True")");
  refused(claim, "resourceclaims", claim_of(true));
  label(w, R"("true")");
  CHECK(w.call("POST", kGroup + "resourceclaims", claim_of(true))->status == 201);
  CHECK(w.call("POST", kGroup + "resourceclaimtemplates", template_of(true))->status == 201);
}

TEST_CASE("without admin access the label does not matter") {
  ApiWorld w;
  CHECK(w.call("POST", kGroup + "resourceclaims", claim_of(false))->status == 201);
  CHECK(w.call("POST", kGroup + "resourceclaimtemplates", template_of(false))->status == 201);
}

TEST_CASE("an allocation is given admin access while the namespace has the label, and keeps it") {
  ApiWorld w;
  CHECK(w.call("POST", kGroup + "resourceclaims", claim_of(false))->status == 201);
  const auto give = [&](const std::string& body) {
    return w.patch("merge-patch+json", kGroup + "resourceclaims/c/status", body);
  };
  const auto refused = give(kGiven);
  CHECK(refused->status == 422);
  CHECK(get_string(w.tree(refused), "message") ==
        "ResourceClaim.resource.k8s.io \"c\" is invalid: "
        "status.allocation.devices.results[0].adminAccess: Forbidden: " +
            kWhy);
  label(w, R"("true")");
  CHECK(give(kGiven)->status == 200);
  label(w, "null");
  CHECK(give(R"({"status":{"reservedFor":[{"resource":"pods","name":"p","uid":"u"}]}})")->status ==
        200);
}

}  // namespace
}  // namespace coracle::apiserver
