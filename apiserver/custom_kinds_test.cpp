// Custom resources: a definition is written, its kind is served; it goes, and the objects with it.
#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kCrontabs = "/apis/example.com/v1/namespaces/a/crontabs";

std::string a_definition(const std::string& plural = "crontabs",
                         const std::string& kind = "CronTab") {
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":")" +
         plural + R"(.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
    "names":{"plural":")" +
         plural + R"(","kind":")" + kind + R"(","shortNames":["ct"]},
    "versions":[{"name":"v1","served":true,"storage":true,
      "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas",
        "statusReplicasPath":".status.replicas"}},
      "selectableFields":[{"jsonPath":".spec.color"}],
      "additionalPrinterColumns":[
        {"name":"Cron","type":"string","jsonPath":".spec.cron"},
        {"name":"Replicas","type":"integer","jsonPath":".spec.replicas"}],
      "schema":{"openAPIV3Schema":{"type":"object","properties":{
        "spec":{"type":"object","required":["cron"],"properties":{
          "cron":{"type":"string","description":"When."},"color":{"type":"string"},
          "replicas":{"type":"integer","minimum":0,"default":1}}},
        "status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}}},
     {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object",
        "x-kubernetes-preserve-unknown-fields":true}}}]}})";
}

std::string a_crontab(const std::string& name, const std::string& spec = R"({"cron":"* *"})") {
  return R"({"apiVersion":"example.com/v1","kind":"CronTab","metadata":{"name":")" + name +
         R"("},"spec":)" + spec + "}";
}

bool established(ApiWorld& w, const std::string& name) {
  const json::value now = w.get(std::string(kDefinitions) + "/" + name);
  return api::definition_condition(now, "Established");
}

void define(ApiWorld& w) {
  auto made = w.call("POST", kDefinitions, a_definition());
  INFO(made->body);
  REQUIRE(made->status == 201);
  CHECK(w.executor.run_until([&] { return established(w, "crontabs.example.com"); }));
  CHECK(w.executor.run_until([&] { return w.call("GET", kCrontabs)->status == 200; }));
}

TEST_CASE("a custom kind is served like any other") {
  ApiWorld w;
  CHECK(w.call("GET", kCrontabs)->status == 404);
  define(w);

  // Stored with its defaults, without what the schema does not name.
  auto made = w.call("POST", kCrontabs, a_crontab("one", R"({"cron":"a b","color":"red","x":1})"));
  INFO(made->body);
  REQUIRE(made->status == 201);
  CHECK(made->headers.get("warning") == "299 - \"unknown field \\\"spec.x\\\"\"");
  const json::value one = w.get(std::string(kCrontabs) + "/one");
  CHECK(to_json(one.at("spec")) == R"({"cron":"a b","color":"red","replicas":1})");
  CHECK(one.at("metadata").at("generation") == 1);

  auto strict = w.call("POST", std::string(kCrontabs) + "?fieldValidation=Strict",
                       a_crontab("two", R"({"cron":"a b","x":1})"));
  CHECK(strict->status == 400);
  CHECK(get_string(ApiWorld::tree(strict), "message")
            .find("strict decoding error: unknown field \"spec.x\"") != std::string_view::npos);

  auto invalid = w.call("POST", kCrontabs, a_crontab("two", R"({"replicas":-1})"));
  CHECK(invalid->status == 422);
  CHECK(
      get_string(ApiWorld::tree(invalid), "message") ==
      "CronTab.example.com \"two\" is invalid: [spec.cron: Required value, spec.replicas: Invalid "
      "value: -1: spec.replicas in body should be greater than or equal to 0]");

  // Patches: merge, JSON, apply; there is no strategic one.
  CHECK(w.patch("merge-patch+json", std::string(kCrontabs) + "/one", R"({"spec":{"replicas":3}})")
            ->status == 200);
  CHECK(w.patch("strategic-merge-patch+json", std::string(kCrontabs) + "/one", "{}")->status ==
        415);
  CHECK(w.patch("apply-patch+yaml", std::string(kCrontabs) + "/one?fieldManager=m&force=true",
                a_crontab("one"))
            ->status == 200);

  // Subresources.
  const json::value scale = w.get(std::string(kCrontabs) + "/one/scale");
  CHECK(scale.at("spec").at("replicas") == 3);
  CHECK(scale.at("status") == *parse_json(R"({"replicas":0})"));  // no path, no selector
  CHECK(w.patch("merge-patch+json", std::string(kCrontabs) + "/one/status",
                R"({"status":{"replicas":2},"spec":{"replicas":9}})")
            ->status == 200);
  const json::value after = w.get(std::string(kCrontabs) + "/one");
  CHECK(after.at("status").at("replicas") == 2);
  CHECK(after.at("spec").at("replicas") == 3);

  // Selectors of fields, tables, other versions.
  CHECK(w.get(std::string(kCrontabs) + "?fieldSelector=spec.color%3Dred")
            .at("items")
            .as_array()
            .size() == 1);
  CHECK(w.get(std::string(kCrontabs) + "?fieldSelector=spec.color%3Dblue")
            .at("items")
            .as_array()
            .empty());
  const json::value table = ApiWorld::tree(
      w.call("GET", kCrontabs, "", {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}}));
  CHECK(to_json(table.at("rows").at(0).at("cells")) == R"(["one","* *",3])");
  const json::value v2 = w.get("/apis/example.com/v2/namespaces/a/crontabs/one");
  CHECK(v2.at("apiVersion") == "example.com/v2");
  CHECK(v2.at("spec").at("replicas") == 3);
}

