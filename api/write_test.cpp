// Decoding, defaults, checks and the steps of a write, on the built-in catalog without hooks.
#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "api/validate.hpp"

namespace coracle::api {
namespace {

json::value parsed(std::string_view text) { return parse_json(text).value(); }
const ResourceInfo& deployments() { return *Catalog::builtin().find("apps", "v1", "deployments"); }
const ResourceInfo& pods() { return *Catalog::builtin().find("", "v1", "pods"); }

TEST_CASE("wrong types read as Go's decoder words them") {
  struct Case {
    const char *name, *text, *want;
  };
  const Case cases[] = {
      {"int", R"({"spec":{"replicas":"x"}})",
       "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type "
       "int32"},
      {"in a list", R"({"spec":{"template":{"spec":{"containers":[{"name":"a"},{"image":5}]}}}})",
       "json: cannot unmarshal number into Go struct field "
       "Container.spec.template.spec.containers.image of type string"},
      {"map value", R"({"metadata":{"labels":{"a":1}}})",
       "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type "
       "string"},
      {"list for object", R"({"spec":[]})",
       "json: cannot unmarshal array into Go struct field Deployment.spec of type "
       "v1.DeploymentSpec"},
      {"object for list", R"({"spec":{"template":{"spec":{"containers":{}}}}})",
       "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
       "of "
       "type []v1.Container"},
      {"too big", R"({"spec":{"replicas":3000000000}})",
       "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas "
       "of "
       "type int32"},
      {"whole body", R"("x")", "json: cannot unmarshal string into Go value of type v1.Deployment"},
      {"quantity",
       R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}}})",
       "quantities must match the regular expression "
       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    json::value v = parsed(c.text);
    CHECK(decode_in_place(v, *deployments().schema, nullptr).message() == c.want);
  }
  CHECK(decode_error_text(deployments(), "why") ==
        "Deployment in version \"v1\" cannot be handled as a Deployment: why");
}

TEST_CASE("unknown fields are named and removed, the rest becomes canonical") {
  json::value v = parsed(R"({"kind":"Pod","foo":1,"metadata":{"labels":{},"annotations":null,
      "creationTimestamp":"2026-01-02T03:04:05.5+01:00"},
      "spec":{"containers":[{"name":"a","bar":{},"resources":{"limits":{"cpu":0.5,
      "memory":"1024Mi"}}}]}})");
  std::vector<std::string> unknown;
  REQUIRE(decode_in_place(v, *pods().schema, &unknown).ok());
  CHECK(unknown == std::vector<std::string>{"unknown field \"foo\"",
                                            "unknown field \"spec.containers[0].bar\""});
  CHECK(v == parsed(R"({"kind":"Pod","metadata":{"creationTimestamp":"2026-01-02T02:04:05Z"},
      "spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"500m",
      "memory":"1Gi"}}}]}})"));
  CHECK(strict_error_text(unknown, {"data.a"}) ==
        "strict decoding error: unknown field \"foo\", unknown field "
        "\"spec.containers[0].bar\", duplicate field \"data.a\"");
}

TEST_CASE("defaults fill in and are idempotent") {
  json::value v = parsed(R"({"spec":{"template":{"spec":{"containers":[{"name":"a"}]}}}})");
  const HookTable none;
  default_object(deployments(), none, v);
  const json::value once = v;
  default_object(deployments(), none, v);
  CHECK(v == once);
  CHECK(find(v, "metadata") != nullptr);
}

