#include "api/custom_kind.hpp"

#include <catch2/catch.hpp>

#include "api/discovery.hpp"
#include "api/object.hpp"
#include "api/openapi.hpp"
#include "api/validate.hpp"

namespace coracle::api {
namespace {

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  INFO(text);
  REQUIRE(value.ok());
  return *std::move(value);
}

json::value schema_object() {
  return parsed(R"({"type":"object","properties":{"spec":{"type":"object","required":["cron"],
    "properties":{
      "cron":{"type":"string","pattern":"^\\S+ \\S+$"},
      "replicas":{"type":"integer","minimum":1,"maximum":10,"default":2},
      "image":{"type":"string","maxLength":5,"minLength":2},
      "mode":{"type":"string","enum":["fast","slow"]},
      "ratio":{"type":"number","multipleOf":0.5},
      "port":{"x-kubernetes-int-or-string":true},
      "labels":{"type":"object","additionalProperties":{"type":"string"}},
      "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,
              "properties":{"known":{"type":"object","properties":{"a":{"type":"string"}}}}},
      "at":{"type":"string","format":"date-time","nullable":true},
      "one":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},
             "oneOf":[{"required":["a"]},{"required":["b"]}]},
      "items":{"type":"array","maxItems":3,"x-kubernetes-list-type":"map",
        "x-kubernetes-list-map-keys":["name"],"items":{"type":"object","required":["name"],
        "properties":{"name":{"type":"string"},"size":{"type":"integer","default":1}}}},
      "pod":{"type":"object","x-kubernetes-embedded-resource":true,
             "x-kubernetes-preserve-unknown-fields":true}}},
    "status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}})");
}

json::value definition() {
  json::value out = parsed(R"({"apiVersion":"apiextensions.k8s.io/v1",
    "kind":"CustomResourceDefinition","metadata":{"name":"crontabs.stable.example.com","uid":"u"},
    "spec":{"group":"stable.example.com","scope":"Namespaced","names":{"plural":"crontabs",
      "singular":"crontab","kind":"CronTab","listKind":"CronTabList","shortNames":["ct"]},
      "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{},
        "scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
        "additionalPrinterColumns":[{"name":"Cron","type":"string","jsonPath":".spec.cron"}]},
        {"name":"v1beta1","served":true,"storage":false,"deprecated":true},
        {"name":"v0","served":false,"storage":false}]},"status":{}})");
  for (json::value& version : out.at("spec").at("versions").as_array()) {
    version.as_object()["schema"].emplace_object()["openAPIV3Schema"] = schema_object();
  }
  return settled_definition(out, {}, "2026-01-01T00:00:00Z");
}

std::vector<std::string> problems(std::string_view spec) {
  const auto schema = CustomSchema::compile(schema_object());
  REQUIRE(schema.ok());
  json::value object = json::object{{"spec", parsed(spec)}};
  FieldErrors errors;
  (*schema)->validate(object, nullptr, errors);
  std::vector<std::string> out;
  for (const FieldError& error : errors.list()) out.push_back(error.text());
  return out;
}