TEST_CASE("discovery and OpenAPI know a custom kind, and forget it") {
  ApiWorld w;
  const std::string before = w.call("GET", "/openapi/v3")->body;
  define(w);
  CHECK(w.get("/apis/example.com/v1").at("resources").at(0).at("name") == "crontabs");
  CHECK(w.get("/apis/example.com").at("preferredVersion").at("version") == "v2");
  const json::value index = w.get("/openapi/v3");
  const std::string url(get_string(find_keys(index, {"paths", "apis/example.com/v1"}) == nullptr
                                       ? json::value()
                                       : *find_keys(index, {"paths", "apis/example.com/v1"}),
                                   "serverRelativeURL"));
  REQUIRE_FALSE(url.empty());
  const json::value doc = w.get(url);
  CHECK(doc.at("components")
            .at("schemas")
            .at("com.example.v1.CronTab")
            .at("properties")
            .at("spec")
            .at("properties")
            .at("cron")
            .at("description") == "When.");
  CHECK(w.call("DELETE", std::string(kDefinitions) + "/crontabs.example.com")->status == 200);
  CHECK(w.executor.run_until([&] { return w.call("GET", kCrontabs)->status == 404; }));
  CHECK(w.call("GET", "/openapi/v3")->body == before);
}

TEST_CASE("a definition goes after its objects, and watches of the kind end") {
  ApiWorld w;
  define(w);
  REQUIRE(w.call("POST", kCrontabs, a_crontab("one"))->status == 201);
  REQUIRE(w.call("POST", kCrontabs,
                 R"({"metadata":{"name":"held","finalizers":["example.com/hold"]},)"
                 R"("spec":{"cron":"* *"}})")
              ->status == 201);
  auto watch = w.call("GET", std::string(kCrontabs) + "?watch=1");
  CHECK(watch->body.find("\"ADDED\"") != std::string::npos);

  CHECK(w.call("DELETE", std::string(kDefinitions) + "/crontabs.example.com")->status == 200);
  CHECK(w.executor.run_until(
      [&] { return w.call("GET", std::string(kCrontabs) + "/one")->status == 404; }));
  const json::value going = w.get(std::string(kDefinitions) + "/crontabs.example.com");
  CHECK(api::has_finalizer(going, api::kCustomFinalizer));
  CHECK(api::definition_condition(going, "Terminating"));
  auto late = w.call("POST", kCrontabs, a_crontab("late"));
  CHECK(late->status == 405);

  CHECK(w.patch("merge-patch+json", std::string(kCrontabs) + "/held",
                R"({"metadata":{"finalizers":null}})")
            ->status == 200);
  CHECK(w.executor.run_until([&] {
    return w.call("GET", std::string(kDefinitions) + "/crontabs.example.com")->status == 404;
  }));
  CHECK(w.executor.run_until([&] { return w.call("GET", kCrontabs)->status == 404; }));
  CHECK(watch->ended);

  // The same kind again: nothing of its former life is left.
  define(w);
  CHECK(w.get(kCrontabs).at("items").as_array().empty());
}

TEST_CASE("another apiserver serves the kind too, at once when it starts") {
  ApiWorld w;
  define(w);
  REQUIRE(w.call("POST", kCrontabs, a_crontab("one"))->status == 201);
  w.restart();
  CHECK(w.get(std::string(kCrontabs) + "/one").at("spec").at("replicas") == 1);
}

TEST_CASE("an apiserver starts though a deleted definition's objects do not go") {
  ApiWorld w;
  define(w);
  REQUIRE(w.call("POST", kCrontabs,
                 R"({"metadata":{"name":"held","finalizers":["example.com/hold"]},)"
                 R"("spec":{"cron":"* *"}})")
              ->status == 201);
  CHECK(w.call("DELETE", std::string(kDefinitions) + "/crontabs.example.com")->status == 200);
  w.restart();  // waits until it is ready
  CHECK(w.call("GET", std::string(kCrontabs) + "/held")->status == 200);
  CHECK(w.patch("merge-patch+json", std::string(kCrontabs) + "/held",
                R"({"metadata":{"finalizers":null}})")
            ->status == 200);
  CHECK(w.executor.run_until([&] {
    return w.call("GET", std::string(kDefinitions) + "/crontabs.example.com")->status == 404;
  }));
}

