// In which form answers come: protobuf for those who prefer it, pages that expire, strictness.
#include <catch2/catch.hpp>

#include "api/protobuf.hpp"
#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

using std::chrono::minutes;

const std::string kProtobuf = "application/vnd.kubernetes.protobuf";
const std::string kGo = kProtobuf + ",application/json";

json::value decoded(const std::string& body) {
  auto tree = api::decode_protobuf(body, api::Catalog::builtin());
  REQUIRE(tree.ok());
  return *std::move(tree);
}

TEST_CASE("Go clients get protobuf, where a kind has it") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  const std::string path = std::string(kPods) + "/p";
  const auto got = w.call("GET", path, "", {{"Accept", kGo}});
  CHECK(got->headers.get("content-type") == kProtobuf);
  json::value want = w.get(path);
  json::value have = decoded(got->body);
  CHECK(get_string(have, "metadata.resourceVersion") ==
        get_string(want, "metadata.resourceVersion"));
  CHECK(sorted_keys(*find(have, "metadata.managedFields")) ==
        sorted_keys(*find(want, "metadata.managedFields")));
  CHECK(sorted_keys(*find(have, "spec.containers")) == sorted_keys(*find(want, "spec.containers")));
  CHECK(w.call("GET", path, "", {{"Accept", "application/json," + kProtobuf}})
            ->headers.get("content-type") == "application/json");
  const auto missing = w.call("GET", std::string(kPods) + "/x", "", {{"Accept", kGo}});
  CHECK(missing->status == 404);
  CHECK(missing->headers.get("content-type") == "application/json");
  const std::string table = kProtobuf + ";as=Table;g=meta.k8s.io;v=v1";
  CHECK(w.call("GET", path, "", {{"Accept", table}})->status == 406);
}

TEST_CASE("a question's answer is no table") {
  ApiWorld w;
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const std::string path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const std::string body = R"({"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}})";
  const auto refused = w.call("POST", path, body, {{"Accept", table}});
  CHECK(refused->status == 406);
  CHECK(get_string(*parse_json(refused->body), "message").starts_with("only the following media "));
  // As kubectl asks: a table, or else the object.
  CHECK(w.call("POST", path, body, {{"Accept", table + ",application/json"}})->status == 201);
}

// The fields of one message: number -> payloads of wire type 2.
std::multimap<int, std::string> fields_of(std::string_view bytes) {
  std::multimap<int, std::string> out;
  const auto varint = [&bytes] {
    std::uint64_t n = 0;
    for (int shift = 0; !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[0]);
      bytes.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return n;
  };
  while (!bytes.empty()) {
    const std::uint64_t tag = varint(), size = varint();
    REQUIRE((tag & 7) == 2);
    out.emplace(static_cast<int>(tag >> 3), std::string(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  return out;
}

TEST_CASE("lists, metadata alone, and watches in protobuf") {
  ApiWorld w;
  for (const char* name : {"m", "n"}) {
    REQUIRE(w.call("POST", kMaps, a_config_map(name, R"({"k":"v"})"))->status == 201);
  }
  const auto list = w.call("GET", kMaps, "", {{"Accept", kGo}});
  const auto whole = fields_of(std::string_view(list->body).substr(4));
  CHECK(fields_of(whole.find(1)->second).find(2)->second == "ConfigMapList");
  CHECK(fields_of(whole.find(2)->second).count(2) == 2);
  const std::string partial =
      kProtobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
  const auto metadata = w.call("GET", kMaps, "", {{"Accept", partial}});
  const auto outer = fields_of(std::string_view(metadata->body).substr(4));
  CHECK(fields_of(outer.find(1)->second).find(2)->second == "PartialObjectMetadataList");
  const auto first = fields_of(fields_of(outer.find(2)->second).find(2)->second);
  CHECK(fields_of(first.find(1)->second).find(1)->second == "m");

  const auto stream = w.call("GET", std::string(kMaps) + "?watch=1", "",
                             {{"Accept", kProtobuf + ";stream=watch,application/json"}});
  CHECK(stream->headers.get("content-type") == kProtobuf + ";stream=watch");
  std::string_view rest = stream->body;
  std::vector<std::string> names;
  while (rest.size() > 4) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(rest[i]);
    const auto event = fields_of(rest.substr(4, size));
    CHECK(event.find(1)->second == "ADDED");
    names.emplace_back(
        get_string(decoded(fields_of(event.find(2)->second).find(1)->second), "metadata.name"));
    rest.remove_prefix(4 + size);
  }
  CHECK(names == std::vector<std::string>{"m", "n"});
}

TEST_CASE("an expired page says how to go on without consistency") {
  ApiWorld w;
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(w.call("POST", kMaps, a_config_map(name))->status == 201);
  }
  const json::value page = w.get(std::string(kMaps) + "?limit=1");
  const std::string token(get_string(page, "metadata.continue"));
  REQUIRE_FALSE(token.empty());
  for (int round = 0; round < 4; ++round) {
    w.call("PATCH", std::string(kMaps) + "/a", R"({"data":{"r":")" + std::to_string(round) + "\"}}",
           {{"Content-Type", "application/merge-patch+json"}});
    w.executor.advance(minutes(6));
  }
  const auto late = w.call("GET", std::string(kMaps) + "?limit=1&continue=" + token);
  REQUIRE(late->status == 410);
  const json::value status = w.tree(late);
  CHECK(std::string(get_string(status, "message"))
            .find("or use the continue token in this response") != std::string::npos);
  const std::string next(get_string(status, "metadata.continue"));
  const json::value rest = w.get(std::string(kMaps) + "?continue=" + next);
  REQUIRE(get_array(rest, "items").size() == 2);
  CHECK(get_string(get_array(rest, "items")[0], "metadata.name") == "b");
}

