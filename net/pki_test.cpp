#include "net/pki.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "net/jwt.hpp"

namespace coracle::net {
namespace {

const WallTime kNow = parse_time("2026-11-21T06:00:00Z").value();

TEST_CASE("pki: a certificate says what was asked for") {
  auto ca = make_ca("kubernetes", Validity::days(kNow, 3650));
  REQUIRE(ca.ok());
  CertRequest request{.common_name = "kube-apiserver",
                      .organizations = {"a", "b"},
                      .dns_names = {"kubernetes.default.svc", "localhost"},
                      .ip_addresses = {"127.0.0.1", "127.96.0.1", "::1"},
                      .server = true,
                      .client = true};
  auto pair = issue(*ca, request, Validity::days(kNow, 365));
  REQUIRE(pair.status() == Status());
  auto info = inspect_certificate(pair->cert_pem);
  REQUIRE(info.ok());
  CHECK(info->common_name == "kube-apiserver");
  CHECK(info->organizations == request.organizations);
  CHECK(info->issuer_common_name == "kubernetes");
  CHECK(info->dns_names == request.dns_names);
  CHECK(info->ip_addresses == request.ip_addresses);
  CHECK(format_time(info->not_before) == "2026-11-21T05:55:00Z");
  CHECK(format_time(info->not_after) == "2027-11-21T06:00:00Z");
  CHECK_FALSE(info->is_ca);
  CHECK(inspect_certificate(ca->cert_pem)->is_ca);
  auto second = issue(*ca, request, Validity::days(kNow, 365));
  CHECK(inspect_certificate(second->cert_pem)->serial_hex != info->serial_hex);
  CHECK(check_key_pair(*pair) == Status());
  CHECK(check_key_pair({pair->cert_pem, ca->key_pem}) ==
        invalid_argument("tls: private key does not match public key"));
}

TEST_CASE("pki: what cannot be issued") {
  Validity validity = Validity::days(kNow, 1);
  auto ca = make_ca("ca", validity);
  auto leaf = issue(*ca, {.common_name = "leaf"}, validity);
  CHECK(issue(*ca, {.ip_addresses = {"1.2.3"}}, validity).status() ==
        invalid_argument("not an IP address: \"1.2.3\""));
  CHECK(issue(*leaf, {.common_name = "x"}, validity).status() ==
        invalid_argument("CA: the certificate is no CA"));
  CHECK(issue({ca->cert_pem, leaf->key_pem}, {}, validity).status().code() ==
        Code::kInvalidArgument);
  CHECK(inspect_certificate("").status().code() == Code::kInvalidArgument);
  CHECK(inspect_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .status()
            .code() == Code::kInvalidArgument);
}

TEST_CASE("pki: private files are private, and whole") {
  char directory[] = "/tmp/net_test.XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  std::string path = std::string(directory) + "/key";
  CHECK(write_private_file(path, "one") == Status());
  CHECK(write_private_file(path, "second") == Status());
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  std::ifstream file(path);
  std::string content;
  file >> content;
  CHECK(content == "second");
  CHECK_FALSE(write_private_file(std::string(directory) + "/none/key", "x").ok());
  ::unlink(path.c_str());
  CHECK(::rmdir(directory) == 0);
}

TEST_CASE("jwt: signed by one key, verified by its public half, by no other") {
  auto key = JwtKey::from_pem(*make_rsa_key());
  auto other = JwtKey::from_pem(*make_rsa_key());
  REQUIRE((key.ok() && other.ok()));
  json::object claims;
  claims["iss"] = "https://kubernetes.default.svc.cluster.local";
  claims["sub"] = "system:serviceaccount:default:builder";
  claims["exp"] = 1900000000;
  auto token = key->sign(claims);
  REQUIRE(token.ok());
  auto open = JwtKey::from_pem(key->public_pem());
  REQUIRE(open.ok());
  CHECK(open->key_id() == key->key_id());
  CHECK(to_json(*open->verify(*token)) == to_json(claims));
  CHECK(to_json(*decode_jwt_unverified(*token)) == to_json(claims));
  CHECK(open->sign(claims).status().code() == Code::kFailedPrecondition);
  CHECK(other->verify(*token).status() ==
        Status(Code::kUnauthenticated, "token signature is invalid"));
  std::string changed = *token;
  std::size_t middle = changed.find('.') + 5;
  changed[middle] = changed[middle] == 'A' ? 'B' : 'A';
  CHECK_FALSE(key->verify(changed).ok());
  // {"alg":"none"} with an empty signature
  std::string body = token->substr(token->find('.'), token->rfind('.') - token->find('.') + 1);
  CHECK(key->verify("eyJhbGciOiJub25lIn0" + body).status() ==
        Status(Code::kUnauthenticated, "malformed token"));
  for (const char* bad : {"", ".", "..", "a.b.c", "x.y", "....."}) {
    INFO(bad);
    CHECK(key->verify(bad).status().code() == Code::kUnauthenticated);
  }
  CHECK(get_string(key->jwk(), "alg") == "RS256");
  CHECK(get_string(key->jwk(), "e") == "AQAB");
  CHECK_FALSE(JwtKey::from_pem("junk").ok());
}

TEST_CASE("constant_time_equal") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "ab"));
}

}  // namespace
}  // namespace coracle::net
