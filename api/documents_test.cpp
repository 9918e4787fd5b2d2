// The catalog and what is rendered from it: tables, discovery, OpenAPI.
#include <catch2/catch.hpp>

#include "api/discovery.hpp"
#include "api/jsonpath.hpp"
#include "api/openapi.hpp"
#include "api/table.hpp"

namespace coracle::api {
namespace {

json::value parsed(std::string_view text) { return parse_json(text).value(); }

std::unique_ptr<Catalog> small() {
  return std::move(*Catalog::parse(R"({"definitions":{
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time":{"type":"string","format":"date-time"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta":{"type":"object","properties":{
      "name":{"type":"string"},"creationTimestamp":{
        "$ref":"io.k8s.apimachinery.pkg.apis.meta.v1.Time"}}},
      
    "x.v1.Node":{"type":"object","properties":{"next":{"$ref":"x.v1.Node"},
      "v":{"type":"integer","default":1}}},
    "x.v1.Boat":{"type":"object","properties":{
      "metadata":{"$ref":"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
      "spec":{"type":"object","properties":{"sails":{"type":"integer","format":"int32"},
      "tree":{"$ref":"x.v1.Node"}}},
      "status":{"type":"object","properties":{"afloat":{"type":"boolean"}}}}}},
    "kinds":[{"spec":{"group":"x.org","scope":"Namespaced",
      "names":{"kind":"Boat","plural":"boats","singular":"boat","shortNames":["bt"],
      "categories":["all"]},
      "versions":[{"name":"v1","schema":{"openAPIV3Schema":{"$ref":"x.v1.Boat"}},
      "subresources":{"status":{}},
        "additionalPrinterColumns":[{"name":"Sails","type":"integer","jsonPath":".spec.sails"},
          {"name":"Mood","type":"string","hook":"boat.mood","priority":1},
          {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}]}]}}]})"));
}

TEST_CASE("a broken catalog is refused by name") {
  const auto missing =
      Catalog::parse(R"({"definitions":{"a":{"type":"object","properties":{"b":{"$ref":"c"}}}}})");
  CHECK(missing.status().message() == "schema of a.b: unknown definition c");
  CHECK_FALSE(Catalog::parse("{").ok());
}

TEST_CASE("the built-in catalog finds its kinds") {
  const Catalog& catalog = Catalog::builtin();
  const ResourceInfo* pods = catalog.find("", "v1", "pods");
  REQUIRE(pods != nullptr);
  CHECK(pods->kind == "Pod");
  CHECK(pods->list_kind == "PodList");
  CHECK(pods->api_version == "v1");
  CHECK(pods->namespaced);
  CHECK(pods->has_status);
  CHECK(pods->has_generation);
  CHECK(pods->returns_object_on_delete);
  CHECK(pods->is_selectable("spec.nodeName"));
  CHECK(pods->is_selectable("metadata.namespace"));
  CHECK_FALSE(pods->is_selectable("spec.x"));
  CHECK(pods->subresource("eviction")->group == "policy");
  CHECK(catalog.find_for(parsed(R"({"apiVersion":"apps/v1","kind":"Deployment"})"))->plural ==
        "deployments");
  CHECK(catalog.find("", "v1", "boats") == nullptr);
  CHECK_FALSE(catalog.find("", "v1", "nodes")->has_generation);
  CHECK(catalog.groups().at(0).name.empty());
  CHECK(catalog.body_schema("v1", "DeleteOptions") != nullptr);
  CHECK(catalog.body_schema("autoscaling/v1", "Scale") != nullptr);
}

TEST_CASE("tables") {
  const auto catalog = small();
  const ResourceInfo& boats = *catalog->find("x.org", "v1", "boats");
  const ColumnHook columns[] = {
      {"boat.mood", [](const json::value&, WallTime) -> json::value { return "fine"; }}};
  HookTable hooks;
  hooks.add_columns(columns);
  const json::value boat = parsed(
      R"({"metadata":{"name":"b","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"sails":2}})");
  const json::value bare = parsed(R"({"metadata":{"name":"c"}})");
  const WallTime now = parse_time("2026-01-01T00:05:03Z").value();
  const json::value* list[] = {&boat, &bare};
  json::object metadata;
  metadata["resourceVersion"] = "7";
  const json::value table = make_table(boats, hooks, list, metadata, now, {});
  CHECK(get_string(table, "apiVersion") == "meta.k8s.io/v1");
  CHECK(jsonpath_values(table, ".columnDefinitions[*].name").size() == 4);
  CHECK(get_int(get_array(table, "columnDefinitions")[2], "priority") == 1);
  CHECK(to_json(get_array(table, "rows")[0]) ==
        R"({"cells":["b",2,"fine","5m3s"],"object":{"kind":"PartialObjectMetadata",)"
        R"("apiVersion":"meta.k8s.io/v1","metadata":{"name":"b",)"
        R"("creationTimestamp":"2026-01-01T00:00:00Z"}}})");
  CHECK(to_json(get_array(table, "rows")[1].at("cells")) == R"(["c",0,"fine","<unknown>"])");
  const json::value later = table_of_rows(boats, {}, {}, {.with_columns = false});
  CHECK(later.at("columnDefinitions").is_null());
  CHECK(parse_include_object("None").value() == IncludeObject::kNone);
  CHECK_FALSE(parse_include_object("x").ok());
}

