#include "api/protobuf.hpp"

#include <catch2/catch.hpp>

#include "api/wire_testing.hpp"
#include "base/rng.hpp"

namespace coracle::api {
namespace {

std::string envelope(std::string_view api_version, std::string_view kind, std::string_view raw) {
  return std::string(kProtobufMagic) + bytes(1, bytes(1, api_version) + bytes(2, kind)) +
         bytes(2, raw) + bytes(3, "") + bytes(4, "");
}

json::value parsed(std::string_view text) { return parse_json(text).value(); }

TEST_CASE("a Namespace as kubectl create sends it") {
  const std::string raw = bytes(1, bytes(1, "demo") + bytes(2, "") + bytes(8, "")) + bytes(2, "") +
                          bytes(3, bytes(1, ""));
  const auto decoded = decode_protobuf(envelope("v1", "Namespace", raw), Catalog::builtin());
  REQUIRE(decoded.ok());
  CHECK(*decoded == parsed(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"demo"},
      "spec":{},"status":{}})"));
}

TEST_CASE("a Deployment: maps, lists, pointers, quantities, int-or-string") {
  const std::string container = bytes(1, "c") + bytes(2, "nginx") + number(16, 0) +
                                bytes(6, number(3, 80) + number(2, 0)) +
                                bytes(8, bytes(1, bytes(1, "cpu") + bytes(2, bytes(1, "500m"))));
  const std::string pod = bytes(1, bytes(11, bytes(1, "app") + bytes(2, "w"))) +
                          bytes(2, bytes(1, bytes(1, "v") + bytes(2, bytes(2, ""))) +
                                       bytes(2, container) + number(4, 0));
  const std::string spec =
      number(1, 0) + bytes(2, bytes(1, bytes(1, "app") + bytes(2, "w"))) + bytes(3, pod) +
      bytes(4, bytes(1, "RollingUpdate") + bytes(2, bytes(1, number(1, 1) + bytes(3, "25%")))) +
      number(5, 0);
  const std::string raw =
      bytes(1, bytes(1, "d") + bytes(8, number(1, 1767225600))) + bytes(2, spec);
  const auto decoded = decode_protobuf(envelope("apps/v1", "Deployment", raw), Catalog::builtin());
  CAPTURE(decoded.status().message());
  REQUIRE(decoded.ok());
  CHECK(to_json(*decoded) ==
        R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d",)"
        R"("creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"replicas":0,)"
        R"("selector":{"matchLabels":{"app":"w"}},)"
        R"("template":{"metadata":{"labels":{"app":"w"}},"spec":{"volumes":[{"name":"v",)"
        R"("emptyDir":{}}],"containers":[{"name":"c","image":"nginx",)"
        R"("ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"500m"}}}],)"
        R"("terminationGracePeriodSeconds":0}},"strategy":{"type":"RollingUpdate",)"
        R"("rollingUpdate":{"maxUnavailable":"25%"}}}})");
}

TEST_CASE("secrets carry bytes; delete options have no resource") {
  const auto secret = decode_protobuf(
      envelope("v1", "Secret", bytes(2, bytes(1, "k") + bytes(2, std::string("\xff\x00", 2)))),
      Catalog::builtin());
  REQUIRE(secret.ok());
  CHECK(to_json(secret->at("data")) == R"({"k":"/wA="})");
  const auto options = decode_protobuf(
      envelope("v1", "DeleteOptions", number(1, 0) + bytes(4, "Background")), Catalog::builtin());
  REQUIRE(options.ok());
  CHECK(to_json(*options) == R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,)"
                             R"("propagationPolicy":"Background"})");
}

TEST_CASE("negative and unknown") {
  const auto lease = decode_protobuf_message(
      number(2, static_cast<std::uint64_t>(-5)) + number(99, 7),
      *Catalog::builtin().schemas().find("io.k8s.api.coordination.v1.LeaseSpec"));
  REQUIRE(lease.ok());
  CHECK(to_json(*lease) == R"({"leaseDurationSeconds":-5})");
  CHECK(decode_protobuf(envelope("v1", "Boat", ""), Catalog::builtin()).status().code() ==
        Code::kNotFound);
  CHECK_FALSE(decode_protobuf("k8s", Catalog::builtin()).ok());
}

TEST_CASE("garbage never crashes and cut bodies fail") {
  const std::string good = envelope("v1", "Namespace", bytes(1, bytes(1, "demo")));
  // A cut between the envelope's fields is a shorter envelope, everything else is an error.
  const std::size_t between = kProtobufMagic.size() + 15 + 2;
  REQUIRE(good[between] == '\x12');
  for (std::size_t n = 5; n < good.size() - 4; ++n) {
    CAPTURE(n);
    if (n == between) continue;
    CHECK_FALSE(decode_protobuf(good.substr(0, n), Catalog::builtin()).ok());
  }
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    std::string raw;
    for (std::uint64_t n = rng.below(60); n > 0; --n) raw += static_cast<char>(rng.below(256));
    const auto decoded = decode_protobuf(envelope("v1", "Pod", raw), Catalog::builtin());
    if (decoded.ok()) CHECK(parse_json(to_json(*decoded)).ok());
  }
  std::string deep;
  for (int i = 0; i < 300; ++i) deep = bytes(1, deep);
  CHECK(decode_protobuf(envelope("v1", "Pod", deep), Catalog::builtin()).status().code() !=
        Code::kInternal);
}

}  // namespace
}  // namespace coracle::api
