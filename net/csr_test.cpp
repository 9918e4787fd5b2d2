#include "net/csr.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::net;
using namespace std::chrono_literals;

namespace {

const WallTime kNow = WallTime(1'800'000'000s);

CertRequest wanted() {
  CertRequest request;
  request.common_name = "system:node:n1";
  request.organizations = {"system:nodes"};
  request.dns_names = {"n1"};
  request.ip_addresses = {"127.32.0.1", "::1"};
  return request;
}

}  // namespace

TEST_CASE("a request says who asks, and a certificate repeats it") {
  const auto made = make_csr(wanted());
  REQUIRE(made.ok());
  const auto info = inspect_csr(made->csr_pem);
  REQUIRE(info.ok());
  CHECK(info->common_name == "system:node:n1");
  CHECK(info->organizations == std::vector<std::string>{"system:nodes"});
  CHECK(info->dns_names == std::vector<std::string>{"n1"});
  CHECK(info->ip_addresses == std::vector<std::string>{"127.32.0.1", "::1"});
  CHECK(info->emails.empty());

  const auto ca = make_ca("ca", Validity::days(kNow, 10));
  REQUIRE(ca.ok());
  const auto pem = sign_csr(*ca, made->csr_pem, {"client auth", "digital signature", "signing"},
                            {kNow - 5min, kNow + 1h});
  REQUIRE(pem.ok());
  CHECK(check_key_pair({*pem, made->key_pem}).ok());
  const auto signed_by = inspect_certificate(*pem);
  REQUIRE(signed_by.ok());
  CHECK(signed_by->issuer_common_name == "ca");
  CHECK(signed_by->common_name == "system:node:n1");
  CHECK(signed_by->ip_addresses == info->ip_addresses);
  CHECK(signed_by->not_after == kNow + 1h);
  CHECK_FALSE(signed_by->is_ca);
}

TEST_CASE("a certificate does not outlive its CA; unknown usages are refused") {
  const auto ca = make_ca("ca", Validity::days(kNow, 1));
  const auto made = make_csr(wanted());
  const auto pem = sign_csr(*ca, made->csr_pem, {"client auth"}, {kNow, kNow + 24h * 365});
  REQUIRE(pem.ok());
  CHECK(inspect_certificate(*pem)->not_after == kNow + 24h);
  CHECK_FALSE(sign_csr(*ca, made->csr_pem, {"fly"}, {kNow, kNow + 1h}).ok());
}

TEST_CASE("what is no request, or not signed by its key, is refused") {
  CHECK(inspect_csr("hello").status().message() == "PEM block type must be CERTIFICATE REQUEST");
  auto made = make_csr(wanted());
  std::string& pem = made->csr_pem;
  const size_t end = pem.find("-----END");
  char& letter = pem[end - 20];  // within the signature
  letter = letter == 'A' ? 'B' : 'A';
  CHECK_FALSE(inspect_csr(pem).ok());
}
