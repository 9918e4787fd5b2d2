#include "api/patch.hpp"

#include <catch2/catch.hpp>

#include "api/catalog.hpp"

namespace coracle::api {
namespace {

json::value parsed(std::string_view text) { return parse_json(text).value(); }

const Schema* deployment() { return Catalog::builtin().find("apps", "v1", "deployments")->schema; }
const Schema* pod() { return Catalog::builtin().find("", "v1", "pods")->schema; }

TEST_CASE("JSON patch (RFC 6902)") {
  struct Case {
    const char *name, *document, *patch, *want;
  };
  const Case cases[] = {
      {"add member", R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
      {"insert", R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
      {"append", R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
      {"escapes", R"({"a/b":{"m~n":1}})", R"([{"op":"replace","path":"/a~1b/m~0n","value":2}])",
       R"({"a/b":{"m~n":2}})"},
      {"move", R"({"a":1,"c":{}})", R"([{"op":"move","from":"/a","path":"/c/b"}])",
       R"({"c":{"b":1}})"},
      {"copy, test", R"({"a":1})",
       R"([{"op":"copy","from":"/a","path":"/b"},{"op":"test","path":"/b","value":1}])",
       R"({"a":1,"b":1})"},
      {"remove", R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/1"}])", R"({"a":[1,3]})"},
      {"test of a missing member for null", R"({})", R"([{"op":"test","path":"/x","value":null}])",
       R"({})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto result = apply_json_patch(parsed(c.document), parsed(c.patch));
    REQUIRE(result.ok());
    CHECK(*result == parsed(c.want));
  }
  struct Bad {
    const char *patch, *text;
    Code code;
  };
  const Bad bad[] = {
      {R"([{"op":"test","path":"/a","value":2}])", "testing value /a failed: test failed",
       Code::kFailedPrecondition},
      {R"([{"op":"add","path":"/x/y","value":2}])",
       "add operation does not apply: doc is missing path: \"/x/y\": missing value",
       Code::kFailedPrecondition},
      {R"([{"op":"replace","path":"/x","value":2}])",
       "replace operation does not apply: doc is missing key: /x: missing value",
       Code::kFailedPrecondition},
      {R"([{"op":"jump","path":"/a"}])", "Unexpected kind: jump", Code::kFailedPrecondition},
      {R"({})", "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
       Code::kInvalidArgument},
  };
  for (const Bad& b : bad) {
    CAPTURE(b.patch);
    const auto result = apply_json_patch(parsed(R"({"a":1})"), parsed(b.patch));
    REQUIRE_FALSE(result.ok());
    CHECK(result.status() == Status(b.code, b.text));
  }
}

TEST_CASE("merge patch (RFC 7386)") {
  CHECK(apply_merge_patch(parsed(R"({"a":{"b":1,"c":2},"d":[1]})"),
                          parsed(R"({"a":{"b":null,"e":{"f":null,"g":1}},"d":[2]})")) ==
        parsed(R"({"a":{"c":2,"e":{"g":1}},"d":[2]})"));
  CHECK(apply_merge_patch(parsed("[1]"), parsed(R"({"a":1})")) == parsed(R"({"a":1})"));
}

TEST_CASE("strategic merge patch") {
  struct Case {
    const char *name, *document, *patch, *want;
  };
  const Case cases[] = {
      {"merge by key",
       R"({"spec":{"containers":[{"name":"a","image":"1","env":[{"name":"X",)"
       R"("value":"1"}]},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"2","env":[{"name":"Y","value":"2"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"2","env":[{"name":"Y",)"
       R"("value":"2"},{"name":"X","value":"1"}]},{"name":"b"}]}})"},
      {"delete by key", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a","$patch":"delete"}]}})",
       R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"replace the list", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"$patch":"replace"}]}})",
       R"({"spec":{"containers":[{"name":"c"}]}})"},
      {"replace a map", R"({"metadata":{"labels":{"a":"1"}}})",
       R"({"metadata":{"labels":{"$patch":"replace","b":"2"}}})",
       R"({"metadata":{"labels":{"b":"2"}}})"},
      {"maps atomic for apply still merge here", R"({"spec":{"nodeSelector":{"a":"1"}}})",
       R"({"spec":{"nodeSelector":{"b":"2"}}})", R"({"spec":{"nodeSelector":{"a":"1","b":"2"}}})"},
      {"null removes", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
       R"({"metadata":{"labels":{"a":null}}})", R"({"metadata":{"labels":{"b":"2"}}})"},
      {"nulls of new parts vanish", R"({})", R"({"metadata":{"labels":{"a":null,"b":"1"}}})",
       R"({"metadata":{"labels":{"b":"1"}}})"},
      {"primitive list merges", R"({"metadata":{"finalizers":["a"]}})",
       R"({"metadata":{"finalizers":["b","a"]}})", R"({"metadata":{"finalizers":["b","a"]}})"},
      {"delete from primitive list", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
       R"({"metadata":{"finalizers":["b"]}})"},
      {"atomic list", R"({"spec":{"containers":[{"name":"a","command":["x","y"]}]}})",
       R"({"spec":{"containers":[{"name":"a","command":["z"]}]}})",
       R"({"spec":{"containers":[{"name":"a","command":["z"]}]}})"},
      {"element order", R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"s"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],)"
       R"("containers":[{"name":"b","image":"i"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"i"},{"name":"a"},{"name":"s"}]}})"},
      {"retain keys", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
       R"({"spec":{"volumes":[{"$retainKeys":["name","configMap"],"name":"v",)"
       R"("configMap":{"name":"c"}}]}})",
       R"({"spec":{"volumes":[{"name":"v","configMap":{"name":"c"}}]}})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto result = apply_strategic_patch(parsed(c.document), parsed(c.patch), pod());
    CAPTURE(result.status().message());
    REQUIRE(result.ok());
    CHECK(to_json(sorted_keys(*result)) == to_json(sorted_keys(parsed(c.want))));
  }
  const auto no_key =
      apply_strategic_patch(parsed(R"({"spec":{"containers":[{"name":"a"}]}})"),
                            parsed(R"({"spec":{"containers":[{"image":"x"}]}})"), pod());
  CHECK(no_key.status().message() == "map: map[image:x] does not contain declared merge key: name");
  const auto retain = apply_strategic_patch(
      parsed(R"({"spec":{"strategy":{"type":"Recreate"}}})"),
      parsed(R"({"spec":{"strategy":{"$retainKeys":["type"],"rollingUpdate":{}}}})"), deployment());
  CHECK(retain.status() == invalid_argument("invalid patch format of retainKeys"));
}

