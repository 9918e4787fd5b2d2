#include "client/resource.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

namespace coracle::client {
namespace {

const Gvr kDeployments{"apps", "v1", "deployments"};
const Gvr kNodes{"", "v1", "nodes", false};

struct World {
  ManualExecutor executor;
  FakeApi api{executor};
  ResourceClient deployments{api, kDeployments};
  ResourceClient nodes{api, kNodes};
  std::optional<ApiResult<json::value>> answer;

  FakeApi::Call send(ResourceClient::Object task) {
    answer.reset();
    spawn<ApiResult<json::value>>(std::move(task),
                                  [this](ApiResult<json::value> r) { answer = std::move(r); });
    return api.next_call();
  }
};

json::value web() {
  return *parse_json(R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":2}})");
}

TEST_CASE("every verb sends what the apiserver expects") {
  World world;
  const auto& c = world.deployments;
  struct Case {
    const char* name;
    ResourceClient::Object task;
    const char *method, *target, *body;
  };
  std::vector<Case> cases;
  const char* base = "/apis/apps/v1/namespaces/shop/deployments";
  const std::string one = std::string(base) + "/web", status = one + "/status";
  const std::string scale = one + "/scale", patched = one + "?fieldManager=me&dryRun=All";
  const std::string eviction = one + "/eviction";
  const std::string web_text = to_json(web());
  cases.push_back({"get", c.get("shop", "web"), "GET", one.c_str(), ""});
  cases.push_back({"list all namespaces", c.list({.label_selector = "app in (a,b)"}), "GET",
                   "/apis/apps/v1/deployments?labelSelector=app%20in%20%28a%2Cb%29", ""});
  cases.push_back({"create", c.create("shop", web()), "POST", base, web_text.c_str()});
  cases.push_back({"update", c.update(web()), "PUT", one.c_str(), web_text.c_str()});
  cases.push_back(
      {"update status", c.update_status(web()), "PUT", status.c_str(), web_text.c_str()});
  cases.push_back({"patch",
                   c.patch("shop", "web", PatchType::kMerge, *parse_json(R"({"a":null})"),
                           {.field_manager = "me", .dry_run = true}),
                   "PATCH", patched.c_str(), R"({"a":null})"});
  cases.push_back(
      {"remove",
       c.remove("shop", "web",
                {.grace_period_seconds = 0, .propagation_policy = "Foreground", .uid = "u1"}),
       "DELETE", one.c_str(),
       R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,)"
       R"("propagationPolicy":"Foreground","preconditions":{"uid":"u1"}})"});
  cases.push_back(
      {"subresource", c.get_subresource("shop", "web", "scale"), "GET", scale.c_str(), ""});
  cases.push_back({"create subresource", c.create_subresource("shop", "web", "eviction", web()),
                   "POST", eviction.c_str(), web_text.c_str()});
  cases.push_back(
      {"cluster scoped", world.nodes.get("ignored", "n1"), "GET", "/api/v1/nodes/n1", ""});
  for (auto& test : cases) {
    CAPTURE(test.name);
    const auto call = world.send(std::move(test.task));
    CHECK(call.request.method == test.method);
    CHECK(call.request.target == test.target);
    CHECK(call.request.body == test.body);
    call.reply(200, web());
    world.executor.run_ready();
    REQUIRE(world.answer.has_value());
    CHECK(world.answer->ok());
    CHECK(world.answer->value() == web());
  }
}

TEST_CASE("patch types are told apart by Content-Type") {
  World world;
  const auto call =
      world.send(world.deployments.patch("shop", "web", PatchType::kStrategic, json::object()));
  REQUIRE(call.request.headers.size() == 1);
  CHECK(call.request.headers[0].second == "application/strategic-merge-patch+json");
  call.reply(200, "{}");
  world.executor.run_ready();
}

TEST_CASE("errors keep the server's reason and message, or get one") {
  World world;
  const auto error_of = [&](auto&& answer) {
    const auto call = world.send(world.deployments.get("shop", "web"));
    answer(call);
    world.executor.run_ready();
    REQUIRE(world.answer.has_value());
    REQUIRE_FALSE(world.answer->ok());
    return world.answer->error();
  };
  const auto missing = error_of([](const FakeApi::Call& call) {
    call.fail(404, "NotFound", "deployments.apps \"web\" not found");
  });
  CHECK(missing.is_not_found());
  CHECK(missing.code == Code::kNotFound);
  CHECK(missing.message == "deployments.apps \"web\" not found");
  CHECK(get_string(missing.status, "kind") == "Status");
  const auto stale = error_of([](const FakeApi::Call& c) { c.fail(409, "Conflict"); });
  CHECK(stale.is_conflict());
  CHECK_FALSE(stale.is_already_exists());
  CHECK(error_of([](const FakeApi::Call& c) { c.fail(409, "AlreadyExists"); }).is_already_exists());
  const auto plain = error_of([](const FakeApi::Call& c) { c.reply(503, "not ready\n"); });
  CHECK(plain.reason == "ServiceUnavailable");
  CHECK(plain.message == "not ready");
  CHECK(plain.is_retryable());
  const auto lost = error_of([](const FakeApi::Call& c) { c.lose(unavailable("EOF")); });
  CHECK(lost.no_answer());
  CHECK(lost.code == Code::kUnavailable);
  CHECK(lost.message == "EOF");
  const auto garbage = error_of([](const FakeApi::Call& c) { c.reply(200, "<html>"); });
  CHECK(garbage.http == 200);
  CHECK(garbage.reason == "InternalError");
}

TEST_CASE("list_all joins pages and stops at an error") {
  World world;
  auto first = world.send(world.deployments.list_all({}, 2));
  CHECK(first.request.target == "/apis/apps/v1/deployments?limit=2");
  first.reply(200, R"({"metadata":{"resourceVersion":"5","continue":"x","remainingItemCount":1},)"
                   R"("items":[1,2]})");
  world.executor.run_ready();
  auto second = world.api.expect("GET", "/apis/apps/v1/deployments?limit=2&continue=x");
  SECTION("joined") {
    second.reply(200, R"({"metadata":{"resourceVersion":"5"},"items":[3]})");
    world.executor.run_ready();
    REQUIRE(world.answer.has_value());
    CHECK(to_json(world.answer->value()) ==
          R"({"metadata":{"resourceVersion":"5"},"items":[1,2,3]})");
  }
  SECTION("expired") {
    second.fail(410, "Expired");
    world.executor.run_ready();
    REQUIRE(world.answer.has_value());
    CHECK(world.answer->error().is_gone());
  }
}

}  // namespace
}  // namespace coracle::client