TEST_CASE("discovery") {
  const auto catalog = small();
  CHECK(to_json(group_list(*catalog)) ==
        R"({"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"x.org",)"
        R"("versions":[{"groupVersion":"x.org/v1","version":"v1"}],)"
        R"("preferredVersion":{"groupVersion":"x.org/v1","version":"v1"}}]})");
  CHECK(to_json(*resource_list(*catalog, "x.org", "v1")) ==
        R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"x.org/v1",)"
        R"("resources":[{"name":"boats","singularName":"boat","namespaced":true,)"
        R"("kind":"Boat","verbs":["create","delete","deletecollection","get","list",)"
        R"("patch","update","watch"],"shortNames":["bt"],"categories":["all"],)"
        R"("storageVersionHash":"d05fduqm6zY="},)"
        R"({"name":"boats/status","singularName":"","namespaced":true,"kind":"Boat",)"
        R"("verbs":["get","patch","update"]}]})");
  CHECK_FALSE(resource_list(*catalog, "x.org", "v2").ok());
  CHECK_FALSE(group_document(*catalog, "").ok());
  const json::value all = aggregated_discovery(*catalog, false);
  CHECK(to_json(get_array(all, "items")[0]
                    .at("versions")
                    .at(0)
                    .at("resources")
                    .at(0)
                    .at("subresources")) ==
        R"([{"subresource":"status","responseKind":{"group":"x.org","version":"v1",)"
        R"("kind":"Boat"},"verbs":["get","patch","update"]}])");
  CHECK(get_array(aggregated_discovery(*catalog, true), "items").empty());
  const json::value core = *resource_list(Catalog::builtin(), "", "v1");
  CHECK(to_json(core).find(R"("shortNames":["cm"],"storageVersionHash":"qFsyl6wFWjQ=")") !=
        std::string::npos);
  std::vector<std::string> order;
  for (const GroupInfo& group : Catalog::builtin().groups()) order.push_back(group.name);
  REQUIRE(order.size() > 3);
  CHECK(order[0].empty());
  CHECK(order[1] == "apiregistration.k8s.io");
  CHECK(order[2] == "apps");
  CHECK(order[3] == "events.k8s.io");
}

TEST_CASE("OpenAPI: every reference of a document is in it") {
  const auto documents = openapi_documents(Catalog::builtin());
  REQUIRE(documents.size() > 5);
  for (const OpenApiDocument& document : documents) {
    CAPTURE(document.path);
    const json::value root = parsed(document.body);
    const json::object& schemas = root.at("components").at("schemas").as_object();
    CHECK_FALSE(schemas.empty());
    std::string_view rest = document.body;
    constexpr std::string_view kRef = "\"#/components/schemas/";
    for (std::size_t at = rest.find(kRef); at != std::string_view::npos; at = rest.find(kRef)) {
      rest.remove_prefix(at + kRef.size());
      const std::string_view name = rest.substr(0, rest.find('"'));
      CAPTURE(name);
      CHECK(schemas.contains(name));
    }
  }
  const json::value index = openapi_index(documents);
  CHECK(index.at("paths").at("api/v1").at("serverRelativeURL").as_string() ==
        "/openapi/v3/api/v1?hash=" + documents[0].hash);
  const json::value apps = openapi_document(Catalog::builtin(), "apps", "v1");
  const json::value& patch =
      apps.at("paths").at("/apis/apps/v1/namespaces/{namespace}/deployments/{name}").at("patch");
  CHECK(patch.at("parameters").at(0).at("name") == "fieldValidation");
  CHECK(to_json(patch.at("x-kubernetes-group-version-kind")) ==
        R"({"group":"apps","kind":"Deployment","version":"v1"})");
  const json::value& schemas = apps.at("components").at("schemas");
  CHECK(
      schemas.at("io.k8s.api.apps.v1.Deployment").at("x-kubernetes-group-version-kind").is_array());
  CHECK(schemas.at("io.k8s.api.core.v1.PodSpec")
            .at("properties")
            .at("volumes")
            .at("x-kubernetes-patch-strategy") == "merge,retainKeys");
}

TEST_CASE("a schema may refer to itself") {
  const auto catalog = small();
  const Schema* node = catalog->schemas().find("x.v1.Node");
  REQUIRE(node != nullptr);
  CHECK(node->find("next")->schema == node);
  CHECK(node->has_defaults);
}

}  // namespace
}  // namespace coracle::api
