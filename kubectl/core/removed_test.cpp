#include <catch2/catch.hpp>

#include "kubectl/removed.hpp"

namespace coracle::kubectl {

TEST_CASE("what was removed is told, what is there or never was is not") {
  CHECK(instead_of_version("extensions/v1beta1", "Ingress").find("networking.k8s.io/v1") !=
        std::string::npos);
  CHECK(instead_of_version("policy/v1beta1", "PodSecurityPolicy").find("Admission") !=
        std::string::npos);
  CHECK(instead_of_version("networking.k8s.io/v1", "Ingress").empty());
  CHECK(instead_of_version("v1", "Pod").empty());
  CHECK(instead_of_version("example.com/v1beta1", "Ingress").empty());
  CHECK_FALSE(instead_of_flag("run", "--replicas").empty());
  CHECK(instead_of_flag("create", "--replicas").empty());
  CHECK(instead_of_flag("set image", "--record").empty());
  CHECK_FALSE(instead_of_command("rolling-update").empty());
  CHECK(instead_of_command("roll").empty());
}

}  // namespace coracle::kubectl