TEST_CASE("custom schema: what is wrong with a value, in upstream's words") {
  struct Case {
    const char *name, *spec;
    std::vector<std::string> errors;
  };
  const Case cases[] = {
      {"good", R"({"cron":"* *","replicas":3,"port":"http","at":null})", {}},
      {"missing", "{}", {"spec.cron: Required value"}},
      {"wrong type",
       R"({"cron":"* *","replicas":"three"})",
       {"spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: "
        "\"string\""}},
      {"null that may not be",
       R"({"cron":null})",
       {"spec.cron: Invalid value: \"null\": spec.cron in body must be of type string: \"null\""}},
      {"too small",
       R"({"cron":"* *","replicas":0})",
       {"spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to "
        "1"}},
      {"too large",
       R"({"cron":"* *","replicas":11})",
       {"spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to "
        "10"}},
      {"pattern",
       R"({"cron":"*"})",
       {"spec.cron: Invalid value: \"*\": spec.cron in body should match '^\\S+ \\S+$'"}},
      {"too short",
       R"({"cron":"* *","image":"a"})",
       {"spec.image: Invalid value: \"a\": spec.image in body should be at least 2 chars long"}},
      {"too long",
       R"({"cron":"* *","image":"abcdef"})",
       {"spec.image: Too long: may not be more than 5 bytes"}},
      {"enum",
       R"({"cron":"* *","mode":"warp"})",
       {"spec.mode: Unsupported value: \"warp\": supported values: \"fast\", \"slow\""}},
      {"multiple",
       R"({"cron":"* *","ratio":0.7})",
       {"spec.ratio: Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5"}},
      {"int or string",
       R"({"cron":"* *","port":true})",
       {"spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: "
        "\"boolean\""}},
      {"value of a map",
       R"({"cron":"* *","labels":{"a":1}})",
       {"spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: "
        "\"integer\""}},
      {"format",
       R"({"cron":"* *","at":"noon"})",
       {"spec.at: Invalid value: \"noon\": spec.at in body must be of type date-time: \"noon\""}},
      {"two of one key",
       R"({"cron":"* *","items":[{"name":"a"},{"name":"a"}]})",
       {R"(spec.items[1]: Duplicate value: {"name":"a"})"}},
      {"too many",
       R"({"cron":"* *","items":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]})",
       {"spec.items: Too many: 4: must have at most 3 items"}},
      {"none of oneOf",
       R"({"cron":"* *","one":{}})",
       {"<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). "
        "Found none valid",
        "spec.one.a: Required value"}},
      {"both of oneOf",
       R"({"cron":"* *","one":{"a":"x","b":"y"}})",
       {"<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). "
        "Found 2 valid alternatives"}},
      {"embedded object without a kind",
       R"({"cron":"* *","pod":{"apiVersion":"v1"}})",
       {"spec.pod.kind: Required value"}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(problems(c.spec) == c.errors);
  }
}

TEST_CASE("custom schema: pruning, defaults, and what was wrong before") {
  const auto schema = CustomSchema::compile(schema_object());
  REQUIRE(schema.ok());
  json::value object = parsed(R"({"kind":"CronTab","metadata":{"name":"x"},"top":1,"spec":{
    "cron":"* *","foo":1,"free":{"any":{"b":1},"known":{"a":"1","b":2}},
    "items":[{"name":"a","bar":2}],"labels":{"k":"v"},"replicas":null,
    "pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","mood":1},"spec":{"x":1}}}})");
  std::vector<std::string> unknown;
  (*schema)->prune(object, &unknown);
  CHECK(unknown == std::vector<std::string>{"unknown field \"top\"", "unknown field \"spec.foo\"",
                                            "unknown field \"spec.free.known.b\"",
                                            "unknown field \"spec.items[0].bar\"",
                                            "unknown field \"spec.pod.metadata.mood\""});
  (*schema)->set_defaults(object);
  CHECK(object.at("spec") == parsed(R"({"cron":"* *","free":{"any":{"b":1},"known":{"a":"1"}},
    "items":[{"name":"a","size":1}],"labels":{"k":"v"},"replicas":2,
    "pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"x":1}}})"));
  // An old sin does not stand in the way of another change.
  const json::value old = parsed(R"({"spec":{"cron":"*","replicas":5}})");
  FieldErrors errors;
  (*schema)->validate(parsed(R"({"spec":{"cron":"*","replicas":6}})"), &old, errors);
  CHECK(errors.empty());
  CHECK_FALSE(CustomSchema::compile(parsed(R"({"type":"string","pattern":"("})")).ok());
}

