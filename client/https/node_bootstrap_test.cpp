#include "client_https/node_bootstrap.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/encoding.hpp"
#include "net/csr.hpp"
#include "net/jwt.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;

const std::string kId = "abcdef", kSecret = "0123456789abcdef";

struct Info {
  Info() {
    ca = net::make_ca("ca", net::Validity::days(WallTime(1'800'000'000s), 1))->cert_pem;
    options.token = kId + "." + kSecret;
    options.ca_cert_hashes = {"sha256:" + *net::public_key_sha256(ca)};
    sign(kSecret);
  }
  void sign(const std::string& secret) {
    const std::string text =
        "apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n  cluster:\n"
        "    server: https://127.0.0.1:6443\n"
        "    certificate-authority-data: " +
        base64_encode(ca) + "\n";
    const std::string head = base64url_encode(R"({"alg":"HS256","kid":"abcdef"})");
    json::object& data = make_object(map, "data");
    data["kubeconfig"] = text;
    data["jws-kubeconfig-" + kId] =
        head + ".." +
        base64url_encode(net::hmac_sha256(secret, head + "." + base64url_encode(text)));
  }
  Result<std::string> read() const { return ca_of_cluster_info(map, options); }

  std::string ca;
  JoinOptions options;
  json::value map = json::object();
};

TEST_CASE("the cluster's CA is believed when the token signed it and its hash is known") {
  Info info;
  REQUIRE(info.read().ok());
  CHECK(*info.read() == info.ca);

  info.options.ca_cert_hashes = {"sha256:00"};
  CHECK(info.read().status().code() == Code::kPermissionDenied);
  info.options.unsafe_skip_ca_verification = true;
  CHECK(info.read().ok());
  info.sign("fedcba9876543210");  // by another secret under the same id
  CHECK(info.read().status().code() == Code::kPermissionDenied);
  make_object(info.map, "data").erase("jws-kubeconfig-" + kId);
  CHECK(info.read().status().code() == Code::kNotFound);
  info.options.token = "nonsense";
  CHECK(info.read().status().code() == Code::kInvalidArgument);
}

TEST_CASE("an identity is kept in one private file, and renewed before it ends") {
  const WallTime now(1'800'000'000s);
  const auto ca = *net::make_ca("ca", net::Validity::days(now, 1));
  const auto pair =
      *net::issue(ca, {.common_name = "system:node:n1", .client = true}, {now, now + 100s});
  const std::string file =
      (std::filesystem::temp_directory_path() / "coracle-identity-test.pem").string();
  CHECK(load_identity(file + ".absent").status().code() == Code::kNotFound);
  REQUIRE(save_identity(file, {pair.cert_pem, pair.key_pem, {}, {}}).ok());
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto loaded = load_identity(file);
  std::filesystem::remove(file);
  REQUIRE(loaded.ok());
  CHECK(loaded->not_after == now + 100s);
  CHECK(renewal_of(*loaded, 0) == now + 70s);
  CHECK(renewal_of(*loaded, 1) == now + 90s);
}

}  // namespace
}  // namespace coracle::client