TEST_CASE("a name that is taken is not served until it is free") {
  ApiWorld w;
  define(w);
  // The same short name.
  REQUIRE(w.call("POST", kDefinitions, a_definition("cartoons", "Cartoon"))->status == 201);
  w.settle();
  const std::string cartoons = std::string(kDefinitions) + "/cartoons.example.com";
  CHECK(w.executor.run_until(
      [&] { return !get_array(w.get(cartoons), "status.conditions").empty(); }));
  const json::value waiting = w.get(cartoons);
  CHECK(get_string(get_array(waiting, "status.conditions")[0], "reason") == "ShortNamesConflict");
  CHECK(get_string(get_array(waiting, "status.conditions")[0], "message") ==
        "\"ct\" is already in use");
  CHECK(w.call("GET", "/apis/example.com/v1/namespaces/a/cartoons")->status == 404);
  CHECK(w.call("DELETE", std::string(kDefinitions) + "/crontabs.example.com")->status == 200);
  CHECK(w.executor.run_until([&] { return established(w, "cartoons.example.com"); }));
}

TEST_CASE("definitions that cannot be are refused") {
  ApiWorld w;
  const auto message = [&](std::string body) {
    auto answer = w.call("POST", kDefinitions, std::move(body));
    CHECK(answer->status == 422);
    return std::string(get_string(ApiWorld::tree(answer), "message"));
  };
  const auto replaced = [](std::string_view from, std::string_view to) {
    std::string text = a_definition();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK(message(replaced("crontabs.example.com", "tabs.example.com")) ==
        "CustomResourceDefinition.apiextensions.k8s.io \"tabs.example.com\" is invalid: "
        "metadata.name: Invalid value: \"tabs.example.com\": must be spec.names.plural+\".\"+"
        "spec.group");
  CHECK(message(replaced(R"("type":"string","description":"When.")", R"("description":"When.")")) ==
        "CustomResourceDefinition.apiextensions.k8s.io \"crontabs.example.com\" is invalid: "
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[cron].type: Required "
        "value: must not be empty for specified object fields");
  CHECK(message(replaced(R"("default":1)", R"("default":"x")"))
            .ends_with("spec.versions[0].schema.openAPIV3Schema.properties[spec].properties["
                       "replicas].default: Invalid value: \"string\": default in body must be of "
                       "type integer: \"string\""));
  CHECK(message(replaced(R"("storage":false)", R"("storage":true)"))
            .ends_with("must have exactly one version marked as storage version"));
}

std::string ruled_definition() {
  std::string text = a_definition();
  const std::string from = R"("spec":{"type":"object","required":["cron"],)";
  const std::string rules = R"x("x-kubernetes-validations":[
    {"rule":"self.replicas <= 5","message":"too many"},
    {"rule":"self.replicas >= oldSelf.replicas","fieldPath":".replicas",
     "messageExpression":"'not below %d'.format([oldSelf.replicas])"}],)x";
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), from + rules);
}

TEST_CASE("validation rules of a custom kind, in CEL") {
  ApiWorld w;
  auto made = w.call("POST", kDefinitions, ruled_definition());
  INFO(made->body);
  REQUIRE(made->status == 201);
  CHECK(w.executor.run_until([&] { return w.call("GET", kCrontabs)->status == 200; }));
  const auto message = [](const std::shared_ptr<FakeExchange>& answer) {
    return std::string(get_string(ApiWorld::tree(answer), "message"));
  };
  CHECK(message(w.call("POST", kCrontabs, a_crontab("x", R"({"cron":"a","replicas":6})"))) ==
        "CronTab.example.com \"x\" is invalid: spec: Invalid value: too many");
  REQUIRE(w.call("POST", kCrontabs, a_crontab("x", R"({"cron":"a","replicas":3})"))->status == 201);
  const std::string x = std::string(kCrontabs) + "/x";
  CHECK(w.patch("merge-patch+json", x, R"({"spec":{"replicas":4}})")->status == 200);
  CHECK(message(w.patch("merge-patch+json", x, R"({"spec":{"replicas":2}})")) ==
        "CronTab.example.com \"x\" is invalid: spec.replicas: Invalid value: not below "
        "4");

  std::string bad = ruled_definition();
  bad.replace(bad.find("self.replicas <= 5"), 18, "self.replicas <=  ");
  auto refused = w.call("PUT", std::string(kDefinitions) + "/crontabs.example.com", bad);
  CHECK(refused->status == 422);
  CHECK(message(refused).find("x-kubernetes-validations[0].rule: Invalid value:") !=
        std::string::npos);
  CHECK(message(refused).find("compilation failed: ") != std::string::npos);

  std::string dear = ruled_definition();
  dear.replace(dear.find("self.replicas <= 5"), 18,
               "self.cron.matches(self.cron) || self.replicas <= 5");
  CHECK(message(w.call("PUT", std::string(kDefinitions) + "/crontabs.example.com", dear))
            .find("x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget "
                  "by factor of more than 100x (try simplifying the rule, or adding maxItems, "
                  "maxProperties, and maxLength where arrays, maps, and strings are declared), ") !=
        std::string::npos);
}

}  // namespace
}  // namespace coracle::apiserver