TEST_CASE("metadata is checked as upstream does") {
  struct Case {
    const char *name, *text, *want;
  };
  const Case cases[] = {
      {"no name", R"({"metadata":{"namespace":"d"}})",
       "metadata.name: Required value: name or generateName is required"},
      {"no namespace", R"({"metadata":{"name":"a"}})", "metadata.namespace: Required value"},
      {"generateName may end in a dash",
       R"({"metadata":{"name":"a-x","generateName":"a-","namespace":"d"}})", "[]"},
      {"label value", R"({"metadata":{"name":"a","namespace":"d","labels":{"x":"-"}}})",
       "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of "
       "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
       "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
       "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
      {"owner",
       R"({"metadata":{"name":"a","namespace":"d","ownerReferences":[{"apiVersion":"v1",)"
       R"("kind":"Pod","name":"p"}]}})",
       "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    FieldErrors errors;
    validate_metadata(parsed(c.text), pods(), nullptr, errors);
    CHECK(errors.text() == c.want);
  }
}

TEST_CASE("updates may not touch what the server owns") {
  const json::value old = parsed(R"({"metadata":{"name":"a","namespace":"d","uid":"u",
      "resourceVersion":"5","deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["x/y"]}})");
  json::value now = old;
  metadata_of(now)["name"] = "b";
  add_finalizer(now, "n/m");
  FieldErrors errors;
  validate_metadata_update(now, old, errors);
  CHECK(
      errors.text() ==
      "[metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
      "deleted, found new finalizers []string{\"n/m\"}, metadata.name: Invalid value: \"b\": field "
      "is immutable]");
}

TEST_CASE("required texts hold outside of status only") {
  FieldErrors errors;
  validate_structure(parsed(R"({"spec":{"containers":[{"name":""},{"image":"x"}]},
      "status":{"conditions":[{}]}})"),
                     *pods().schema, StructureRules::kBuiltin, errors);
  CHECK(errors.text() ==
        "[spec.containers[0].name: Required value, spec.containers[1].name: Required value]");
  FieldErrors custom;
  validate_structure(parsed(R"({"spec":{"containers":[{"name":"a"},{"name":"a"}]}})"),
                     *pods().schema, StructureRules::kCustom, custom);
  CHECK(custom.text() == "spec.containers[1]: Duplicate value: {\"name\":\"a\"}");
}

TEST_CASE("create resets what belongs to the server") {
  json::value v = parsed(
      R"({"metadata":{"name":"a","uid":"x","generation":9},"spec":{},"status":{"replicas":3}})");
  prepare_create(deployments(), HookTable(), v);
  CHECK(get_int(v, "metadata.generation") == 1);
  CHECK(find(v, "metadata.uid") == nullptr);
  CHECK(find(v, "status.replicas") == nullptr);
}

TEST_CASE("a node is created with the status its kubelet tells") {
  json::value v = parsed(R"({"metadata":{"name":"n"},"status":{"capacity":{"cpu":"4"}}})");
  prepare_create(*Catalog::builtin().find("", "v1", "nodes"), HookTable(), v);
  CHECK(get_string(v, "status.capacity.cpu") == "4");
}

TEST_CASE("update keeps status, counts generations; status writes keep the spec") {
  const json::value old = parsed(R"({"metadata":{"name":"a","uid":"u","generation":3,
      "resourceVersion":"7"},"spec":{"replicas":1},"status":{"replicas":1}})");
  struct Case {
    const char* name;
    WriteTarget target;
    const char *text, *want;
  };
  const Case cases[] = {
      {"spec", WriteTarget::kObject, R"({"metadata":{"name":"a"},"spec":{"replicas":2}})",
       R"({"metadata":{"name":"a","uid":"u","generation":4,"resourceVersion":"7"},)"
       R"("spec":{"replicas":2},"status":{"replicas":1}})"},
      {"labels only", WriteTarget::kObject,
       R"({"metadata":{"name":"a","labels":{"x":"y"}},"spec":{"replicas":1}})",
       R"({"metadata":{"name":"a","labels":{"x":"y"},"uid":"u","generation":3,)"
       R"("resourceVersion":"7"},"spec":{"replicas":1},"status":{"replicas":1}})"},
      {"status", WriteTarget::kStatus,
       R"({"metadata":{"name":"a"},"spec":{"replicas":9},"status":{"replicas":2}})",
       R"({"metadata":{"name":"a","uid":"u","generation":3,"resourceVersion":"7"},)"
       R"("spec":{"replicas":1},"status":{"replicas":2}})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    json::value v = parsed(c.text);
    prepare_update(deployments(), HookTable(), c.target, v, old);
    CHECK(to_json(sorted_keys(v)) == to_json(sorted_keys(parsed(c.want))));
  }
}

TEST_CASE("a write that changes nothing is seen") {
  const json::value a = parsed(R"({"metadata":{"name":"a","resourceVersion":"1",
      "managedFields":[{"manager":"m","time":"1"}]},"spec":{"x":1}})");
  const json::value b = parsed(R"({"spec":{"x":1},"metadata":{"name":"a","resourceVersion":"2",
      "managedFields":[{"manager":"m","time":"2"}]}})");
  CHECK(same_object(a, b));
  json::value c = b;
  set_path(c, "spec.x", json::value(2));
  CHECK_FALSE(same_object(a, c));
}

TEST_CASE("events convert between their two groups and back") {
  const Catalog& catalog = Catalog::builtin();
  const ResourceInfo& core = *catalog.find("", "v1", "events");
  const ResourceInfo& events = *catalog.find("events.k8s.io", "v1", "events");
  CHECK(catalog.storage_of(events) == &core);
  const json::value original = parsed(R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},
      "involvedObject":{"name":"p"},"message":"m","count":2,"source":{"component":"s"}})");
  json::value v = original;
  convert_object(core, events, v);
  CHECK(v == parsed(R"({"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e"},
      "regarding":{"name":"p"},"note":"m","deprecatedCount":2,
      "deprecatedSource":{"component":"s"}})"));
  convert_object(events, core, v);
  CHECK(v == original);
}

TEST_CASE("autoscalers convert between v1 and v2 without loss") {
  const Catalog& catalog = Catalog::builtin();
  const ResourceInfo& v1 = *catalog.find("autoscaling", "v1", "horizontalpodautoscalers");
  const ResourceInfo& v2 = *catalog.find("autoscaling", "v2", "horizontalpodautoscalers");
  const json::value original = parsed(R"({"apiVersion":"autoscaling/v2",
      "kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":5,"metrics":[
      {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization",
      "averageUtilization":80}}},
      {"type":"Pods","pods":{"metric":{"name":"x"}}}],"behavior":{"scaleDown":{}}}})");
  json::value v = original;
  convert_object(v2, v1, v);
  CHECK(get_int(v, "spec.targetCPUUtilizationPercentage") == 80);
  CHECK(find(v, "spec.metrics") == nullptr);
  CHECK(api_version_of(v) == "autoscaling/v1");
  convert_object(v1, v2, v);
  CHECK(v == original);
}

TEST_CASE("scale") {
  json::value v =
      parsed(R"({"metadata":{"name":"d","namespace":"n","uid":"u","resourceVersion":"4"},
      "spec":{"replicas":3,"selector":{"matchLabels":{"app":"w"}}},"status":{"replicas":2}})");
  const auto scale = scale_of(deployments(), v);
  REQUIRE(scale.ok());
  CHECK(*scale == parsed(R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"d",
      "namespace":"n","uid":"u","resourceVersion":"4"},"spec":{"replicas":3},
      "status":{"replicas":2,"selector":"app=w"}})"));
  REQUIRE(apply_scale(deployments(), parsed(R"({"spec":{"replicas":0}})"), v).ok());
  CHECK(get_int(v, "spec.replicas", -1) == 0);
}

}  // namespace
}  // namespace coracle::api
