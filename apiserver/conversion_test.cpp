// Conversion webhooks of custom kinds, through the whole server, on virtual time.
#include <catch2/catch.hpp>

#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "apiserver/testing/api_world.hpp"
#include "apiserver/testing/fake_remote.hpp"

namespace coracle::apiserver {
namespace {

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kOld = "/apis/example.com/v1/namespaces/a/backends";
constexpr const char* kNew = "/apis/example.com/v2/namespaces/a/backends";

// v1 {hostPort: "a:1"} is stored; v2 is {host: "a", port: "1"}.
std::string definition(bool first_stored) {
  const std::string one = first_stored ? "true" : "false", two = first_stored ? "false" : "true";
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"backends.example.com"},"spec":{"group":"example.com",
    "scope":"Namespaced","names":{"plural":"backends","kind":"Backend"},
    "conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],
      "clientConfig":{"url":"https://convert/c"}}},
    "versions":[{"name":"v1","served":true,"storage":)" +
         one + R"(,"schema":{"openAPIV3Schema":{"type":"object",
      "properties":{"hostPort":{"type":"string"}}}}},
     {"name":"v2","served":true,"storage":)" +
         two + R"(,"schema":{"openAPIV3Schema":{"type":"object",
      "properties":{"host":{"type":"string","maxLength":5},"port":{"type":"string"}}}}}]}})";
}

struct World {
  ManualExecutor* clock = nullptr;
  FakeRemote remote{[this] { return clock; }};
  ApiWorld api{nullptr, &remote};
  std::function<void(json::value& response)> spoil = [](json::value&) {};

  World() {
    clock = &api.executor;
    remote.servers["convert"] = [this](const net::ClientRequest& request) {
      return convert(request);
    };
    const auto made = api.call("POST", kDefinitions, definition(true));
    INFO(made->body);
    REQUIRE(made->status == 201);
    REQUIRE(api.executor.run_until([&] { return api.call("GET", kNew)->status == 200; }));
  }

  std::optional<Result<net::Response>> convert(const net::ClientRequest& request) {
    const json::value review = *parse_json(request.body);
    const std::string wanted(get_string(review, "request.desiredAPIVersion"));
    json::object response{{"uid", get_string(review, "request.uid")},
                          {"result", json::object{{"status", "Success"}}}};
    json::array& out = response["convertedObjects"].emplace_array();
    for (json::value object : get_array(review, "request.objects")) {
      json::object& members = object.get_object();
      if (wanted.ends_with("v2")) {
        const std::string both(get_string(object, "hostPort"));
        erase_key(members, "hostPort");
        members["host"] = both.substr(0, both.find(':'));
        members["port"] = both.substr(both.find(':') + 1);
      } else {
        members["hostPort"] =
            std::string(get_string(object, "host")) + ":" + std::string(get_string(object, "port"));
        erase_key(members, "host");
        erase_key(members, "port");
      }
      members["apiVersion"] = wanted;
      // Not its affair: put back.
      set_path(object, "metadata.generateName", json::value("mine"));
      out.push_back(std::move(object));
    }
    json::value answer = json::object{{"kind", "ConversionReview"},
                                      {"apiVersion", "apiextensions.k8s.io/v1"},
                                      {"response", std::move(response)}};
    spoil(answer);
    return net::make_response(200, to_json(answer), "application/json");
  }
  void create_new(const std::string& name, const std::string& host) {
    const auto made =
        api.call("POST", kNew,
                 R"({"metadata":{"name":")" + name + R"("},"host":")" + host + R"(","port":"1"})");
    INFO(made->body);
    REQUIRE(made->status == 201);
    CHECK(get_string(ApiWorld::tree(made), "host") == host);
    api.settle();
  }
};

std::string message(const std::shared_ptr<FakeExchange>& exchange) {
  return std::to_string(exchange->status) + " " +
         std::string(get_string(ApiWorld::tree(exchange), "message"));
}

}  // namespace

TEST_CASE("conversion: written in one version, read in the other", "[conversion]") {
  World w;
  w.create_new("x", "h");
  const json::value old = w.api.get(std::string(kOld) + "/x");
  CHECK(get_string(old, "hostPort") == "h:1");
  CHECK(get_string(old, "metadata.generateName").empty());
  CHECK(get_string(w.api.get(std::string(kNew) + "/x"), "host") == "h");
  const auto patched = w.api.patch("merge-patch+json", std::string(kNew) + "/x", R"({"port":"2"})");
  CHECK(get_string(ApiWorld::tree(patched), "port") == "2");
  json::value whole = w.api.get(std::string(kNew) + "/x");
  whole.get_object()["port"] = "3";
  CHECK(w.api.call("PUT", std::string(kNew) + "/x", to_json(whole))->status == 200);
  w.api.settle();
  CHECK(get_string(w.api.get(std::string(kOld) + "/x"), "hostPort") == "h:3");
  // By the schema of the version that was written.
  CHECK(message(w.api.patch("merge-patch+json", std::string(kNew) + "/x",
                            R"({"host":"far too long"})")) ==
        "422 Backend.example.com \"x\" is invalid: host: Too long: may not be more than 5 bytes");
}

