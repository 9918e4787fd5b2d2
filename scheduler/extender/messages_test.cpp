#include "extender/messages.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::parsed;
using Names = std::vector<std::string>;

ExtenderConfig extender(bool knows_nodes) {
  ExtenderConfig config;
  config.url_prefix = "http://127.0.0.1:1/x/";
  config.node_cache_capable = knows_nodes;
  return config;
}

TEST_CASE("what an extender is asked") {
  CHECK(extender_url(extender(true), "filter") == "http://127.0.0.1:1/x/filter");
  const json::value pod = a_pod("p").object();
  json::value args = extender_args(extender(true), pod, {"n", "m"}, {});
  CHECK(args.at("NodeNames") == parsed(R"(["n","m"])"));
  CHECK(args.at("Nodes").is_null());
  args = extender_args(extender(false), pod, {"n"}, {a_node("n").object()});
  CHECK(args.at("NodeNames").is_null());
  CHECK(args.at("Nodes").at("items").as_array().size() == 1);
  CHECK(args.at("Pod").at("metadata").at("name") == "p");
  CHECK(binding_args(*a_pod("p").info(), "n") ==
        parsed(R"({"PodName":"p","PodNamespace":"default","PodUID":"uid-p","Node":"n"})"));
}

TEST_CASE("what it answers to filter, whatever the case of its members") {
  const Names asked{"a", "b", "c"};
  auto answer = read_filter_answer(extender(true), R"({"nodenames":["b"],
    "failedNodes":{"a":"too hot"},"failedAndUnresolvableNodes":{"c":"broken"},"error":""})",
                                   asked);
  REQUIRE(answer.ok());
  CHECK(answer->kept == Names{"b"});
  CHECK(answer->failed.at("a") == "too hot");
  CHECK(answer->unresolvable.at("c") == "broken");
  answer = read_filter_answer(extender(false),
                              R"({"Nodes":{"items":[{"metadata":{"name":"c"}}]},"NodeNames":null})",
                              asked);
  REQUIRE(answer.ok());
  CHECK(answer->kept == Names{"c"});
  CHECK(read_filter_answer(extender(true), R"({"Error":"no idea"})", asked).status().message() ==
        "no idea");
  CHECK(
      read_filter_answer(extender(true), R"({"NodeNames":["z"]})", asked).status().message() ==
      R"(extender "http://127.0.0.1:1/x/" claims a filtered node "z" which is not found in the input node list)");
  CHECK_FALSE(read_filter_answer(extender(true), "<html>", asked).ok());
}

TEST_CASE("what it answers to prioritize and bind") {
  const auto scores = read_priorities(R"([{"Host":"a","Score":7},{"host":"b","score":3}])");
  REQUIRE(scores.ok());
  CHECK(scores->at("a") == 7);
  CHECK(scores->at("b") == 3);
  CHECK_FALSE(read_priorities("{}").ok());
  CHECK(read_binding_answer("{}").ok());
  CHECK(read_binding_answer(R"({"Error":"taken"})").message() == "taken");
}

TEST_CASE("what it is asked, and answers, about preemption") {
  const auto world = testing::a_world({a_node("n"), a_node("m")},
                                      {a_pod("a").on("n"), a_pod("b").on("n"), a_pod("c").on("m")});
  const Candidates candidates{std::make_shared<const Candidate>("n", world.nodes[0].pods(), 1),
                              std::make_shared<const Candidate>("m", world.nodes[1].pods(), 0)};
  const json::value pod = a_pod("p").object();
  const auto object_of = [](const PodInfo& victim) {
    return json::value(json::object{{"metadata", json::object{{"name", victim.name}}}});
  };
  CHECK(preemption_args(extender(true), pod, candidates, object_of).at("NodeNameToMetaVictims") ==
        parsed(R"({"n":{"Pods":[{"UID":"uid-a"},{"UID":"uid-b"}],"NumPDBViolations":1},
                   "m":{"Pods":[{"UID":"uid-c"}],"NumPDBViolations":0}})"));
  CHECK(preemption_args(extender(false), pod, candidates, object_of)
            .at("NodeNameToVictims")
            .at("m") == parsed(R"({"Pods":[{"metadata":{"name":"c"}}],"NumPDBViolations":0})"));
  auto answer = read_preemption_answer(
      extender(true), R"({"nodeNameToMetaVictims":{"n":{"Pods":[{"UID":"uid-b"}]}}})", world);
  REQUIRE(answer.ok());
  REQUIRE(answer->size() == 1);
  CHECK(answer->front()->node == "n");
  CHECK(answer->front()->victims.front()->name == "b");
  answer = read_preemption_answer(extender(true), R"({"NodeNameToMetaVictims":{"n":{"Pods":[]}}})",
                                  world);
  CHECK(answer.status().message() == R"(expected at least one victim pod on node "n")");
  answer = read_preemption_answer(
      extender(true), R"({"NodeNameToMetaVictims":{"m":{"Pods":[{"UID":"uid-a"}]}}})", world);
  CHECK(
      answer.status().message() ==
      "extender: http://127.0.0.1:1/x/ claims to preempt pod (UID: uid-a) on node: m, but the pod "
      "is not found on that node");
}

}  // namespace
}  // namespace coracle::scheduler
