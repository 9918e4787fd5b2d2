#include <catch2/catch.hpp>

#include "api/protobuf.hpp"
#include "api/wire_testing.hpp"

namespace coracle::api {
namespace {

const Schema& schema_of(std::string_view group, std::string_view version, std::string_view kind) {
  const ResourceInfo* info = Catalog::builtin().find_kind(group, version, kind);
  REQUIRE(info != nullptr);
  return *info->schema;
}

TEST_CASE("a pod's message, byte by byte") {
  const json::value pod = *parse_json(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","creationTimestamp":)"
      R"("2026-01-01T00:00:00Z","labels":{"b":"2","a":"1"}},"spec":{"containers":[{"name":"c",)"
      R"("resources":{"limits":{"cpu":"500m"}},"ports":[{"containerPort":80}]}],)"
      R"("volumes":[{"name":"v","emptyDir":{}}],"hostNetwork":true}})");
  const std::string container = bytes(1, "c") + bytes(6, number(3, 80)) +
                                bytes(8, bytes(1, bytes(1, "cpu") + bytes(2, bytes(1, "500m"))));
  const std::string want = bytes(1, bytes(1, "p") + bytes(8, number(1, 1767225600) + number(2, 0)) +
                                        bytes(11, bytes(1, "a") + bytes(2, "1")) +
                                        bytes(11, bytes(1, "b") + bytes(2, "2"))) +
                           bytes(2, bytes(1, bytes(1, "v") + bytes(2, bytes(2, ""))) +
                                        bytes(2, container) + number(11, 1));
  CHECK(encode_protobuf_message(pod, schema_of("", "v1", "Pod")) == want);
}

TEST_CASE("what is encoded decodes to the same object") {
  struct Case {
    std::string group, version, kind, body;
  };
  const auto c = GENERATE(values<Case>({
      {"apps", "v1", "Deployment",
       R"({"spec":{"replicas":0,"selector":{"matchExpressions":[{"key":"k","operator":"In",)"
       R"("values":["x"]}]},"template":{"spec":{"containers":[{"name":"c","livenessProbe":)"
       R"({"httpGet":{"path":"/","port":"web"},"periodSeconds":5}}]}},"strategy":)"
       R"({"rollingUpdate":{"maxSurge":"25%","maxUnavailable":1},"type":"RollingUpdate"}}})"},
      {"", "v1", "Secret", R"({"data":{"k":"aGVsbG8="},"type":"Opaque"})"},
      {"", "v1", "ConfigMap",
       R"({"metadata":{"name":"m","managedFields":[{"manager":"x",)"
       R"("operation":"Update","fieldsV1":{"f:data":{"f:a":{}}}}]}})"},
      {"coordination.k8s.io", "v1", "Lease",
       R"({"spec":{"holderIdentity":"h","renewTime":"2026-01-01T00:00:00.000001Z"}})"},
      {"rbac.authorization.k8s.io", "v1", "Role",
       R"({"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]})"},
  }));
  CAPTURE(c.kind);
  const Schema& schema = schema_of(c.group, c.version, c.kind);
  CHECK(has_protobuf_form(schema));
  const json::value object = *parse_json(c.body);
  const auto back = decode_protobuf_message(encode_protobuf_message(object, schema), schema);
  REQUIRE(back.ok());
  CHECK(sorted_keys(*back) == sorted_keys(object));
}

TEST_CASE("lists, and the frames of a watch") {
  const Schema* meta =
      Catalog::builtin().schemas().find("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
  REQUIRE(meta != nullptr);
  CHECK(protobuf_list(*parse_json(R"({"resourceVersion":"7"})"), *meta, {"A", "BC"}) ==
        bytes(1, bytes(2, "7")) + bytes(2, "A") + bytes(2, "BC"));
  const std::string object = protobuf_envelope("v1", "Pod", "xyz");
  CHECK(object == std::string("k8s\0", 4) + bytes(1, bytes(1, "v1") + bytes(2, "Pod")) +
                      bytes(2, "xyz") + bytes(3, "") + bytes(4, ""));
  const std::string event = bytes(1, "ADDED") + bytes(2, bytes(1, object));
  CHECK(protobuf_watch_frame("ADDED", object) ==
        std::string("\0\0\0", 3) + static_cast<char>(event.size()) + event);
}

// A field without a number would be lost on the way.
TEST_CASE("kinds that cannot be told in protobuf are few and known") {
  std::vector<std::string> without;
  for (const ResourceInfo& info : Catalog::builtin().resources()) {
    if (!has_protobuf_form(*info.schema)) without.push_back(info.kind);
  }
  std::sort(without.begin(), without.end());
  without.erase(std::unique(without.begin(), without.end()), without.end());
  const std::vector<std::string> want = {"CustomResourceDefinition"};
  CHECK(without == want);
}

}  // namespace
}  // namespace coracle::api
