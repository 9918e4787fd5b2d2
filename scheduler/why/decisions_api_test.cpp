#include "why/decisions_api.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"
#include "plugins/registry.hpp"
#include "why/decision_object.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::parsed;

const Profile kDefault = default_profile();

Decision decided(const a_pod& pod) {
  Rotation rotation;
  const auto world =
      a_world({a_node("n1"), a_node("n2").taint("t", "", "NoSchedule"), a_node("n3")},
              {a_pod("load").cpu("2").on("n1"), a_pod("more").cpu("1").on("n3")});
  return decide(kDefault, pod.info(), world, rotation);
}

DecisionLog a_log() {
  DecisionLog log;
  log.add(decided(a_pod("web").cpu("1")), WallTime());
  log.add(decided(a_pod("big", "other").cpu("8")), WallTime());
  return log;
}

const std::string kRoot = "/apis/lab.coracle.dev/v1alpha1";

DecisionsAnswer ask(const std::string& path) {
  return answer_decisions("GET", path, false, a_log(), true);
}

TEST_CASE("why there: every score, before and after its weight") {
  const auto answer = ask(kRoot + "/namespaces/default/schedulingdecisions/web");
  CHECK(answer.http == 200);
  const json::value& status = answer.body.at("status");
  CHECK(status.at("result") == "Placed");
  CHECK(status.at("nodeName") == "n3");
  const json::array& scores = status.at("scores").as_array();
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].at("node") == "n1");
  std::int64_t sum = 0;
  for (const json::value& part : scores[1].at("scores").as_array()) {
    CHECK(part.at("normalized").as_int64() * part.at("weight").as_int64() ==
          part.at("weighted").as_int64());
    sum += part.at("weighted").as_int64();
  }
  CHECK(scores[1].at("total").as_int64() == sum);
  const json::value& refused = status.at("verdicts").as_array()[1];
  CHECK(refused == parsed(R"({"node":"n2","fits":false,"noes":{"TaintToleration":
    {"verdict":"Never","reasons":["node(s) had untolerated taint {t: }"]}}})"));
}

TEST_CASE("why nowhere: every verdict") {
  const auto answer = ask(kRoot + "/namespaces/other/schedulingdecisions/big");
  const json::value& status = answer.body.at("status");
  CHECK(status.at("result") == "FitsNowhere");
  CHECK(status.at("nodes") == 3);
  const json::value& row = status.at("verdicts").as_array()[1];
  CHECK(row.at("noes").as_object().size() == 2);
  CHECK(row.at("noes").at("NodeResourcesFit").at("reasons") == parsed(R"(["Insufficient cpu"])"));
  CHECK(status.at("scores").as_array().empty());
  CHECK(answer.body.at("metadata").at("resourceVersion") == "2");
}

TEST_CASE("lists sum up, by namespace or all") {
  auto answer = ask(kRoot + "/schedulingdecisions");
  CHECK(answer.body.at("items").as_array().size() == 2);
  answer = ask(kRoot + "/namespaces/other/schedulingdecisions");
  REQUIRE(answer.body.at("items").as_array().size() == 1);
  CHECK_FALSE(answer.body.at("items").as_array()[0].at("status").as_object().contains("verdicts"));
}

TEST_CASE("what is not there") {
  CHECK(ask(kRoot).body.at("resources").as_array().size() == 2);
  CHECK(ask("/apis/lab.coracle.dev/v1").http == 404);
  CHECK(ask(kRoot + "/namespaces/default/pods").http == 404);
  const auto gone = ask(kRoot + "/namespaces/default/schedulingdecisions/none");
  CHECK(gone.http == 404);
  CHECK(gone.body.at("message") == R"(schedulingdecisions.lab.coracle.dev "none" not found)");
  const std::string all = kRoot + "/schedulingdecisions";
  CHECK(answer_decisions("DELETE", all, false, a_log(), true).http == 405);
  CHECK(answer_decisions("GET", all, true, a_log(), true).http == 400);
  CHECK(answer_decisions("GET", all, false, a_log(), false).http == 503);
  CHECK(answer_decisions("GET", kRoot, false, a_log(), false).http == 200);
}

}  // namespace
}  // namespace coracle::scheduler