TEST_CASE("two-way patches say what changed and apply to it") {
  struct Case {
    const char *name, *before, *after, *patch;
  };
  const Case cases[] = {
      {"nothing", R"({"spec":{"replicas":1}})", R"({"spec":{"replicas":1}})", "{}"},
      {"image",
       R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}}}})",
       R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"2"},{"name":"b"}]}}}})",
       R"({"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"},)"
       R"({"name":"b"}],"containers":[{"image":"2","name":"a"}]}}}})"},
      {"container removed",
       R"({"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}}})",
       R"({"spec":{"template":{"spec":{"containers":[{"name":"b"}]}}}})",
       R"({"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"b"}],)"
       R"("containers":[{"$patch":"delete","name":"a"}]}}}})"},
      {"strategy retains keys",
       R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
       R"({"spec":{"strategy":{"type":"Recreate"}}})",
       R"({"spec":{"strategy":{"$retainKeys":["type"],"rollingUpdate":null,"type":"Recreate"}}})"},
      {"finalizers", R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"finalizers":["b","c"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],)"
       R"("$setElementOrder/finalizers":["b","c"],"finalizers":["c"]}})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const json::value before = parsed(c.before);
    const json::value after = parsed(c.after);
    const auto patch = create_two_way_merge_patch(before, after, deployment());
    REQUIRE(patch.ok());
    CHECK(to_json(sorted_keys(*patch)) == to_json(sorted_keys(parsed(c.patch))));
    const auto applied = apply_strategic_patch(before, *patch, deployment());
    REQUIRE(applied.ok());
    CHECK(to_json(sorted_keys(*applied)) == to_json(sorted_keys(after)));
  }
}

TEST_CASE("three-way patches keep what others added and drop what was applied before") {
  const json::value last =
      parsed(R"({"metadata":{"labels":{"a":"1","old":"x"}},"spec":{"replicas":2,)"
             R"("template":{"spec":{"containers":[{"name":"a","image":"1"},)"
             R"({"name":"gone"}]}}}})");
  const json::value next =
      parsed(R"({"metadata":{"labels":{"a":"2"}},)"
             R"("spec":{"template":{"spec":{"containers":[{"name":"a","image":"2"}]}}}})");
  const json::value live =
      parsed(R"({"metadata":{"labels":{"a":"1","old":"x","other":"y"}},"spec":{"replicas":2,)"
             R"("template":{"spec":{"containers":[{"name":"a","image":"1",)"
             R"("imagePullPolicy":"Always"},{"name":"gone"},{"name":"sidecar"}]}}}})");
  const auto patch = create_three_way_merge_patch(last, next, live, deployment());
  REQUIRE(patch.ok());
  CHECK(to_json(sorted_keys(*patch)) ==
        R"({"metadata":{"labels":{"a":"2","old":null}},"spec":{"replicas":null,)"
        R"("template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],)"
        R"("containers":[{"image":"2","name":"a"},{"$patch":"delete","name":"gone"}]}}}})");
  const auto applied = apply_strategic_patch(live, *patch, deployment());
  REQUIRE(applied.ok());
  CHECK(to_json(sorted_keys(*applied)) ==
        R"({"metadata":{"labels":{"a":"2","other":"y"}},)"
        R"("spec":{"template":{"spec":{"containers":[{"image":"2",)"
        R"("imagePullPolicy":"Always","name":"a"},{"name":"sidecar"}]}}}})");
  const auto same = create_three_way_merge_patch(next, next, next, deployment());
  REQUIRE(same.ok());
  CHECK(to_json(*same) == "{}");
  const auto conflict =
      create_three_way_merge_patch(last, next, parsed(R"({"metadata":{"labels":{"a":"3"}}})"),
                                   deployment(), {.overwrite = false});
  CHECK(conflict.status().code() == Code::kFailedPrecondition);
}

TEST_CASE("three-way JSON merge patch") {
  CHECK(create_three_way_json_merge_patch(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":3})"),
                                          parsed(R"({"a":1,"b":2,"c":4})")) ==
        parsed(R"({"a":3,"b":null})"));
  CHECK(create_json_merge_patch(parsed(R"({"a":{"x":1,"y":2}})"), parsed(R"({"a":{"y":3}})")) ==
        parsed(R"({"a":{"x":null,"y":3}})"));
}

}  // namespace
}  // namespace coracle::api