TEST_CASE("a definition becomes kinds of a live catalog, and goes again") {
  const auto kind = CustomKind::compile(definition(), Catalog::builtin().schemas());
  REQUIRE(kind.ok());
  const auto catalog = Catalog::over(Catalog::builtin());
  CHECK(catalog->find("stable.example.com", "v1", "crontabs") == nullptr);
  catalog->set_custom({*kind});
  const ResourceInfo* v1 = catalog->find("stable.example.com", "v1", "crontabs");
  REQUIRE(v1 != nullptr);
  CHECK(v1->has_status);
  CHECK(v1->scale->spec_replicas == ".spec.replicas");
  CHECK(v1->storage_prefix == "stable.example.com/crontabs");
  const ResourceInfo* beta = catalog->find_kind("stable.example.com", "v1beta1", "CronTab");
  REQUIRE(beta != nullptr);
  CHECK(beta->deprecation == "stable.example.com/v1beta1 CronTab is deprecated");
  CHECK(catalog->storage_of(*beta) == v1);
  CHECK(catalog->find("stable.example.com", "v0", "crontabs") == nullptr);
  CHECK(catalog->hold(*v1) == *kind);
  CHECK(catalog->hold(*catalog->find("", "v1", "pods")) == nullptr);

  const auto list = resource_list(*catalog, "stable.example.com", "v1");
  REQUIRE(list.ok());
  CHECK(list->at("resources").at(0).at("shortNames").at(0) == "ct");
  CHECK(list->at("resources").as_array().size() == 3);
  CHECK(catalog->all_groups().back().versions == std::vector<std::string>{"v1", "v1beta1"});
  const json::value doc = openapi_document(*catalog, "stable.example.com", "v1");
  const json::value& schema =
      doc.at("components").at("schemas").at("com.example.stable.v1.CronTab");
  CHECK(schema.at("properties").at("spec").at("properties").at("replicas").at("maximum") == 10);
  CHECK(schema.at("x-kubernetes-group-version-kind").at(0).at("kind") == "CronTab");
  CHECK(doc.at("components")
            .at("schemas")
            .as_object()
            .contains("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));

  json::value object = parsed(R"({"metadata":{"name":"x","labelz":{}},"spec":{"cron":"a b"}})");
  std::vector<std::string> unknown;
  REQUIRE(decode_in_place(object, *v1->schema, &unknown).ok());
  CHECK(unknown == std::vector<std::string>{"unknown field \"metadata.labelz\""});
  catalog->set_custom({});
  CHECK(catalog->find("stable.example.com", "v1", "crontabs") == nullptr);
}

TEST_CASE("names of definitions: the first keeps them") {
  const json::value first = definition();
  CHECK(definition_condition(first, "NamesAccepted"));
  CHECK(definition_condition(first, "Established"));
  json::value second = definition();
  second.as_object()["status"].emplace_object();
  NamesInUse others;
  others.add(first);
  const json::value settled = settled_definition(second, others, "2026-01-01T00:00:00Z");
  CHECK_FALSE(definition_condition(settled, "NamesAccepted"));
  CHECK_FALSE(definition_condition(settled, "Established"));
  CHECK(get_string(get_array(settled, "status.conditions")[0], "message") ==
        "\"CronTabList\" is already in use");
  CHECK(get_string(get_array(settled, "status.conditions")[1], "reason") == "NotAccepted");
}

TEST_CASE("OpenAPI v2: JSON without what it cannot say, and its protobuf") {
  const json::value doc = openapi_v2(Catalog::builtin());
  CHECK(doc.at("swagger") == "2.0");
  const json::object& definitions = doc.at("definitions").as_object();
  const json::value& deployment = definitions.at("io.k8s.api.apps.v1.Deployment");
  CHECK(deployment.at("x-kubernetes-group-version-kind").at(0).at("kind") == "Deployment");
  CHECK(deployment.at("properties").at("spec").at("$ref") ==
        "#/definitions/io.k8s.api.apps.v1.DeploymentSpec");
  CHECK(to_json(doc).find("#/components/") == std::string::npos);
  CHECK(definitions.at("io.k8s.apimachinery.pkg.api.resource.Quantity").at("type") == "string");
  CHECK_FALSE(definitions.at("io.k8s.apimachinery.pkg.api.resource.Quantity")
                  .as_object()
                  .contains("oneOf"));
  const std::string wire = openapi_v2_protobuf(doc);
  // {1 "2.0", 2 {1 "Kubernetes", ...
  CHECK(wire.substr(0, 5) ==
        "\x0a\x03"
        "2.0");
  CHECK(wire.find("#/definitions/io.k8s.api.apps.v1.DeploymentSpec") != std::string::npos);
}

}  // namespace
}  // namespace coracle::api