TEST_CASE("conversion: a list is one review", "[conversion]") {
  World w;
  for (const char* name : {"p", "q", "r"}) w.create_new(name, name);
  const std::size_t before = w.remote.calls.size();
  const json::value list = w.api.get(kNew);
  CHECK(w.remote.calls.size() == before + 1);
  REQUIRE(get_array(list, "items").size() == 3);
  CHECK(get_string(get_array(list, "items")[2], "host") == "r");
  w.api.get(kOld);  // as stored
  CHECK(w.remote.calls.size() == before + 1);
}

TEST_CASE("conversion: a watch in the other version keeps the order", "[conversion]") {
  World w;
  w.create_new("p", "p");
  const auto watch = w.api.call("GET", std::string(kNew) +
                                           "?watch=1&sendInitialEvents=true&allowWatchBookmarks=1"
                                           "&resourceVersionMatch=NotOlderThan");
  w.create_new("q", "q");
  REQUIRE(w.api.call("DELETE", std::string(kOld) + "/p")->status == 200);
  REQUIRE(w.api.executor.run_until([&] { return watch->events().size() >= 4; }));
  std::vector<std::string> seen;
  for (const json::value& event : watch->events()) {
    seen.push_back(std::string(get_string(event, "type")) + " " +
                   std::string(get_string(event, "object.host")));
    CHECK(get_string(event, "object.apiVersion") == "example.com/v2");
  }
  CHECK(seen == std::vector<std::string>{"ADDED p", "BOOKMARK ", "ADDED q", "DELETED p"});
}

TEST_CASE("conversion: what the webhook may not do", "[conversion]") {
  World w;
  w.create_new("x", "h");
  const std::string failed = "500 conversion webhook for example.com/v1, Kind=Backend ";
  const auto first = [](json::value& answer) -> json::value& {
    return answer.at("response").at("convertedObjects").at(0);
  };
  struct Case {
    std::string name;
    std::function<void(json::value&)> spoil;
    std::string message;
  };
  const Case cases[] = {
      {"fails",
       [](json::value& a) {
         set_path(a, "response.result", json::object{{"status", "Failure"}, {"message", "no"}});
       },
       "failed: no"},
      {"says nothing", [](json::value& a) { erase_key(a.get_object(), "response"); },
       "failed: no response provided"},
      {"loses one", [](json::value& a) { set_path(a, "response.convertedObjects", json::array()); },
       "returned 0 objects, expected 1"},
      {"renames", [&](json::value& a) { set_path(first(a), "metadata.name", json::value("y")); },
       "returned invalid metadata for object at index 0: must have the same name: y != x"},
      {"another version",
       [&](json::value& a) { set_path(first(a), "apiVersion", json::value("v9")); },
       "returned invalid converted object at index 0: invalid groupVersion (expected "
       "example.com/v2, received v9)"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    w.spoil = one.spoil;
    CHECK(message(w.api.call("GET", std::string(kNew) + "/x")) == failed + one.message);
  }
  w.remote.servers.clear();
  CHECK(message(w.api.call("GET", std::string(kNew) + "/x"))
            .find(failed + R"(failed: Post "https://convert:443/c?timeout=30s": dial tcp)") == 0);
  CHECK(w.api.call("GET", std::string(kOld) + "/x")->status == 200);  // nothing to convert
}

TEST_CASE("conversion: another version is stored from now on", "[conversion]") {
  World w;
  w.create_new("x", "h");
  json::value crd = w.api.get(std::string(kDefinitions) + "/backends.example.com");
  const json::value next = *parse_json(definition(false));
  set_path(crd, "spec.versions", next.at("spec").at("versions"));
  REQUIRE(w.api.call("PUT", std::string(kDefinitions) + "/backends.example.com", to_json(crd))
              ->status == 200);
  w.api.executor.advance(std::chrono::seconds(2));
  CHECK(get_string(w.api.get(std::string(kOld) + "/x"), "hostPort") == "h:1");
  CHECK(get_string(w.api.get(std::string(kNew) + "/x"), "host") == "h");
  REQUIRE(w.api.patch("merge-patch+json", std::string(kNew) + "/x", R"({"port":"7"})")->status ==
          200);
  w.api.settle();
  CHECK(get_string(w.api.get(std::string(kOld) + "/x"), "hostPort") == "h:7");
  CHECK(get_string(w.api.get(std::string(kNew) + "/x"), "port") == "7");
}

}  // namespace coracle::apiserver