TEST_CASE("what a patch has too many of is told as asked") {
  ApiWorld w;
  REQUIRE(w.call("POST", kPods, a_pod("p"))->status == 201);
  struct Case {
    std::string name, type, patch, query;
    int code;
    std::string want;  // the message, or the warnings
  };
  const auto c = GENERATE(values<Case>({
      {"merge, strict", "merge-patch+json", R"({"spec":{"foo":1},"metadata":{"a":1,"a":2}})",
       "?fieldValidation=Strict", 422,
       "strict decoding error: duplicate field \"metadata.a\", unknown field \"metadata.a\", "
       "unknown field \"spec.foo\""},
      {"merge, warn", "merge-patch+json", R"({"spec":{"foo":1}})", "", 200,
       "299 - \"unknown field \\\"spec.foo\\\"\""},
      {"merge, ignore", "merge-patch+json", R"({"spec":{"foo":1}})", "?fieldValidation=Ignore", 200,
       ""},
      {"json, strict", "json-patch+json",
       R"([{"op":"add","path":"/spec/foo","value":1,"extra":1}])", "?fieldValidation=Strict", 422,
       "strict decoding error: json patch unknown field \"[0].extra\", unknown field \"spec.foo\""},
      {"strategic, strict", "strategic-merge-patch+json", R"({"spec":{"foo":1}})",
       "?fieldValidation=Strict", 422,
       " \"\" is invalid: patch: Invalid value: \"map[spec:map[foo:1]]\": strict decoding "
       "error: unknown field \"spec.foo\""},
      {"failed test", "json-patch+json", R"([{"op":"test","path":"/kind","value":"X"}])", "", 422,
       "the server rejected our request due to an error in our request"},
      {"no path", "json-patch+json", R"([{"op":"remove","path":"/spec/nothing"}])", "", 422,
       "the server rejected our request due to an error in our request"},
      {"no such directive", "merge-patch+json", "{}", "?fieldValidation=Hard", 422,
       "Unsupported value: \"Hard\""},
  }));
  CAPTURE(c.name);
  const auto answer = w.patch(c.type, std::string(kPods) + "/p" + c.query, c.patch);
  CHECK(answer->status == c.code);
  const std::string told = c.code == 200 ? std::string(answer->headers.get("warning"))
                                         : std::string(get_string(w.tree(answer), "message"));
  if (c.want.empty()) {
    CHECK(told.empty());
  } else {
    CHECK_THAT(told, Catch::Contains(c.want));
  }
}

}  // namespace
}  // namespace coracle::apiserver
